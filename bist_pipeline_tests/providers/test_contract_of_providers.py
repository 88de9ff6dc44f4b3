"""What every registered provider keeps, whatever it reads."""

import json
import re
from datetime import timedelta
from itertools import chain

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.errors import UnknownSymbolError
from bist_pipeline.providers.contract import ACTION_COLUMNS, RAW_BAR_COLUMNS
from bist_pipeline.providers.registry import registered_providers
from bist_pipeline.settings import Settings
from bist_pipeline_tests.providers.conftest import PLAIN

WITH_ACTIONS = PLAIN.replace("Volume\n", "Volume,Dividends,Stock Splits\n").replace("00\n", "00,0.5,2\n")


def _archive(tmp_path):
    (tmp_path / "THYAO.csv").write_text(PLAIN)
    (tmp_path / "AKBNK.IS.csv").write_text(WITH_ACTIONS)
    return Settings(bist_archive_dir=tmp_path)


# A provider without an entry here fails the suite: a new provider brings its settings.
SETTINGS = {"archive": _archive}


@pytest.fixture(params=sorted(registered_providers()))
def provider(request, tmp_path):
    return registered_providers()[request.param].build(SETTINGS[request.param](tmp_path))


@pytest.fixture
def histories(provider):
    return [provider.history(symbol) for symbol in provider.symbols()]


def test_a_provider_bears_the_name_it_is_registered_under(provider):
    assert registered_providers()[provider.name].name == provider.name


def test_a_provider_states_for_whose_use_its_data_is(provider):
    assert registered_providers()[provider.name].terms


def test_symbols_are_sorted_and_unique(provider):
    assert list(provider.symbols()) == sorted(set(provider.symbols()))


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
    assert [provider.version(s) for s in provider.symbols()] == [provider.version(s) for s in provider.symbols()]


def test_two_readings_are_equal(provider, histories):
    for history in histories:
        pd.testing.assert_frame_equal(provider.history(history.symbol).bars, history.bars, check_exact=True)


@pytest.mark.parametrize("ask", ["history", "version"])
def test_an_unknown_symbol_is_a_permanent_failure_that_names_it(provider, ask):
    with pytest.raises(UnknownSymbolError, match="NOSUCH"):
        getattr(provider, ask)("NOSUCH")


def test_the_suite_saw_bars_and_actions(histories):
    assert list(chain.from_iterable(h.bars["close_raw"] for h in histories))
    assert any(len(h.actions) for h in histories)
