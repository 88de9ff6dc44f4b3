"""Strikes: who was not known on three sessions is delisted, and an outage strikes nobody."""

from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd
import pytest

from bist_pipeline.core.clock import FixedClock
from bist_pipeline.core.errors import TransientProviderError, UnknownSymbolError
from bist_pipeline.pipeline.ingest import ingest
from bist_pipeline.pipeline.quotes import live_symbols
from bist_pipeline.pipeline.strikes import DELISTED_AFTER, strike
from bist_pipeline.pipeline.universe import refresh_universe
from bist_pipeline_tests.archives import simulated_bars, write_archive
from bist_pipeline_tests.pipeline.sites import ledger
from bist_pipeline_tests.pipeline.stand_ins import watched

BARS = simulated_bars(symbols=6, sessions=30)
SYMBOLS = sorted(BARS["symbol"].unique())
GONE = SYMBOLS[2]
UNKNOWN = {GONE: UnknownSymbolError(f"{GONE}: no such symbol")}
EVENINGS = [datetime(2026, 3, day, 16, 0, tzinfo=UTC) for day in (3, 4, 5, 6)]


@pytest.fixture
def provider(tmp_path):
    return watched(write_archive(tmp_path / "archive", BARS), tells_versions=False)


@pytest.fixture
def context(sites, provider, tmp_path):
    context = sites.emptied(tmp_path / "archive")
    refresh_universe(context, [provider])
    ingest(context, [provider], SYMBOLS)
    return context


def ask_at(context, provider, moment, faults):
    provider.faults = faults
    ingest(replace(context, clock=FixedClock(moment)), [provider], SYMBOLS)


def strikes(context):
    return {symbol: ledger(context, symbol).strikes for symbol in SYMBOLS}


def test_a_symbol_that_is_unknown_gets_a_strike_a_session_and_is_then_left_out_of_the_live_lane(context, provider):
    assert live_symbols(context) == SYMBOLS
    for number, moment in enumerate(EVENINGS, 1):
        ask_at(context, provider, moment, UNKNOWN)
        assert strikes(context) == dict.fromkeys(SYMBOLS, 0) | {GONE: number}
        assert ledger(context, GONE).struck_on == moment.date()
        assert (GONE in live_symbols(context)) == (number < DELISTED_AFTER)


def test_several_askings_on_one_session_are_one_strike(context, provider):
    for _ in range(3):
        ask_at(context, provider, EVENINGS[0], UNKNOWN)
    assert ledger(context, GONE).strikes == 1


def test_an_answer_clears_them(context, provider):
    ask_at(context, provider, EVENINGS[0], UNKNOWN)
    ask_at(context, provider, EVENINGS[1], {})
    assert (ledger(context, GONE).strikes, ledger(context, GONE).struck_on) == (0, None)
    ask_at(context, provider, EVENINGS[2], UNKNOWN)
    assert ledger(context, GONE).strikes == 1


def test_a_failure_in_between_neither_counts_nor_clears(context, provider):
    ask_at(context, provider, EVENINGS[0], UNKNOWN)
    ask_at(context, provider, EVENINGS[1], {GONE: TransientProviderError(f"{GONE}: busy")})
    assert ledger(context, GONE).strikes == 1


def test_where_more_than_a_fifth_failed_nobody_is_struck(context, provider):
    outage = {symbol: TransientProviderError(f"{symbol}: busy") for symbol in SYMBOLS[:2]}
    ask_at(context, provider, EVENINGS[0], UNKNOWN | outage)
    assert ledger(context, GONE).strikes == 0


def test_where_every_symbol_is_unknown_nobody_is_struck(context, provider):
    ask_at(context, provider, EVENINGS[0], {symbol: UnknownSymbolError(f"{symbol}: none") for symbol in SYMBOLS})
    assert set(strikes(context).values()) == {0}


def test_where_most_of_those_asked_are_unknown_nobody_is_struck(context, provider):
    """An outage that tells of no such symbol for half of the market is an outage."""
    ask_at(context, provider, EVENINGS[0], {s: UnknownSymbolError(f"{s}: none") for s in SYMBOLS[:5]})
    assert set(strikes(context).values()) == {0}


def test_a_symbol_that_was_not_asked_is_not_struck(context):
    outcomes = pd.DataFrame(
        [(s, "missing" if s == GONE else "answered", False) for s in SYMBOLS], columns=["symbol", "status", "fetched"]
    )
    assert strike(context, outcomes) == 0
    assert ledger(context, GONE).strikes == 0


def test_of_a_short_list_one_share_may_be_delisted(sites, provider, tmp_path):
    context = sites.emptied(tmp_path / "archive")
    refresh_universe(context, [provider])
    few = [GONE, SYMBOLS[0], SYMBOLS[1]]
    ingest(context, [provider], few)
    provider.faults = UNKNOWN
    ingest(replace(context, clock=FixedClock(EVENINGS[0])), [provider], few)
    assert ledger(context, GONE).strikes == 1
