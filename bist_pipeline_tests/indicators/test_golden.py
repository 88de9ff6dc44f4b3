"""The numbers themselves: against a second implementation, and against arithmetic done by hand."""

from collections.abc import Sequence

import numpy as np
import pytest

from bist_pipeline.indicators.registry import registered_indicators
from bist_pipeline_tests.indicators.reference import REFERENCES
from bist_pipeline_tests.market_maker import make_bars

MARKET = list(make_bars(2, 420, seed=3)) + list(make_bars(1, 420, seed=4))


def compute(name: str, **arrays: Sequence[float]) -> tuple[np.ndarray, ...]:
    return registered_indicators()[name].compute(*(np.array(values, dtype=np.float64) for values in arrays.values()))


def test_every_indicator_has_a_second_implementation():
    assert set(REFERENCES) == set(registered_indicators())


@pytest.mark.parametrize("name", sorted(REFERENCES))
def test_values_agree_with_the_second_implementation(name):
    """To 1e-9 of the column's largest value from the first value on: seeds included, nothing left to fade."""
    indicator = registered_indicators()[name]
    for bars in MARKET:
        answer = indicator.compute(*(getattr(bars, field) for field in indicator.inputs))
        expected = REFERENCES[name](bars.open, bars.high, bars.low, bars.close, bars.volume)
        for column, got, wanted in zip(indicator.columns, answer, expected, strict=True):
            tolerance = 1e-9 * np.nanmax(np.abs(wanted))
            np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance, equal_nan=True, err_msg=column.name)


def test_a_simple_mean_of_five_by_hand():
    five, *_ = compute("sma", close=[1, 2, 3, 4, 5, 11])
    np.testing.assert_array_equal(five, [np.nan] * 4 + [3, 5])


def test_an_exponential_mean_of_five_by_hand():
    five, *_ = compute("ema", close=[1, 2, 3, 4, 5, 9, 3])
    np.testing.assert_allclose(five, [np.nan] * 4 + [3, 5, 5 - 2 / 3])


def test_wilders_own_relative_strength():
    # Fourteen changes: ten rises of 1, four falls of 1; then a fall of 1.
    close = np.cumsum([50, *[1] * 10, *[-1] * 4, -1])
    (rsi,) = compute("rsi", close=close.tolist())
    rise, fall = 10 / 14 * 13 / 14, (4 / 14 * 13 + 1) / 14
    np.testing.assert_allclose(rsi[14:], [100 * 10 / 14, 100 * rise / (rise + fall)])


def test_relative_strength_of_a_steady_rise_is_100_and_of_a_steady_fall_0():
    assert compute("rsi", close=list(range(1, 40)))[0][-1] == 100
    assert compute("rsi", close=list(range(40, 1, -1)))[0][-1] == 0


def test_average_true_range_counts_the_gap():
    # Bars of height 1 that gap up by 2 each session: true range 1 + 2 from the close in the middle, less 0.5.
    low = np.arange(20) * 3.0
    (atr,) = compute("atr", high=(low + 1).tolist(), low=low.tolist(), close=(low + 0.5).tolist())
    np.testing.assert_allclose(atr[14:], 3.5)


def test_on_balance_volume_by_hand():
    (obv,) = compute("obv", close=[10, 11, 11, 9, 10], volume=[100, 10, 20, 30, 40])
    np.testing.assert_array_equal(obv, [100, 110, 110, 80, 120])


def test_accumulation_by_hand():
    # Close at the high, at the low, in the middle, a bar without height.
    (ad,) = compute("ad", high=[12, 12, 12, 11], low=[10, 10, 10, 11], close=[12, 10, 11, 11], volume=[5, 7, 9, 11])
    np.testing.assert_array_equal(ad, [5, -2, -2, -2])


def test_money_flow_is_one_when_every_close_is_the_high():
    bars = {"high": [2.0] * 25, "low": [1.0] * 25, "close": [2.0] * 25, "volume": [3.0] * 25}
    np.testing.assert_array_equal(compute("cmf", **bars)[0][19:], 1)


def test_channels_take_in_todays_bar():
    upper, middle, lower = compute("donchian", high=[*range(1, 20), 100], low=[*range(0, 19), -50])
    assert (upper[-1], middle[-1], lower[-1]) == (100, 25, -50)


def test_bands_use_the_population_deviation():
    upper, middle, lower = compute("bbands", close=[1, 3] * 10)  # deviation 1 with divisor n, 1.026 with n − 1
    np.testing.assert_allclose([upper[-1], middle[-1], lower[-1]], [4, 2, 0])


def test_aroon_counts_sessions_since_the_extreme():
    high = [*range(1, 21), *[5] * 6]  # the high of 26 bars came 6 sessions ago
    up, down = compute("aroon", high=high, low=[value - 1 for value in high])
    assert up[-1] == pytest.approx(100 * (25 - 6) / 25)
    assert down[-1] == pytest.approx(0)


def test_distances_from_the_extremes_of_a_year():
    close = np.full(253, 80.0)
    high, low = close.copy(), close.copy()
    high[0], high[1], low[2] = 1000.0, 100.0, 64.0  # the first bar has left the window of 252
    distance_high, distance_low = compute("range_252", high=high.tolist(), low=low.tolist(), close=close.tolist())
    assert distance_high[-1] == pytest.approx(-0.2)
    assert distance_low[-1] == pytest.approx(0.25)
    assert distance_high[251] == pytest.approx(-0.92)


def test_relative_volume_compares_with_the_sessions_before():
    (rvol,) = compute("rvol", volume=[10.0] * 20 + [30.0])
    assert rvol[-1] == pytest.approx(3)


def test_percent_rank_counts_only_lower_closes():
    (rank,) = compute("percentrank", close=[*[1.0] * 30, *[2.0] * 30, *[3.0] * 40, 2.0])
    assert rank[-1] == 30
