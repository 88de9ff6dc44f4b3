"""Computing each row in its own session's shares and money: the arithmetic, without a database."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bist_pipeline.core.bars import PRICE_COLUMNS, Bars
from bist_pipeline.core.calendar import ORIGIN
from bist_pipeline.indicators.engine import compute_indicators
from bist_pipeline.pipeline.point_in_time import PointInTime
from bist_pipeline.pipeline.traded import detect_traded
from bist_pipeline_tests.market_maker import make_bars
from bist_pipeline_tests.pipeline.sites import assert_same_bits

UNITLESS = ("rsi_14", "stoch_k_14_3_3", "roc_10", "mfi_14", "adx_14", "willr_14", "natr_14")


def factors_of(*known):
    """Ex-date, price factor and share ratio of each action."""
    return pd.DataFrame(known, columns=["ex_date", "price_factor", "share_ratio"])


def split_of(day, ratio):
    """Ex-date and factors of a split."""
    return day, 1 / ratio, ratio


def moved(bars, row, price, shares):
    """The first symbol as if an action had been at a row, at constant value."""
    frame = bars.frame.copy()
    later = (frame["symbol"] == "ZZAAA") & (frame.groupby("symbol").cumcount() >= row)
    frame.loc[later, list(PRICE_COLUMNS)] *= price
    frame.loc[later, "volume_shares"] *= shares
    return Bars(frame), PointInTime({"ZZAAA": factors_of((frame["session_date"].iloc[row], price, shares))})


@pytest.mark.parametrize(
    ("price", "shares"), [(0.5, 2.0), (0.9, 1.0), (18.5 / 60, 3.0)], ids=["split", "dividend", "all at once"]
)
def test_an_action_at_constant_value_is_seen_in_no_indicator_that_has_no_unit(price, shares):
    bars = make_bars(2, 120)
    acted, known = moved(bars, 80, price, shares)
    plain, kept = compute_indicators(bars), known.compute(compute_indicators, acted, ORIGIN)
    naive = compute_indicators(acted)
    for name in UNITLESS:
        if name == "mfi_14" and shares != 1 / price:
            continue  # money flow counts lira: what was paid out, or paid in, is gone from it
        np.testing.assert_allclose(kept[name], plain[name], rtol=1e-9, atol=1e-9, equal_nan=True, err_msg=name)
        assert not np.allclose(naive[name], plain[name], rtol=1e-3, equal_nan=True), f"{name} is blind to actions"


def test_a_dividend_gap_is_no_breakdown():
    """A share that only rises pays 8 % out: its strength stays what it is, though the price fell that day."""
    bars = make_bars(1, 60)
    rising = 50.0 * 1.002 ** np.arange(60)
    rising[40:] *= 0.92
    frame = bars.frame.assign(**dict.fromkeys(PRICE_COLUMNS, rising))
    day = frame["session_date"].iloc[40]
    naive = compute_indicators(Bars(frame))["rsi_14"]
    kept = PointInTime({"ZZAAA": factors_of((day, 0.92, 1.0))}).compute(compute_indicators, Bars(frame), ORIGIN)
    assert naive.iloc[40] < 30
    assert kept["rsi_14"].iloc[14:].min() > 99.999


def test_bonus_rights_and_dividend_of_one_day_by_hand():
    # (20 + 0.5 × 1 − 2) / (1 + 0.5 + 1.5) = 18.5 / 3 on the ex-date; three shares of one.
    frame = make_bars(1, 4).frame.assign(
        **dict.fromkeys(PRICE_COLUMNS, (10.0, 20.0, 6.2, 6.3)), volume_shares=[300.0, 600.0, 900.0, 1200.0]
    )
    factors = factors_of((frame["session_date"].iloc[2], 18.5 / 60, 3.0))
    seen = []
    PointInTime({"ZZAAA": factors}).compute(lambda bars, _: seen.append(bars.frame) or bars.frame, Bars(frame), ORIGIN)
    first, second = (rows for _, rows in seen[0].groupby("symbol"))
    assert first["close_try"].tolist() == [10.0, 20.0]
    assert first["volume_shares"].tolist() == [300.0, 600.0]
    assert second["close_try"].tolist() == pytest.approx([18.5 / 6, 18.5 / 3, 6.2, 6.3], rel=1e-15)
    assert second["close_try"].tolist()[2:] == [6.2, 6.3]
    assert second["volume_shares"].tolist() == [900.0, 1800.0, 900.0, 1200.0]


def test_without_an_action_the_bars_are_handed_on_as_they_are():
    bars, seen = make_bars(2, 30), []
    elsewhere = factors_of(split_of(pd.Timestamp("2000-01-03"), 2.0), split_of(pd.Timestamp("2030-01-03"), 2.0))
    for known in (PointInTime(), PointInTime({"ZZAAA": elsewhere, "OTHER": elsewhere})):
        known.compute(lambda one, since: seen.append((one, since)) or one.frame, bars, ORIGIN)
    assert all(one is bars and since == ORIGIN for one, since in seen)
    assert len(seen) == 2


@pytest.mark.parametrize(("since", "rows"), [(0, 10 + 30), (9, 10 + 30), (10, 30), (29, 30)])
def test_a_span_in_the_last_segment_takes_one_pass(since, rows):
    bars, lengths = make_bars(1, 30), []
    days = bars.frame["session_date"]
    known = PointInTime({"ZZAAA": factors_of((days.iloc[10], 0.97, 1.0))})
    known.compute(lambda one, first: lengths.append(len(one)) or one.frame, bars, days.iloc[since].date())
    assert lengths == [rows]


def test_an_action_between_two_bars_belongs_to_the_later_one_and_two_at_once_multiply():
    bars = Bars(make_bars(1, 12).frame.drop(index=[5, 6]).reset_index(drop=True))
    days = make_bars(1, 12).frame["session_date"]
    known = PointInTime({"ZZAAA": factors_of((days[5], 0.5, 2.0), (days[6], 0.75, 1.0))})
    closes = known.compute(lambda one, _: last_of_each(one), bars, ORIGIN)
    first = bars.frame["close_try"].iloc[0]
    assert closes["first_close"].tolist() == [first, first * 0.375]


def last_of_each(bars):
    """The last bar of each series, and what it makes of the first close."""
    first, last = bars.frame.groupby("symbol").head(1), bars.frame.groupby("symbol").tail(1)
    return last[["symbol", "session_date"]].assign(first_close=first["close_try"].to_numpy())


KNOWN = [(40, 0.5, 2.0), (55, 0.96, 1.0), (70, 1 / 1.5, 1.5), (72, 0.98, 1.0), (90, 4.0, 0.25)]


def known_until(days, end):
    rows = [(days[row], price, shares) for row, price, shares in KNOWN if row < end]
    return PointInTime({"ZZAAA": factors_of(*rows)})


@pytest.mark.parametrize("function", [compute_indicators, detect_traded])
def test_what_comes_after_a_session_changes_no_row_of_it(function):
    bars, days = make_bars(2, 100), make_bars(1, 100).frame["session_date"]
    whole = known_until(days, 100).compute(function, bars, ORIGIN)
    for end in (30, 41, 56, 69, 71, 73, 89, 95):
        prefix = Bars(bars.frame[bars.frame["session_date"] < days[end]].reset_index(drop=True))
        early = known_until(days, end).compute(function, prefix, ORIGIN)
        assert_same_bits(early, whole[whole["session_date"] < days[end]].reset_index(drop=True), str(end))


@settings(max_examples=20, deadline=None)
@given(
    since=st.integers(0, 99),
    most=st.sampled_from([1, 60, 150, 10**6]),
    function=st.sampled_from([compute_indicators, detect_traded]),
)
def test_any_span_in_any_portions_gives_the_rows_of_the_whole(since, most, function):
    bars, days = make_bars(3, 100), make_bars(1, 100).frame["session_date"]
    factors = known_until(days, 100).factors["ZZAAA"]
    known = {"ZZAAA": factors, "ZZAAC": factors.iloc[1:4]}
    whole = PointInTime(known).compute(function, bars, ORIGIN)
    part = PointInTime(known, series_rows=most).compute(function, bars, days[since].date())
    assert_same_bits(part, whole[whole["session_date"] >= days[since]].reset_index(drop=True))
    assert part.dtypes.to_dict() == whole.dtypes.to_dict()


def test_no_portion_is_larger_than_asked_but_by_one_series():
    bars, days, lengths = make_bars(3, 100), make_bars(1, 100).frame["session_date"], []
    known = PointInTime({"ZZAAB": known_until(days, 100).factors["ZZAAA"]}, series_rows=150)
    known.compute(lambda one, _: lengths.append(len(one)) or one.frame, bars, ORIGIN)
    # 100 of the first symbol; 40, 55, 70, 72, 90 and 100 of the second; 100 of the third.
    assert lengths == [140, 125, 72, 90, 100, 100]


def test_symbols_keep_their_order_and_type_around_one_with_actions():
    bars, days = make_bars(3, 40), make_bars(1, 40).frame["session_date"]
    known = PointInTime({"ZZAAB": factors_of((days[20], 0.5, 2.0))})
    answer = known.compute(compute_indicators, bars, days[10].date())
    plain = compute_indicators(bars, days[10].date())
    for name in ("symbol", "session_date"):
        assert answer[name].tolist() == plain[name].tolist()
    others = plain["symbol"] != "ZZAAB"
    assert_same_bits(answer[others].astype({"symbol": object}), plain[others].astype({"symbol": object}))
