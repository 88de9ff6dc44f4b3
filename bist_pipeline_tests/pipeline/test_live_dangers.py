"""Dangers of the live lane that a hostile reader found: days off, a slow chart route, a long cool-down."""

import time as clock
from dataclasses import dataclass, replace
from datetime import date, time
from typing import Any

import pytest

from bist_pipeline.core.errors import CircuitOpenError
from bist_pipeline.pipeline import quotes
from bist_pipeline.pipeline.pacing import PostgresPacer, circuit_open
from bist_pipeline.pipeline.refresh import refresh
from bist_pipeline.pipeline.sources import open_sources
from bist_pipeline.providers.pacing.contract import Ask
from bist_pipeline.simulator.events import Split
from bist_pipeline.simulator.market import invent_market
from bist_pipeline_tests.pipeline.exchanges import asking, load, moment, play, sessions_between, standing, states
from bist_pipeline_tests.pipeline.sites import count, execute

FIRST = date(2025, 5, 2)
SESSIONS = sessions_between(FIRST, date(2026, 3, 6))
BEFORE, EVE, DAY = SESSIONS[-4], SESSIONS[-2], SESSIONS[-1]
SPLIT = "ZZAAA"
SPLIT_DAY = f"symbol = '{SPLIT}' AND session_date = DATE '{DAY}'"
COOLING = "UPDATE operations.pace SET cooldown_until = clock_timestamp() + interval '{} seconds'"


@pytest.fixture(scope="module")
def exchange_of_a_split():
    market = invent_market(symbols=12, seed=23, first=FIRST, last=DAY, events=(Split(SPLIT, DAY, 4.0),))
    with standing(market, moment(BEFORE)) as running:
        yield running


def test_after_days_off_the_history_comes_before_the_first_signal(sites, exchange_of_a_split):
    running = exchange_of_a_split
    running.clock.set(moment(BEFORE))
    context = asking(sites, running)
    load(context, FIRST, BEFORE)  # then nothing runs for a session, and the next one begins with a split
    play(context, running, [moment(DAY, time(11, 0))])
    told = context.database.rows(
        "SELECT close_try FROM market.daily_prices WHERE symbol = :s ORDER BY session_date DESC LIMIT 2", {"s": SPLIT}
    )
    today, before = (float(row.close_try) for row in told)
    # As traded, the split share falls to a quarter; its score must not take that for a fall.
    assert today / before == pytest.approx(0.25, rel=0.2)
    score = context.database.rows(f"SELECT score FROM serving.signals_v1 WHERE {SPLIT_DAY}")[0].score
    assert abs(score - _score_without_a_split(sites)) < 0.1


def _score_without_a_split(sites) -> float:
    with standing(invent_market(symbols=12, seed=23, first=FIRST, last=DAY), moment(EVE)) as running:
        context = asking(sites, running)
        load(context, FIRST, EVE)
        play(context, running, [moment(DAY, time(11, 0))])
        return float(context.database.rows(f"SELECT score FROM serving.signals_v1 WHERE {SPLIT_DAY}")[0].score)


@dataclass
class Cooling:
    """A provider of history before whose first request somebody else is throttled."""

    inner: Any
    context: Any
    seconds: float

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def history(self, symbol: str) -> Any:
        execute(self.context, COOLING.format(self.seconds))
        return self.inner.history(symbol)


def test_a_slow_chart_route_neither_outlasts_the_deadline_nor_costs_the_quotes(sites, exchange_of_a_split, monkeypatch):
    running = exchange_of_a_split
    running.clock.set(moment(EVE))
    context = asking(sites, running, yf_backoff_base_seconds=1.0)
    load(context, FIRST, EVE)
    running.clock.set(moment(DAY, time(11, 0)))
    sources = open_sources(context)
    slow = replace(sources, history=tuple(Cooling(one, context, 30.0) for one in sources.history))
    monkeypatch.setattr(quotes, "DEADLINE_SECONDS", 2.0)
    began = clock.monotonic()
    report = refresh(context, slow)
    assert clock.monotonic() - began < 15  # not the half minute of the cool-down
    assert report.quotes is not None
    assert report.quotes.states["trading"] == 11
    assert states(context, DAY)[SPLIT] == "action_pending"
    assert count(context, "serving.signals_v1", SPLIT_DAY) == 0
    assert count(context, "serving.signals_v1", f"session_date = DATE '{DAY}'") > 5


def test_a_long_cool_down_is_told_like_an_open_circuit_and_a_short_one_is_waited_for(context):
    pacer = PostgresPacer(context.database, context.settings, "test")
    ask = Ask("yahoo", "https://query2.finance.yahoo.com", "yahoo_chart", "chart")
    pacer.acquire(ask)  # the family has a row from now on
    execute(context, COOLING.format(30))
    assert circuit_open(context.database) is None
    execute(context, COOLING.format(3600))
    told = circuit_open(context.database)
    assert told is not None
    assert told.text.startswith("circuit open until")
    with pytest.raises(CircuitOpenError, match="asked to be left alone"):
        pacer.acquire(ask)
