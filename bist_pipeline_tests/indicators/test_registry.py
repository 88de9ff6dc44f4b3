from dataclasses import replace

import pytest

from bist_pipeline.core.errors import RegistryError
from bist_pipeline.indicators.registry import indicator_columns, refuse_shared_columns, registered_indicators

# What consumers rely on; the design fixes these names. Columns are added, never renamed or removed.
FIXED = [
    "sma_5",
    "sma_10",
    "sma_20",
    "sma_50",
    "sma_100",
    "sma_200",
    "ema_5",
    "ema_10",
    "ema_20",
    "ema_50",
    "ema_100",
    "ema_200",
    "rsi_14",
    "macd_12_26_9",
    "macd_signal_12_26_9",
    "macd_hist_12_26_9",
    "bb_upper_20_2",
    "bb_middle_20_2",
    "bb_lower_20_2",
    "atr_14",
    "adx_14",
    "plus_di_14",
    "minus_di_14",
    "stoch_k_14_3_3",
    "stoch_d_14_3_3",
    "cci_20",
    "mfi_14",
    "willr_14",
    "roc_10",
    "obv",
    "ad",
    "cmf_20",
    "aroon_up_25",
    "aroon_down_25",
    "sar",
    "trix_15",
    "kc_upper_20_2",
    "donchian_upper_20",
    "supertrend_10_3",
    "high_252_distance",
    "low_252_distance",
]


def test_the_names_that_consumers_rely_on_are_there():
    assert set(FIXED) <= {column.name for column in indicator_columns()}


def test_column_names_are_unique():
    names = [column.name for column in indicator_columns()]
    assert len(names) == len(set(names)) >= 40


def test_columns_come_family_by_family_then_by_indicator_name():
    order = ["trend", "momentum", "volatility", "volume", "statistics"]
    keys = [(order.index(part.family), part.name) for part in registered_indicators().values()]
    assert keys == sorted(keys)
    assert [column for part in registered_indicators().values() for column in part.columns] == list(indicator_columns())


def test_the_mapping_is_keyed_by_registered_name_and_read_only():
    assert all(name == part.name for name, part in registered_indicators().items())
    with pytest.raises(TypeError):
        registered_indicators()["mine"] = registered_indicators()["rsi"]  # pyright: ignore[reportIndexIssue]


def test_two_indicators_with_one_column_are_refused_with_both_names():
    rsi = registered_indicators()["rsi"]
    with pytest.raises(RegistryError, match=r"'rsi_14'.*'rsi'.*'other'"):
        refuse_shared_columns([rsi, replace(rsi, name="other")])


def test_no_absolute_position_and_no_repainting_function_is_stored():
    sources = " ".join(part.source for part in registered_indicators().values())
    assert not any(name in sources for name in ("MAXINDEX", "MININDEX", "FRACTAL"))
