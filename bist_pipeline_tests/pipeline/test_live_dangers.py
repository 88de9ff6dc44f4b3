"""Dangers of the live lane that a hostile reader found: days off, a slow chart route, a long cool-down."""

import time as clock
from dataclasses import dataclass, replace
from datetime import date, time
from typing import Any

import pytest

from bist_pipeline.core.errors import CircuitOpenError
from bist_pipeline.core.ticks import snap
from bist_pipeline.pipeline import quotes
from bist_pipeline.pipeline.pacing import PostgresPacer, circuit_open
from bist_pipeline.pipeline.refresh import refresh
from bist_pipeline.pipeline.sources import open_sources
from bist_pipeline.providers.pacing.contract import Ask
from bist_pipeline.simulator.events import Split
from bist_pipeline.simulator.market import invent_market, replay_market
from bist_pipeline_tests.archives import simulated_bars, write_archive
from bist_pipeline_tests.pipeline.exchanges import (
    EVENING,
    asking,
    load,
    moment,
    play,
    sessions_between,
    standing,
    states,
)
from bist_pipeline_tests.pipeline.sites import contents, count, execute

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


SICK, PRICES = "ZZAAB", ("open_try", "high_try", "low_try", "close_try")


@pytest.mark.parametrize(
    ("factor", "withheld", "live"),
    [
        (0.5, 2, ("yahoo_quote", "yahoo_spark", "yahoo_chart")),
        (100.0, 2, ("yahoo_quote",)),
        # Four sessions at the limit would reach it as well: only what was withheld says that it is held.
        (0.7, 4, ("yahoo_quote",)),
        # Spark states no previous close: what its chart told must not free it of the limit.
        (0.5, 2, ("yahoo_spark", "yahoo_chart")),
    ],
)
def test_a_level_that_cleaning_withholds_is_not_served_by_the_live_lane_either(sites, tmp_path, factor, withheld, live):
    bars = simulated_bars(symbols=4, sessions=60, first=date(2025, 1, 2))
    days = sorted({day.date() for day in bars["session_date"]})
    new = (bars["symbol"] == SICK) & (bars["session_date"].dt.date >= days[50])
    dates = bars.loc[new, "session_date"].to_numpy().astype("datetime64[D]")
    for name in PRICES:
        bars.loc[new, name] = snap(bars.loc[new, name].to_numpy() * factor, dates)[0]
    before, day = days[49 + withheld], days[50 + withheld]
    with standing(replay_market(write_archive(tmp_path / "told", bars), "as_traded"), moment(before)) as running:
        context = asking(sites, running, bist_live_providers=live)
        load(context, days[0], before)
        assert count(context, "market.quarantine", f"symbol = '{SICK}'") == withheld
        for at in (time(14, 0), time(14, 5), EVENING):
            play(context, running, [moment(day, at)])
            since = f"symbol = '{SICK}' AND session_date >= '{days[50]}'"
            assert count(context, "serving.prices_v1", since) == 0, at
            assert count(context, "serving.signals_v1", since) == 0, at
        latest = contents(context, "serving.latest_signals_v1", f"symbol = '{SICK}'")
        assert latest["session_date"].dt.date.tolist() == [days[49]]
        assert latest["is_stale"].all()
