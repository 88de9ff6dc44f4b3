"""An exchange that answers badly: the first load still ends complete, and an outage destroys nothing."""

from collections import Counter
from collections.abc import Iterator
from datetime import date

import pytest

from bist_pipeline.core.errors import CircuitOpenError, ContractError
from bist_pipeline.pipeline.pacing import circuit_open
from bist_pipeline.pipeline.provider_health import request_counts
from bist_pipeline.pipeline.refresh import refresh
from bist_pipeline.pipeline.sources import open_sources
from bist_pipeline.simulator.exchange import Exchange
from bist_pipeline.simulator.market import invent_market
from bist_pipeline_tests.pipeline.exchanges import (
    TICKS,
    asking,
    load,
    moment,
    play_faults,
    sessions_between,
    standing,
    states,
)
from bist_pipeline_tests.pipeline.sites import PRICES, all_contents, assert_same_bits, contents, count, execute

SYMBOLS, SESSIONS = 30, 250
SOME = {"429": 0.3, "503": 0.1, "html": 0.05, "cut": 0.05, "nulls": 0.1, "reset": 0.05}
MOST_REQUESTS = 2.5  # times those of a load without faults

LAST = date(2026, 3, 6)
DAYS = sessions_between(date(2025, 1, 2), LAST)[-SESSIONS:]
EVE, DAY = DAYS[-2], DAYS[-1]


@pytest.fixture(scope="module")
def running() -> Iterator[Exchange]:
    with standing(invent_market(symbols=SYMBOLS, seed=5, first=DAYS[0], last=LAST), moment(EVE)) as running:
        yield running


@pytest.fixture(autouse=True)
def _good_again(running) -> Iterator[None]:
    running.clock.set(moment(EVE))
    yield
    play_faults(running, {})


@pytest.fixture(scope="module")
def good(sites, running):
    """The database after a load without faults, and how many requests that took."""
    running.clock.set(moment(EVE))
    before = len(running.requests)
    context = asking(sites, running)
    load(context, DAYS[-3], EVE)
    return context, len(running.requests) - before


def logged(running: Exchange, before: int) -> Counter:
    return Counter((one.route, one.status) for one in running.requests[before:])


def noted(context) -> Counter:
    rows = context.database.rows("SELECT route, status, count(*) AS n FROM operations.requests GROUP BY 1, 2")
    return Counter({(row.route, row.status): row.n for row in rows})


def pass_time(context) -> None:
    """Let the waits of open circuits and cool-downs be over."""
    execute(context, "UPDATE operations.circuits SET open_until = clock_timestamp() - interval '1 second'")
    execute(context, "UPDATE operations.pace SET cooldown_until = NULL")


def test_a_first_load_among_faults_ends_complete_with_a_bounded_number_of_requests(sites, running, good):
    whole, without_faults = good
    assert without_faults == SYMBOLS
    before = len(running.requests)
    context = asking(sites, running)
    play_faults(running, SOME)
    report = load(context, DAYS[-3], EVE)
    asked = running.requests[before:]
    assert report.ingested.summary()["symbols_answered"] == SYMBOLS
    assert len({one.fault for one in asked}) >= 4, "the faults did happen"
    assert len(asked) <= MOST_REQUESTS * without_faults
    assert noted(context) == logged(running, before)
    for table in PRICES:
        assert_same_bits(contents(context, table), contents(whole, table), table)


def test_every_try_is_counted_with_what_became_of_it(sites, running, good):
    before = len(running.requests)
    context = asking(sites, running)
    play_faults(running, SOME)
    load(context, DAYS[-3], EVE)
    asked = running.requests[before:]
    told = request_counts(context.database, context.run_id)
    assert told["requests_asked"] == len(asked)
    assert told["requests_throttled"] == sum(one.fault == "429" for one in asked) > 0
    assert told["requests_failed"] == sum(one.fault in {"503", "html", "cut", "reset"} for one in asked) > 0
    assert told["requests_retried"] >= told["requests_throttled"] / 2
    assert told["bytes_received"] > 0


def test_an_exchange_that_only_throttles_is_left_alone_after_twenty_requests_and_nothing_is_lost(sites, running, good):
    context = asking(sites, running, copy_of=good[0])
    stored = all_contents(context, PRICES)
    rows = count(context, "market.fetch_ledger", "rows > 0")
    running.clock.set(moment(DAY))
    play_faults(running, {"429": 1.0})
    before = len(running.requests)
    with pytest.raises(ContractError, match=r"symbols_answering stops the run: .*circuit open until"):
        load(context, DAY, DAY)
    assert 0 < len(running.requests) - before <= 20
    for table in PRICES:
        assert_same_bits(contents(context, table), stored[table], table)
    assert count(context, "market.fetch_ledger", "rows > 0 AND first_session IS NOT NULL") == rows == SYMBOLS
    shut = circuit_open(context.database)
    assert shut is not None
    assert "circuit open until" in shut.text

    # While it is open nothing is asked, by either lane.
    asked = len(running.requests)
    with pytest.raises(ContractError, match="circuit open until"):
        load(context, DAY, DAY)
    running.clock.set(moment(DAY, TICKS[1]))
    with pytest.raises(CircuitOpenError, match="circuit open until"):
        refresh(context, open_sources(context))
    assert len(running.requests) == asked
    assert count(context, "market.quotes") == 0

    # The probe finds the fault still there: open again, for one request.
    pass_time(context)
    with pytest.raises(CircuitOpenError):
        refresh(context, open_sources(context))
    assert len(running.requests) == asked + 1
    assert circuit_open(context.database) is not None

    # The fault is over: the probe closes the circuit by itself.
    play_faults(running, {})
    pass_time(context)
    refresh(context, open_sources(context))
    assert circuit_open(context.database) is None
    assert Counter(states(context, DAY).values())["trading"] >= SYMBOLS - 3


def test_an_outage_in_the_middle_of_a_session_strikes_no_symbol(sites, running, good):
    context = asking(sites, running, copy_of=good[0])
    running.clock.set(moment(DAY))
    play_faults(running, {"404": 1.0})
    with pytest.raises(ContractError, match="symbols_answering stops the run"):
        load(context, DAY, DAY)
    assert count(context, "market.fetch_ledger", "strikes > 0") == 0
    assert count(context, "market.daily_prices") == count(good[0], "market.daily_prices")
