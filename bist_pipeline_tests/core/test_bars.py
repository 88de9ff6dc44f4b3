import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bist_pipeline.core.bars import BAR_COLUMNS, Bars


def frame(keys=(("AKBNK", "2024-01-02"), ("AKBNK", "2024-01-03"), ("THYAO", "2024-01-02")), **changes):
    count = len(keys)
    columns = {
        "symbol": pd.Series([symbol for symbol, _ in keys], dtype="str"),
        "session_date": pd.to_datetime([day for _, day in keys]),
        "open_try": np.arange(count) + 10.0,
        "high_try": np.arange(count) + 12.0,
        "low_try": np.arange(count) + 9.0,
        "close_try": np.arange(count) + 11.0,
        "volume_shares": np.arange(count) + 100,
        "is_final": [True] * count,
    }
    return pd.DataFrame({**columns, **changes})


def test_each_symbol_yields_its_bars_in_session_order():
    bars = Bars.from_frame(frame().iloc[::-1].assign(extra=1))
    assert len(bars) == 3
    assert bars.offsets.tolist() == [0, 2, 3]
    assert list(bars.frame.columns) == list(BAR_COLUMNS)
    first, second = bars
    assert (first.symbol, len(first), second.symbol, len(second)) == ("AKBNK", 2, "THYAO", 1)
    assert first.session_date.tolist() == np.array(["2024-01-02", "2024-01-03"], "datetime64[D]").tolist()
    assert first.open.tolist() == [10.0, 11.0]
    assert first.high.tolist() == [12.0, 13.0]
    assert first.low.tolist() == [9.0, 10.0]
    assert first.close.tolist() == [11.0, 12.0]
    assert first.volume.tolist() == [100.0, 101.0]
    assert first.volume.dtype == np.float64
    assert first.is_final.dtype == np.bool_


def test_the_first_bars_of_a_symbol_are_cut_from_every_array():
    cut = next(iter(Bars.from_frame(frame()))).until(1)
    assert cut.symbol == "AKBNK"
    for name in ("session_date", "open", "high", "low", "close", "volume", "is_final"):
        assert len(getattr(cut, name)) == 1


def test_bars_are_views_without_a_copy():
    first = next(iter(bars := Bars.from_frame(frame())))
    again = next(iter(bars))
    assert np.shares_memory(first.close, again.close)


def test_no_bars_are_no_symbols():
    bars = Bars.from_frame(frame().iloc[:0])
    assert len(bars) == 0
    assert list(bars) == []
    assert bars.offsets.tolist() == [0]


@pytest.mark.parametrize("column", ["open_try", "high_try", "low_try", "close_try", "volume_shares"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_refused_naming_the_bar(column, value):
    with pytest.raises(ValueError, match="bar of AKBNK on 2024-01-03 holds a number that is not finite"):
        Bars.from_frame(frame(**{column: [1.0, value, 1.0]}))


def test_a_symbol_session_that_occurs_twice_is_refused():
    with pytest.raises(ValueError, match="bar of AKBNK on 2024-01-02 occurs twice"):
        Bars.from_frame(frame([("AKBNK", "2024-01-02"), ("THYAO", "2024-01-02"), ("AKBNK", "2024-01-02")]))


def test_two_moments_of_one_session_are_refused():
    moments = pd.to_datetime(["2024-01-02 00:00", "2024-01-02 18:00", "2024-01-02 00:00"])
    with pytest.raises(ValueError, match="bar of AKBNK on 2024-01-02 has a time of day"):
        Bars.from_frame(frame(session_date=moments))


def test_a_moment_with_a_zone_is_refused_because_its_utc_date_is_another_session():
    sessions = pd.to_datetime(["2024-01-02", "2024-01-03", "2024-01-02"]).tz_localize("Europe/Istanbul")
    with pytest.raises(ValueError, match="has a time zone"):
        Bars.from_frame(frame(session_date=sessions))


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("symbol", ["AKBNK", None, "THYAO"]),
        ("session_date", pd.to_datetime(["2024-01-02", None, "2024-01-02"])),
        ("is_final", [True, None, True]),
    ],
)
def test_a_missing_key_or_flag_is_refused(column, values):
    with pytest.raises(ValueError, match="lacks a key or its flag"):
        Bars.from_frame(frame(**{column: values}))


@given(st.sets(st.tuples(st.sampled_from(["AKBNK", "SISE", "THYAO"]), st.dates()), max_size=20), st.randoms())
def test_whatever_the_order_every_bar_comes_back_once_under_its_symbol(keys, random):
    legal = [(symbol, day) for symbol, day in keys if 1700 < day.year < 2200]
    random.shuffle(legal)
    bars = Bars.from_frame(frame([(symbol, day.isoformat()) for symbol, day in legal]))
    returned = [(one.symbol, day) for one in bars for day in one.session_date.tolist()]
    assert returned == sorted(legal)
