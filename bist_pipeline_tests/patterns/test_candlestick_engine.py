from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bist_pipeline.core.bars import Bars
from bist_pipeline.patterns.engine import detect_candlesticks
from bist_pipeline.patterns.registry import registered_candlesticks
from bist_pipeline_tests.market_maker import make_bar_frame, make_bars

SYMBOLS, SESSIONS = 4, 300
FRAME = make_bar_frame(SYMBOLS, SESSIONS, seed=5)
# One symbol was listed late, so that rows, sessions and symbols cannot be mistaken for each other.
FRAME = FRAME[(FRAME["symbol"] != "ZZAAB") | (FRAME["session_date"] >= pd.Timestamp("2021-12-01"))]
BARS = Bars.from_frame(FRAME)
WHOLE = detect_candlesticks(BARS)
TYPES = {
    "symbol": "str",
    "session_date": "datetime64[us]",
    "pattern": "str",
    "strength": "int64",
    "direction": "str",
    "trend_before": "str",
    "trend_slope_atr": "float64",
    "fits_trend": "boolean",
    "is_final": "bool",
}


def rows(frame: pd.DataFrame) -> list[Any]:
    return list(frame.itertuples())


def assert_same_rows(one: pd.DataFrame, two: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one.reset_index(drop=True), two, check_exact=True)


@pytest.mark.parametrize("since", [None, date(2021, 12, 1), date(2100, 1, 1)])
def test_column_types_do_not_depend_on_the_rows(since):
    assert detect_candlesticks(BARS, since).dtypes.astype(str).to_dict() == TYPES


def test_rows_are_unique_and_sorted_by_symbol_session_and_pattern():
    keys = ["symbol", "session_date", "pattern"]
    assert not WHOLE.duplicated(keys).any()
    pd.testing.assert_frame_equal(WHOLE, WHOLE.sort_values(keys, kind="stable"))
    assert isinstance(WHOLE.index, pd.RangeIndex)


def test_there_is_a_row_for_every_answer_that_is_not_zero():
    expected = {
        (bars.symbol, pd.Timestamp(bars.session_date[at]), part.name): int(answer[at])
        for bars in BARS
        for part in registered_candlesticks().values()
        for answer in [part.compute(bars.open, bars.high, bars.low, bars.close)]
        for at in np.flatnonzero(answer)
    }
    keys = zip(WHOLE["symbol"], WHOLE["session_date"], WHOLE["pattern"], strict=True)
    assert dict(zip(keys, WHOLE["strength"].tolist(), strict=True)) == expected


def test_direction_is_the_sign_unless_the_pattern_only_marks_a_shape():
    marks = WHOLE["pattern"].map({name: not part.directional for name, part in registered_candlesticks().items()})
    assert (WHOLE.loc[marks, "direction"] == "neutral").all()
    signed = np.where(WHOLE["strength"] > 0, "bullish", "bearish")
    assert (WHOLE["direction"] == signed)[~marks].all()


def slope_by_hand(frame: pd.DataFrame, last: int) -> float:
    """From the definition: line through ten closes, Wilder's mean of the true range, both ending at `last`."""
    high, low, close = (frame[f"{name}_try"].to_numpy() for name in ("high", "low", "close"))
    spread = [
        max(high[i], close[i - 1]) - min(low[i], close[i - 1]) for i in range(1, last + 1)
    ]  # spread[0] belongs to bar 1
    atr = float(np.mean(spread[:14]))
    for value in spread[14:]:
        atr += (value - atr) / 14
    return float(np.polyfit(np.arange(10), close[last - 9 : last + 1], 1)[0]) / atr


def test_the_trend_is_measured_at_the_bar_before_the_first_candle():
    parts = registered_candlesticks()
    for symbol in ("ZZAAA", "ZZAAB"):
        bars = FRAME[FRAME["symbol"] == symbol].reset_index(drop=True)
        position = {day: row for row, day in enumerate(bars["session_date"])}
        for event in rows(WHOLE[WHOLE["symbol"] == symbol]):
            part = parts[event.pattern]
            late = part.confirmed_within if abs(event.strength) == 200 else 0
            last = position[event.session_date] - part.bars - late
            if last < 14:
                assert np.isnan(event.trend_slope_atr)
            else:
                assert event.trend_slope_atr == pytest.approx(slope_by_hand(bars, last), rel=1e-9, abs=1e-12)


def test_the_trend_follows_from_the_slope_alone():
    slope = WHOLE["trend_slope_atr"]
    expected = pd.Series(np.select([slope >= 0.1, slope <= -0.1], ["up", "down"], "flat"), dtype="str")
    expected = expected.mask(slope.isna())
    pd.testing.assert_series_equal(WHOLE["trend_before"], expected, check_names=False)
    assert set(WHOLE["trend_before"].dropna()) == {"up", "down", "flat"}


def test_fits_trend_compares_with_what_the_textbook_presumes():
    parts = registered_candlesticks()
    for event in rows(WHOLE):
        position = {"bullish": 0, "bearish": 1}.get(event.direction)
        presumed = None if position is None else parts[event.pattern].presumes[position]
        if presumed is None or pd.isna(event.trend_before):
            assert pd.isna(event.fits_trend)
        else:
            assert event.fits_trend == (event.trend_before == presumed)


@given(days=st.integers(-5, 430))
@settings(max_examples=15, deadline=None)
def test_since_changes_no_row(days):
    since = date(2021, 1, 4) + timedelta(days=days)
    assert_same_rows(WHOLE[WHOLE["session_date"] >= pd.Timestamp(since)], detect_candlesticks(BARS, since))


@given(days=st.integers(1, 420))
@settings(max_examples=15, deadline=None)
def test_the_rows_of_a_session_do_not_depend_on_what_came_after(days):
    end = pd.Timestamp(2021, 1, 4) + pd.Timedelta(days=days)
    early = detect_candlesticks(Bars.from_frame(FRAME[FRAME["session_date"] < end]))
    assert_same_rows(WHOLE[WHOLE["session_date"] < end], early)


@pytest.mark.parametrize("symbol", ["ZZAAA", "ZZAAB", "ZZAAD"])
def test_a_symbol_gets_the_same_rows_alone_as_in_company(symbol):
    alone = detect_candlesticks(Bars.from_frame(FRAME[FRAME["symbol"] == symbol]))
    assert_same_rows(WHOLE[WHOLE["symbol"] == symbol], alone)


def test_the_first_bars_of_a_symbol_never_take_the_trend_of_the_symbol_before():
    market = make_bar_frame(300, 20, seed=2)
    events = detect_candlesticks(Bars.from_frame(market))
    early = events["session_date"] <= market["session_date"].iloc[14]
    assert early.sum() > 100
    assert events.loc[early, "trend_slope_atr"].isna().all()


@pytest.mark.parametrize("exponent", [-3, 8])
def test_a_change_of_the_price_unit_changes_no_row(exponent):
    prices = {name: FRAME[name] * 2.0**exponent for name in ("open_try", "high_try", "low_try", "close_try")}
    assert_same_rows(WHOLE, detect_candlesticks(Bars.from_frame(FRAME.assign(**prices))))


def test_a_share_that_stands_still_has_no_trend():
    day = make_bar_frame(1, 60, seed=1)
    still = dict.fromkeys(("open_try", "high_try", "low_try", "close_try"), 5.0)
    events = detect_candlesticks(Bars.from_frame(day.assign(**still, volume_shares=0.0)))
    assert set(events["pattern"]) == {"doji"}
    assert events["trend_before"].isna().all()


def test_a_long_halt_fades_to_no_trend_rather_than_to_rounding():
    frame = make_bar_frame(1, 700, seed=1)
    halted = frame.index >= 200
    prices = ("open_try", "high_try", "low_try", "close_try")
    frame.loc[halted, list(prices)] = frame["close_try"].iloc[199]
    events = detect_candlesticks(Bars.from_frame(frame))
    late = events[events["session_date"] >= frame["session_date"].iloc[215]]
    assert set(late["trend_before"].dropna()) <= {"flat"}


def test_a_pattern_on_a_forming_bar_says_so():
    frame = FRAME.assign(is_final=FRAME["session_date"] < FRAME["session_date"].max())
    events = detect_candlesticks(Bars.from_frame(frame))
    last = events["session_date"] == frame["session_date"].max()
    assert last.any()
    assert (events["is_final"] == ~last).all()


@pytest.mark.parametrize(("symbols", "sessions"), [(0, 0), (2, 0), (2, 1), (2, 2)])
def test_few_bars_give_no_error(symbols, sessions):
    events = detect_candlesticks(make_bars(symbols, sessions))
    assert list(events.columns) == list(TYPES)


def test_the_bars_are_left_alone():
    before = BARS.frame.copy(deep=True)
    detect_candlesticks(BARS)
    pd.testing.assert_frame_equal(BARS.frame, before)
