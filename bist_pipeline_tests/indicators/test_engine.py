from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bist_pipeline.core.bars import Bars
from bist_pipeline.core.errors import ContractError
from bist_pipeline.indicators import engine
from bist_pipeline.indicators.engine import KEY_COLUMNS, compute_indicators
from bist_pipeline.indicators.registry import indicator_columns, registered_indicators
from bist_pipeline_tests.market_maker import make_bar_frame

SYMBOLS, SESSIONS = 4, 300
FRAME = make_bar_frame(SYMBOLS, SESSIONS, seed=5)
# One symbol was listed late, so that rows, sessions and symbols cannot be mistaken for each other.
FRAME = FRAME[(FRAME["symbol"] != "ZZAAB") | (FRAME["session_date"] >= pd.Timestamp("2021-12-01"))]
BARS = Bars.from_frame(FRAME)
WHOLE = compute_indicators(BARS)
NAMES = [column.name for column in indicator_columns()]


def assert_same_bits(one: pd.DataFrame, two: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one.reset_index(drop=True)[list(KEY_COLUMNS)], two[list(KEY_COLUMNS)])
    assert one[NAMES].to_numpy().tobytes() == two[NAMES].to_numpy().tobytes()


def test_a_row_per_bar_in_the_order_of_the_bars():
    assert list(WHOLE.columns) == [*KEY_COLUMNS, *NAMES]
    keys = BARS.frame[["symbol", "session_date", "is_final"]]
    pd.testing.assert_frame_equal(WHOLE[["symbol", "session_date", "is_final"]], keys)
    assert isinstance(WHOLE.index, pd.RangeIndex)


@pytest.mark.parametrize("since", [None, date(2021, 12, 1), date(2100, 1, 1)])
def test_column_types_do_not_depend_on_the_rows(since):
    frame = compute_indicators(BARS, since)
    assert frame["session_date"].dtype == "datetime64[us]"
    assert frame["is_final"].dtype == bool
    assert frame["symbol"].dtype == BARS.frame["symbol"].dtype
    assert set(frame[NAMES].dtypes) == {np.dtype(np.float64)}


@pytest.mark.parametrize("column", ["sma_20", "rsi_14", "obv", "low_252_distance"])
def test_values_stand_in_the_row_of_their_bar(column):
    indicator = next(p for p in registered_indicators().values() if column in [c.name for c in p.columns])
    position = [c.name for c in indicator.columns].index(column)
    for bars in BARS:
        got = WHOLE.loc[WHOLE["symbol"] == bars.symbol, column].to_numpy()
        expected = indicator.compute(*(getattr(bars, name) for name in indicator.inputs))[position]
        np.testing.assert_array_equal(got, expected)


@given(days=st.integers(-5, 430))
@settings(max_examples=20, deadline=None)
def test_since_hands_back_the_same_bits_and_only_later_sessions(days):
    since = date(2021, 1, 4) + timedelta(days=days)
    expected = WHOLE[WHOLE["session_date"] >= pd.Timestamp(since)]
    assert_same_bits(expected, compute_indicators(BARS, since))


@given(days=st.integers(1, 420))
@settings(max_examples=15, deadline=None)
def test_the_rows_of_a_session_do_not_depend_on_what_came_after(days):
    end = pd.Timestamp(2021, 1, 4) + pd.Timedelta(days=days)
    early = compute_indicators(Bars.from_frame(FRAME[FRAME["session_date"] < end]))
    assert_same_bits(WHOLE[WHOLE["session_date"] < end], early)


@pytest.mark.parametrize("symbol", ["ZZAAA", "ZZAAB", "ZZAAD"])
def test_a_symbol_gets_the_same_bits_alone_as_in_company(symbol):
    alone = compute_indicators(Bars.from_frame(FRAME[FRAME["symbol"] == symbol]))
    assert_same_bits(WHOLE[WHOLE["symbol"] == symbol], alone)


def test_a_forming_bar_says_so():
    frame = FRAME.assign(is_final=FRAME["session_date"] < FRAME["session_date"].max())
    last = compute_indicators(Bars.from_frame(frame), since=frame["session_date"].max().date())
    assert len(last) == SYMBOLS
    assert not last["is_final"].any()


@pytest.mark.parametrize("sessions", [0, 1, 2])
def test_few_bars_give_as_few_rows(sessions):
    frame = compute_indicators(Bars.from_frame(make_bar_frame(2, sessions)))
    assert len(frame) == 2 * sessions
    assert frame["sma_5"].isna().all()


def test_columns_are_contiguous_so_that_arrow_and_copy_take_them_as_they_are():
    columns = [WHOLE[name].to_numpy() for name in NAMES]
    assert all(column.flags.c_contiguous for column in columns)
    gaps = {two.ctypes.data - one.ctypes.data for one, two in pairwise(columns)}
    assert gaps == {len(WHOLE) * 8}  # one block, a row per column


def test_the_bars_are_left_alone():
    before = BARS.frame.copy(deep=True)
    compute_indicators(BARS)
    pd.testing.assert_frame_equal(BARS.frame, before)


def test_an_answer_of_the_wrong_shape_is_refused_with_names():
    short = replace(registered_indicators()["rsi"], compute=lambda close: (close[1:],))
    with pytest.raises(ContractError, match=r"'rsi' on ZZAAA.*300 bars"):
        list(engine._answers((short,), next(iter(BARS))))
