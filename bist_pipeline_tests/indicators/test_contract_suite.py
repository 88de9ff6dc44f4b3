"""What every indicator must keep, whatever it computes.

Belongs here: properties checked over the whole registry; a new indicator is tested by existing. Its numbers are
checked in `test_golden.py`.
"""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bist_pipeline.core.bars import SymbolBars
from bist_pipeline.indicators.contract import Indicator
from bist_pipeline.indicators.registry import indicator_columns, registered_indicators
from bist_pipeline_tests.market_maker import make_bars

SESSIONS = 420
MARKET = {bars.symbol: bars for bars in make_bars(3, SESSIONS, seed=11)}
BARS = next(iter(MARKET.values()))
PRICES = ("open", "high", "low", "close")

every_indicator = pytest.mark.parametrize("indicator", registered_indicators().values(), ids=lambda part: part.name)

# How a value grows when all prices, or all volumes, are multiplied by one factor.
DEGREES = {
    "try": (1, 0),
    "try_per_session": (1, 0),
    "try_shares": (1, 1),
    "shares": (0, 1),
    "percent": (0, 0),
    "ratio": (0, 0),
    "index": (0, 0),
    "direction": (0, 0),
}

BOUNDS = {
    "rsi_14": (0, 100),
    "stoch_k_14_3_3": (0, 100),
    "stoch_d_14_3_3": (0, 100),
    "willr_14": (-100, 0),
    "ultosc_7_14_28": (0, 100),
    "tsi_25_13": (-100, 100),
    "mfi_14": (0, 100),
    "cmf_20": (-1, 1),
    "adx_14": (0, 100),
    "plus_di_14": (0, 100),
    "minus_di_14": (0, 100),
    "aroon_up_25": (0, 100),
    "aroon_down_25": (0, 100),
    "percentrank_100": (0, 100),
    "supertrend_direction_10_3": (-1, 1),
    "high_252_distance": (-1, 0),
    "low_252_distance": (0, np.inf),
    "atr_14": (0, np.inf),
    "natr_14": (0, np.inf),
    "stddev_20": (0, np.inf),
    "rvol_20": (0, np.inf),
}


def inputs_of(indicator: Indicator, bars: SymbolBars) -> dict[str, np.ndarray]:
    return {name: getattr(bars, name) for name in indicator.inputs}


def run(indicator: Indicator, arrays: dict[str, np.ndarray]) -> tuple[np.ndarray, ...]:
    return indicator.compute(*(arrays[name] for name in indicator.inputs))


def hostile_markets() -> dict[str, dict[str, np.ndarray]]:
    """Markets that make denominators vanish."""
    ordinary = {name: getattr(BARS, name).copy() for name in (*PRICES, "volume")}
    constant = dict.fromkeys(PRICES, np.full(SESSIONS, 12.34))
    silent = {"volume": np.zeros(SESSIONS)}
    halted = {name: values.copy() for name, values in ordinary.items()}
    for name in PRICES:
        halted[name][300:380] = ordinary["close"][299]
    halted["volume"][300:380] = 0
    fractional = {**halted, "volume": halted["volume"] * np.pi}
    untraded = {**ordinary, "volume": fractional["volume"]}
    tiny = {**ordinary, **{name: ordinary[name] * 1e-6 for name in PRICES}}
    huge = {name: values * 1e6 for name, values in ordinary.items()}
    return {
        "constant prices": {**ordinary, **constant},
        "no volume": {**ordinary, **silent},
        "constant prices without volume": {**constant, **silent},
        "a long halt": halted,
        "a long halt after fractional volumes": fractional,
        "prices that move without volume after fractional volumes": untraded,
        "prices of millionths": tiny,
        "prices and volumes of millions": huge,
    }


HOSTILE = hostile_markets()
HOSTILE_SILENCES = (
    "a long halt",
    "a long halt after fractional volumes",
    "prices that move without volume after fractional volumes",
)
every_hostile_market = pytest.mark.parametrize("market", HOSTILE)


@every_indicator
@pytest.mark.parametrize("length", [0, 1, 2, 3, 14, 20, 34, 100, 251, 252, 253, SESSIONS])
def test_values_start_exactly_after_the_declared_warm_up(indicator, length):
    answer = run(indicator, inputs_of(indicator, BARS.until(length)))
    assert len(answer) == len(indicator.columns)
    for column, values in zip(indicator.columns, answer, strict=True):
        assert values.shape == (length,)
        assert values.dtype == np.float64
        expected = np.arange(length) < column.warm_up
        np.testing.assert_array_equal(np.isnan(values), expected, err_msg=column.name)


@every_indicator
def test_the_first_value_needs_one_bar_more_than_the_warm_up(indicator):
    for position, column in enumerate(indicator.columns):
        before = run(indicator, inputs_of(indicator, BARS.until(column.warm_up)))[position]
        after = run(indicator, inputs_of(indicator, BARS.until(column.warm_up + 1)))[position]
        assert np.isnan(before).all()
        assert np.isfinite(after[-1])


@every_indicator
@given(cut=st.integers(0, SESSIONS), symbol=st.sampled_from(sorted(MARKET)))
@settings(max_examples=15, deadline=None)
def test_a_prefix_of_the_bars_gives_a_prefix_of_the_values_bit_for_bit(indicator, cut, symbol):
    bars = MARKET[symbol]
    whole = run(indicator, inputs_of(indicator, bars))
    part = run(indicator, inputs_of(indicator, bars.until(cut)))
    for long, short in zip(whole, part, strict=True):
        assert long[:cut].tobytes() == short.tobytes()


@every_indicator
@given(cut=st.integers(1, SESSIONS - 1), factor=st.floats(0.01, 100), seed=st.integers(0, 9))
@settings(max_examples=10, deadline=None)
def test_another_future_never_changes_the_past(indicator, cut, factor, seed):
    arrays = inputs_of(indicator, BARS)
    noise = np.random.default_rng(seed).uniform(0.5, 1.5, SESSIONS - cut)
    other = {name: np.concatenate([values[:cut], values[cut:] * factor * noise]) for name, values in arrays.items()}
    for one, two in zip(run(indicator, arrays), run(indicator, other), strict=True):
        assert one[:cut].tobytes() == two[:cut].tobytes()


@every_indicator
def test_inputs_are_left_alone(indicator):
    arrays = inputs_of(indicator, BARS)
    before = {name: values.copy() for name, values in arrays.items()}
    run(indicator, arrays)
    for name, values in arrays.items():
        np.testing.assert_array_equal(values, before[name])


@every_indicator
@every_hostile_market
def test_no_market_gives_an_infinite_or_an_undeclared_missing_value(indicator, market):
    for column, values in zip(indicator.columns, run(indicator, HOSTILE[market]), strict=True):
        assert not np.isinf(values).any(), column.name
        assert np.isnan(values[: column.warm_up]).all(), column.name
        if column.undefined_when is None:
            assert np.isfinite(values[column.warm_up :]).all(), column.name


@every_indicator
@every_hostile_market
def test_bounded_values_stay_in_their_bounds(indicator, market):
    for column, values in zip(indicator.columns, run(indicator, HOSTILE[market]), strict=True):
        low, high = BOUNDS.get(column.name, (-np.inf, np.inf))
        known = values[~np.isnan(values)]
        assert (known >= low - 1e-9).all(), column.name
        assert (known <= high + 1e-9).all(), column.name


@every_indicator
@pytest.mark.parametrize("exponent", [-4, 3, 10])
@pytest.mark.parametrize("scaled", ["prices", "volume"])
def test_a_change_of_unit_changes_values_as_their_unit_says(indicator, exponent, scaled):
    """Powers of two scale without rounding, so that equality is exact."""
    factor = 2.0**exponent
    arrays = inputs_of(indicator, BARS)
    touched = PRICES if scaled == "prices" else ("volume",)
    other = {name: values * factor if name in touched else values for name, values in arrays.items()}
    answers = zip(indicator.columns, run(indicator, arrays), run(indicator, other), strict=True)
    for column, plain, grown in answers:
        degree = DEGREES[column.unit][scaled == "volume"]
        np.testing.assert_array_equal(grown, plain * factor**degree, err_msg=column.name)


@pytest.mark.parametrize(
    ("name", "silence_ends_after"), [("vwma", 0), ("rvol", 1)], ids=["the window itself", "the window before"]
)
def test_a_mean_over_no_volume_is_missing_while_the_silence_fills_the_window(name, silence_ends_after):
    indicator = registered_indicators()[name]
    for market in HOSTILE_SILENCES:
        (values,) = run(indicator, HOSTILE[market])
        first, last = 300 + 19 + silence_ends_after, 379 + silence_ends_after
        missing = np.flatnonzero(np.isnan(values[20:])) + 20
        np.testing.assert_array_equal(missing, np.arange(first, last + 1))


@pytest.mark.parametrize("seed", range(8))
def test_money_flow_of_no_volume_is_zero_even_where_running_sums_leave_a_residue(seed):
    bars = next(iter(make_bars(1, SESSIONS, seed)))
    volume = bars.volume * np.pi
    volume[300:380] = 0
    (values,) = run(
        registered_indicators()["cmf"], {**inputs_of(registered_indicators()["cmf"], bars), "volume": volume}
    )
    assert (values[319:380] == 0).all()


def test_bands_enclose_their_middle_and_channels_the_price():
    values = {
        column.name: array
        for indicator in registered_indicators().values()
        for column, array in zip(indicator.columns, run(indicator, inputs_of(indicator, BARS)), strict=True)
    }
    known = slice(252, None)
    for lower, middle, upper in (
        ("bb_lower_20_2", "bb_middle_20_2", "bb_upper_20_2"),
        ("kc_lower_20_2", "kc_middle_20_2", "kc_upper_20_2"),
        ("donchian_lower_20", "donchian_middle_20", "donchian_upper_20"),
    ):
        assert (values[lower][known] <= values[middle][known]).all()
        assert (values[middle][known] <= values[upper][known]).all()
    assert (values["donchian_lower_20"][known] <= BARS.low[known]).all()
    assert (values["donchian_upper_20"][known] >= BARS.high[known]).all()
    histogram = values["macd_12_26_9"] - values["macd_signal_12_26_9"]
    np.testing.assert_array_equal(values["macd_hist_12_26_9"], histogram)
    below = values["supertrend_10_3"][known] <= BARS.close[known]
    np.testing.assert_array_equal(below, values["supertrend_direction_10_3"][known] == 1)


@pytest.mark.parametrize("column", indicator_columns(), ids=lambda column: column.name)
def test_a_column_can_be_stored_and_explained(column):
    assert re.fullmatch(r"[a-z][a-z0-9_]*", column.name)
    assert len(column.name) <= 63  # PostgreSQL truncates longer names in silence
    assert column.unit in DEGREES
    assert column.warm_up >= 0
    assert column.description.endswith(".")


@every_indicator
def test_an_indicator_lives_in_the_folder_of_its_family(indicator):
    assert indicator.compute.__module__.split(".")[2] == indicator.family
    assert indicator.version >= 1
    assert indicator.source
