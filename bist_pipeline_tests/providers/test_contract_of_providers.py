"""What every registered provider keeps, whatever it reads."""

import json
import re
import time
from datetime import UTC, date, datetime, timedelta
from itertools import chain

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.clock import SystemClock
from bist_pipeline.core.errors import UnknownSymbolError
from bist_pipeline.providers.contract import ACTION_COLUMNS, QUOTE_COLUMNS, RAW_BAR_COLUMNS, Services
from bist_pipeline.providers.pacing.contract import Lease
from bist_pipeline.providers.registry import registered_providers
from bist_pipeline.settings import Settings
from bist_pipeline.simulator.clock import ExchangeClock
from bist_pipeline.simulator.events import Dividend, Split
from bist_pipeline.simulator.market import invent_market
from bist_pipeline.simulator.server import exchange
from bist_pipeline_tests.providers.conftest import PLAIN

WITH_ACTIONS = PLAIN.replace("Volume\n", "Volume,Dividends,Stock Splits\n").replace("00\n", "00,0.5,2\n")


SYMBOLS = ("ZZAAA", "ZZAAB")
NOON = datetime(2024, 6, 12, 9, 0, tzinfo=UTC)


class Leave:
    """A pacer that lets everything through."""

    def acquire(self, ask, deadline=None):
        return Lease("one", 0.0)

    def release(self, lease, ask, reply):
        """Nobody is told."""

    def retry_wait(self, attempt):
        return 0.0


@pytest.fixture(scope="module")
def running():
    """A simulated exchange at noon of a session, with a split and a dividend behind it."""
    events = [Split("ZZAAA", date(2024, 3, 5), 2.0), Dividend("ZZAAB", date(2024, 5, 7), 1.5)]
    market = invent_market(symbols=2, seed=3, first=date(2023, 6, 1), last=NOON.date(), events=events)
    with exchange(market, ExchangeClock(SystemClock(), NOON, running=False)) as started:
        yield started


def _archive(tmp_path, _running):
    (tmp_path / "THYAO.csv").write_text(PLAIN)
    (tmp_path / "AKBNK.IS.csv").write_text(WITH_ACTIONS)
    return Settings(bist_archive_dir=tmp_path)


def _second_archive(tmp_path, running):
    return Settings(bist_second_archive_dir=_archive(tmp_path, running).bist_archive_dir)


def _yahoo(tmp_path, running):
    return Settings(bist_home=tmp_path, yahoo_hosts=running.url, yahoo_requests_per_second=0)


# A provider without an entry here fails the suite: a new provider brings its settings.
SETTINGS = {
    "archive": _archive,
    "second_archive": _second_archive,
    **dict.fromkeys(("yahoo_chart", "yahoo_quote", "yahoo_spark", "yfinance"), _yahoo),
}
OF_HISTORY = sorted(name for name, spec in registered_providers().items() if spec.build)
LIVE = sorted(name for name, spec in registered_providers().items() if spec.build_live)


@pytest.fixture(params=OF_HISTORY)
def provider(request, tmp_path, running):
    settings = SETTINGS[request.param](tmp_path, running)
    return registered_providers()[request.param].build(settings, Services(Leave(), running.clock))


@pytest.fixture(params=LIVE)
def live(request, tmp_path, running):
    settings = SETTINGS[request.param](tmp_path, running)
    return registered_providers()[request.param].build_live(settings, Services(Leave(), running.clock))


def symbols_of(provider):
    return SYMBOLS if provider.symbols() is None else provider.symbols()


@pytest.fixture
def histories(provider):
    return [provider.history(symbol) for symbol in symbols_of(provider)]


def test_every_provider_tells_of_the_past_or_of_the_session_in_progress():
    assert {*OF_HISTORY, *LIVE} == {*registered_providers()} == {*SETTINGS}


def test_a_provider_bears_the_name_it_is_registered_under(provider):
    assert registered_providers()[provider.name].name == provider.name


def test_a_provider_states_for_whose_use_its_data_is(provider):
    assert registered_providers()[provider.name].terms


def test_symbols_are_sorted_and_unique(provider):
    assert list(symbols_of(provider)) == sorted(set(symbols_of(provider)))


def test_it_is_said_what_kind_of_market_it_is(provider):
    assert provider.market_kind() == ("real" if provider.family.endswith("archive") else "simulated")


def test_the_delay_is_not_negative(provider):
    assert provider.delay >= timedelta(0)


def test_bars_have_the_columns_and_types_of_the_contract(histories):
    for history in histories:
        assert tuple(history.bars.columns) == RAW_BAR_COLUMNS
        assert history.bars["session_date"].dtype == np.dtype("datetime64[us]")
        assert history.bars["source_row"].dtype == np.int64
        assert {str(history.bars[name].dtype) for name in RAW_BAR_COLUMNS[1:-1]} == {"float64"}


def test_actions_have_the_columns_and_types_of_the_contract(histories):
    for history in histories:
        assert tuple(history.actions.columns) == ACTION_COLUMNS
        assert history.actions["ex_date"].dtype == np.dtype("datetime64[us]")
        assert pd.api.types.is_string_dtype(history.actions["kind"])
        assert set(history.actions["kind"]) <= {"split", "dividend"}


def test_a_split_has_a_ratio_alone_and_a_dividend_an_amount_alone(histories):
    actions = pd.concat([history.actions for history in histories])
    is_split = actions["kind"] == "split"
    assert (actions["ratio"].notna() == is_split).all()
    assert (actions["amount_try"].notna() != is_split).all()


def test_session_dates_are_midnights(histories):
    for history in histories:
        assert (history.bars["session_date"] == history.bars["session_date"].dt.normalize()).all()


def test_a_history_says_where_it_is_from_and_when(provider, histories):
    for history in histories:
        assert history.source.startswith(f"{provider.name}:")
        assert history.as_of.utcoffset() == timedelta(0)
        assert re.fullmatch("[0-9a-f]{64}", history.payload_hash)


def test_what_was_recognised_can_be_stored_as_json(histories):
    assert all(json.loads(json.dumps(dict(history.recognised))) for history in histories)


def test_the_version_stands_still_as_long_as_the_history_does(provider):
    marks = [[provider.version(symbol) for symbol in symbols_of(provider)] for _ in range(2)]
    assert marks[0] == marks[1]
    assert all(marks[0])


def test_two_readings_are_equal(provider, histories):
    for history in histories:
        pd.testing.assert_frame_equal(provider.history(history.symbol).bars, history.bars, check_exact=True)


def test_an_unknown_symbol_is_a_permanent_failure_that_names_it(provider):
    with pytest.raises(UnknownSymbolError, match="NOSUCH"):
        provider.history("NOSUCH")


def test_a_provider_that_lists_its_symbols_has_no_version_of_another(provider):
    if provider.symbols() is not None:
        with pytest.raises(UnknownSymbolError, match="NOSUCH"):
            provider.version("NOSUCH")


def test_a_live_answer_has_the_columns_and_types_of_the_contract(live):
    answer = live.quotes([*SYMBOLS, "NOSUCH"], time.monotonic() + 60)
    quotes = answer.quotes
    assert tuple(quotes.columns) == QUOTE_COLUMNS
    assert sorted(quotes["symbol"]) == sorted(SYMBOLS)
    assert str(quotes["as_of"].dtype) == "datetime64[us, UTC]"
    assert {str(quotes[name].dtype) for name in QUOTE_COLUMNS if name.endswith(("_try", "_shares"))} == {"float64"}
    assert (quotes["as_of"] <= pd.Timestamp(NOON)).all()
    assert (quotes["last_try"] > 0).all()
    assert quotes["payload_hash"].str.fullmatch("[0-9a-f]{64}").all()
    assert (answer.silent, dict(answer.failed)) == (("NOSUCH",), {})
    assert quotes[["open_try", "high_try", "low_try"]].notna().all(axis=None) == answer.bars


def test_a_live_provider_bears_its_name_and_says_what_market_it_is_of(live):
    assert registered_providers()[live.name].name == live.name
    assert live.market_kind() == "simulated"


def test_after_the_deadline_a_live_provider_says_that_nothing_is_known(live):
    answer = live.quotes(list(SYMBOLS), time.monotonic() - 1)
    assert answer.quotes.empty
    assert sorted(answer.failed) == sorted(SYMBOLS)
    assert answer.silent == ()


def test_the_suite_saw_bars_and_actions(histories):
    assert list(chain.from_iterable(h.bars["close_raw"] for h in histories))
    assert any(len(h.actions) for h in histories)
