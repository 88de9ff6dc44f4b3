"""Rows for the tests of this room: inputs that hang together as those of a real share do, and ways to turn them.

Belongs here: making inputs. Does not belong here: expectations.
"""

import numpy as np
import pandas as pd

from bist_pipeline.signals.contract import CANDLE_INPUTS, CLOSE_INPUT
from bist_pipeline.signals.registry import indicator_inputs

LINES = ("sma_50", "sma_200", "ema_20", "ema_50", "supertrend_10_3")
CHANNELS = (("bb_upper_20_2", "bb_lower_20_2"), ("donchian_upper_20", "donchian_lower_20"))
LIRA = (
    CLOSE_INPUT,
    "atr_14",
    "macd_hist_12_26_9",
    *LINES,
    *(name for pair in CHANNELS for name in pair),
)
SESSION = pd.Timestamp("2024-01-02")


def make_inputs(count: int, seed: int = 7) -> dict[str, np.ndarray]:
    """All columns that terms read, as arrays of `count` rows; every channel holds its floor below its ceiling."""
    rng = np.random.default_rng(seed)
    close = np.exp(rng.uniform(0, 6, count))
    atr = close * rng.uniform(0.01, 0.08, count)
    inputs = {CLOSE_INPUT: close, "atr_14": atr}
    inputs |= {name: close + atr * rng.normal(0, 4, count) for name in LINES}
    for upper, lower in CHANNELS:
        middle, half = close + atr * rng.normal(0, 1.5, count), atr * rng.uniform(0.5, 4, count)
        inputs |= {upper: middle + half, lower: middle - half}
    inputs["macd_hist_12_26_9"] = atr * rng.normal(0, 0.3, count)
    for name in ("rsi_14", "mfi_14", "stoch_k_14_3_3", "adx_14", "plus_di_14", "minus_di_14"):
        inputs[name] = rng.uniform(0, 100, count)
    inputs["cmf_20"] = rng.uniform(-1, 1, count)
    inputs["roc_10"] = rng.uniform(-60, 150, count)
    inputs["high_252_distance"] = rng.uniform(-0.6, 0, count)
    inputs["low_252_distance"] = rng.uniform(0, 3, count)
    for name in CANDLE_INPUTS:
        inputs[name] = rng.choice([0.0, 0.25, 0.5, 0.8, 1.0, 2.0], count)
    return inputs


def mirrored(inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same rows with rises and falls exchanged: prices reflected at the close, floors and ceilings swapped."""
    close = inputs[CLOSE_INPUT]
    out = dict(inputs)
    out |= {name: 2 * close - inputs[name] for name in LINES}
    for upper, lower in CHANNELS:
        out |= {upper: 2 * close - inputs[lower], lower: 2 * close - inputs[upper]}
    out |= {name: 100 - inputs[name] for name in ("rsi_14", "mfi_14", "stoch_k_14_3_3")}
    out |= {name: -inputs[name] for name in ("macd_hist_12_26_9", "cmf_20")}
    out |= {"plus_di_14": inputs["minus_di_14"], "minus_di_14": inputs["plus_di_14"]}
    out["roc_10"] = -100 * inputs["roc_10"] / (100 + 2 * inputs["roc_10"])  # the earlier close reflected
    out["high_252_distance"] = 1 / (2 - 1 / (1 + inputs["low_252_distance"])) - 1
    out["low_252_distance"] = 1 / (2 - 1 / (1 + inputs["high_252_distance"])) - 1
    out |= dict(zip(CANDLE_INPUTS, (inputs[name] for name in reversed(CANDLE_INPUTS)), strict=True))
    return out


def make_frames(inputs: dict[str, np.ndarray]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Indicators and bars of as many symbols as there are rows, one session each."""
    count = len(inputs[CLOSE_INPUT])
    keys = {
        "symbol": pd.array([f"ZZ{i:05d}" for i in range(count)], dtype="str"),
        "session_date": pd.Series([SESSION] * count, dtype="datetime64[us]"),
    }
    columns = {name: inputs[name] for name in indicator_inputs()}
    indicators = pd.DataFrame({**keys, "is_final": np.ones(count, dtype=bool), **columns})
    return indicators, pd.DataFrame({**keys, CLOSE_INPUT: inputs[CLOSE_INPUT]})


def make_events(*events: tuple[int, int, str, bool | None]) -> pd.DataFrame:
    """Candlestick events from (row, strength, direction, fits_trend)."""
    rows, strengths, directions, fits = zip(*events, strict=True) if events else ((), (), (), ())
    return pd.DataFrame(
        {
            "symbol": pd.array([f"ZZ{i:05d}" for i in rows], dtype="str"),
            "session_date": pd.Series([SESSION] * len(rows), dtype="datetime64[us]"),
            "pattern": pd.array(["hammer" for _ in rows], dtype="str"),
            "strength": np.array(strengths, dtype=np.int64),
            "direction": pd.array(list(directions), dtype="str"),
            "trend_before": pd.array(["down" for _ in rows], dtype="str"),
            "fits_trend": pd.array(list(fits), dtype="boolean"),
        }
    )
