"""The providers of a run: what the settings name, on the run's pacer and clock, of the database's kind of market."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bist_pipeline.core.clock import OffsetClock
from bist_pipeline.core.errors import MarketKindError, SettingsError, TransientProviderError
from bist_pipeline.pipeline.market_kind import ensure_market_kind, stored_market_kind
from bist_pipeline.pipeline.sources import open_sources
from bist_pipeline.simulator.market import invent_market
from bist_pipeline_tests.pipeline.exchanges import LIVE, asking, moment, sessions_between, standing

DAYS = sessions_between(*(moment(day).date() for day in ("2026-03-02", "2026-03-06")))


@pytest.fixture(scope="module")
def running():
    with standing(invent_market(symbols=3, first=DAYS[0], last=DAYS[-1]), moment(DAYS[-1])) as running:
        yield running


@pytest.fixture
def context(sites, running):
    return asking(sites, running, bist_providers=("yahoo_chart", "yfinance"))


def test_they_are_made_in_the_order_of_the_settings_and_nothing_is_asked(context, running):
    before = len(running.requests)
    sources = open_sources(context)
    assert [provider.name for provider in sources.history] == ["yahoo_chart", "yfinance"]
    assert tuple(provider.name for provider in sources.live) == LIVE
    assert {provider.family for provider in sources.history} == {"yahoo"}
    assert len(running.requests) == before


def test_a_name_that_no_provider_has_is_refused_with_the_legal_ones(sites, running):
    context = asking(sites, running, bist_live_providers=("yahoo",))
    with pytest.raises(SettingsError, match=r"BIST_LIVE_PROVIDERS names 'yahoo' \(legal: .*yahoo_quote"):
        open_sources(context)


def test_the_first_check_notes_the_kind_of_market_and_how_far_its_clock_is(context):
    shifted = replace(context, clock=OffsetClock(timedelta(days=-40)))
    open_sources(shifted).check_market(shifted)
    assert stored_market_kind(context.database) == "simulated"
    (row,) = context.database.rows("SELECT kind, clock_offset_seconds FROM operations.market")
    assert row.clock_offset_seconds == -40 * 86_400
    # A second more or less is the way to ask, not another time.
    for seconds, noted in ((0.5, -40 * 86_400), (3600, -40 * 86_400 + 3600)):
        moved = replace(context, clock=OffsetClock(timedelta(days=-40, seconds=seconds)))
        open_sources(moved).check_market(moved)
        assert context.database.rows("SELECT clock_offset_seconds AS s FROM operations.market")[0].s == noted


def test_another_kind_of_market_is_refused(context):
    ensure_market_kind(context.database, "replayed", "somebody", context.clock.now())
    with pytest.raises(MarketKindError, match=r"holds a replayed market \(somebody\), .* offers a simulated one"):
        open_sources(context).check_market(context)


def test_an_exchange_that_is_gone_leaves_the_kind_unsaid(sites):
    with standing(invent_market(symbols=1, first=DAYS[0], last=DAYS[-1]), moment(DAYS[-1])) as gone:
        context = asking(sites, gone, symbols=["ZZAAA"])
    with pytest.raises(TransientProviderError):
        open_sources(context).check_market(context)
    assert stored_market_kind(context.database) is None
