"""The live lane on the simulated exchange: what a refresh asks, writes and says, and when it leaves things alone."""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from datetime import time as of_day

import pytest

from bist_pipeline.core.errors import MarketKindError, SessionError, SettingsError, TransientProviderError
from bist_pipeline.pipeline import quotes as lane
from bist_pipeline.pipeline.refresh import next_live_moment, refresh
from bist_pipeline.pipeline.sources import open_sources
from bist_pipeline.simulator.exchange import Exchange
from bist_pipeline.simulator.market import invent_market
from bist_pipeline_tests.archives import simulated_bars, write_archive
from bist_pipeline_tests.pipeline.exchanges import (
    EVENING,
    asking,
    load,
    moment,
    play,
    play_faults,
    sessions_between,
    standing,
    states,
)
from bist_pipeline_tests.pipeline.sites import TABLES, all_contents, assert_same_bits, count, execute, run

LAST = date(2026, 3, 6)
DAYS = sessions_between(date(2026, 1, 5), LAST)[-32:]
EVE, DAY = DAYS[-2], DAYS[-1]
COUNT = 92
MIDDAY = of_day(12, 30)


@pytest.fixture(scope="module")
def running() -> Iterator[Exchange]:
    market = invent_market(symbols=COUNT, seed=3, first=DAYS[0], last=LAST)
    with standing(market, moment(EVE), late=timedelta(seconds=1.5)) as running:
        yield running


@pytest.fixture(autouse=True)
def _good_again(running) -> Iterator[None]:
    running.clock.set(moment(DAY, MIDDAY))
    yield
    play_faults(running, {})


@pytest.fixture(scope="module")
def loaded(sites, running):
    """Histories up to the session before; nobody changes this database."""
    running.clock.set(moment(EVE))
    context = asking(sites, running)
    load(context, DAYS[-3], EVE)
    return context


@pytest.fixture
def context(sites, running, loaded):
    return asking(sites, running, copy_of=loaded)


def routes(running: Exchange, before: int) -> Counter:
    return Counter(one.route for one in running.requests[before:])


def test_a_refresh_of_92_symbols_is_at_most_five_requests(running, context):
    before = len(running.requests)
    (report,) = play(context, running, [moment(DAY, MIDDAY)])
    assert report.quotes is not None
    assert report.quotes.summary()["symbols_asked"] == len(running.market.symbols(moment(DAY, MIDDAY)))
    assert report.quotes.states["trading"] >= COUNT - 8
    assert len(running.requests) - before <= 5, routes(running, before)
    assert not report.quotes.problems


def test_a_refresh_of_500_symbols_is_at_most_fifteen_requests(sites):
    market = invent_market(symbols=500, seed=4, first=DAYS[-8], last=LAST)
    with standing(market, moment(EVE)) as many:
        context = asking(sites, many)
        load(context, EVE, EVE)
        before = len(many.requests)
        (report,) = play(context, many, [moment(DAY, MIDDAY)])
        assert report.quotes is not None
        assert report.quotes.states["trading"] >= 470
        charts = routes(many, before)["chart"]
        assert charts <= lane.MOST_CHARTS
        assert len(many.requests) - before <= 15, routes(many, before)
        # What has come at midday is served at midday.
        assert count(context, "serving.prices_v1", f"session_date = '{DAY}' AND NOT is_final") >= 470


def test_a_second_refresh_without_new_trades_publishes_nothing_new(running, context):
    first, second = play(context, running, [moment(DAY, MIDDAY)] * 2)
    assert first.published.signals > 80
    assert (second.published.signals, second.published.signals_superseded) == (0, 0)
    assert (second.published.events, second.published.events_superseded) == (0, 0)


def test_the_live_lane_says_so_and_the_history_lane_after_the_close_too(running, context):
    play(context, running, [moment(DAY, MIDDAY)])
    live = context.database.rows(
        f"SELECT DISTINCT origin, is_final FROM serving.signals_v1 WHERE session_date = '{DAY}'"
    )
    assert [tuple(row) for row in live] == [("live", False)]
    (report,) = play(context, running, [moment(DAY, EVENING)])
    assert report.quotes is None
    final = context.database.rows(f"SELECT DISTINCT is_final FROM serving.signals_v1 WHERE session_date = '{DAY}'")
    assert [tuple(row) for row in final] == [(True,)]


def test_with_the_exchange_down_it_says_so_and_changes_nothing(sites, loaded):
    market = invent_market(symbols=COUNT, seed=3, first=DAYS[0], last=LAST)
    with standing(market, moment(DAY, MIDDAY)) as gone:
        context = asking(sites, gone, copy_of=loaded, yf_max_retries=1)
        play(context, gone, [moment(DAY, MIDDAY)])
        before = all_contents(context, TABLES)
        sources = open_sources(context)
        gone.clock.set(moment(DAY, of_day(13, 30)))
    with pytest.raises(TransientProviderError, match=gone.url):
        refresh(context, sources)
    after = all_contents(context, TABLES)
    for table in TABLES:
        assert_same_bits(after[table], before[table], table)


def test_an_exchange_that_answers_nothing_but_errors_costs_the_quotes_alone(running, context):
    play(context, running, [moment(DAY, MIDDAY)])
    before = all_contents(context, TABLES)
    play_faults(running, {"503": 1.0})
    (report,) = play(context, running, [moment(DAY, of_day(13, 30))])
    assert report.quotes is not None
    assert set(report.quotes.states) == {"failed"}
    assert any("503" in problem for problem in report.quotes.problems)
    assert (report.published.signals, report.published.signals_superseded) == (0, 0)
    after = all_contents(context, TABLES)
    for table in TABLES:
        assert_same_bits(after[table], before[table], table)


def test_where_the_batches_fail_the_other_routes_are_asked(running, context):
    before = len(running.requests)
    play_faults(running, {"crumb": 1.0})  # nothing that needs a crumb is answered
    (report,) = play(context, running, [moment(DAY, MIDDAY)])
    assert report.quotes is not None
    assert report.quotes.problems
    assert routes(running, before)["spark"] >= 1
    found = Counter(states(context, DAY).values())
    assert found["price_only"] + found["trading"] >= COUNT - 8
    assert found["failed"] == 0
    # A last price alone makes no bar.
    assert count(context, "market.daily_prices", f"session_date = '{DAY}'") == found["trading"]


def test_slow_answers_end_the_refresh_at_its_deadline_with_what_arrived(running, context, monkeypatch):
    monkeypatch.setattr(lane, "DEADLINE_SECONDS", 2.0)
    play_faults(running, {"late": 1.0})
    began = time.monotonic()
    (report,) = play(context, running, [moment(DAY, MIDDAY)])
    assert time.monotonic() - began < 10
    assert report.quotes is not None
    assert report.quotes.problems
    assert report.quotes.states.get("failed", 0) > 0
    assert sum(report.quotes.states.values()) == len(running.market.symbols(moment(DAY, MIDDAY)))
    told = states(context, DAY)
    bars = count(context, "market.daily_prices", f"session_date = '{DAY}'")
    assert bars == Counter(told.values())["trading"]


def test_an_exchange_is_refused_where_the_archive_was(sites, running, tmp_path):
    bars = simulated_bars(symbols=3, sessions=30)
    archived = sites.make(write_archive(tmp_path / "archive", bars))
    run(archived, bars["session_date"].min(), bars["session_date"].max())
    context = asking(sites, running, copy_of=archived)
    with pytest.raises(MarketKindError, match=r"holds a real market .*offers a simulated one"):
        load(context, EVE, EVE)
    execute(context, f"UPDATE market.fetch_ledger SET last_session = '{EVE}'")
    with pytest.raises(MarketKindError, match=r"holds a real market .*offers a simulated one"):
        refresh(context, open_sources(context))
    assert count(context, "operations.requests") == count(context, "market.quotes") == 0


def test_a_simulated_market_refuses_the_archive(sites, loaded, tmp_path):
    bars = simulated_bars(symbols=3, sessions=30)
    archived = sites.make(write_archive(tmp_path / "archive", bars), copy_of=loaded)
    with pytest.raises(MarketKindError, match=r"holds a simulated market .*offers a real one"):
        run(archived, bars["session_date"].min(), bars["session_date"].max())


def test_a_day_that_cannot_be_refreshed_says_why(running, context):
    with pytest.raises(SessionError, match="the newest session that has begun is 2026-03-06"):
        refresh(context, open_sources(context), date(2026, 3, 9))
    with pytest.raises(SessionError, match="2026-03-01 cannot be refreshed: the exchange was closed"):
        refresh(context, open_sources(context), date(2026, 3, 1))


def test_without_a_live_provider_it_says_what_to_set(sites, running, loaded):
    context = asking(sites, running, copy_of=loaded, bist_live_providers=())
    with pytest.raises(SettingsError, match="set BIST_LIVE_PROVIDERS, or wait for the close"):
        refresh(context, open_sources(context))


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        (moment(DAY, of_day(10, 0)), moment(DAY, of_day(10, 15))),  # quotes of the open come a quarter of an hour late
        (moment(DAY, of_day(10, 15)), None),
        (moment(DAY, of_day(18, 25)), None),  # those of the closing auction
        (moment(DAY, of_day(18, 26)), moment(date(2026, 3, 9), of_day(10, 15))),  # a Friday
        (moment(date(2026, 3, 7), MIDDAY), moment(date(2026, 3, 9), of_day(10, 15))),
    ],
)
def test_the_live_lane_runs_from_the_first_quotes_to_the_last(context, now, opens):
    assert next_live_moment(context, now) == opens
