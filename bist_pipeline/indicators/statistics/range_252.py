"""Distance of the close from the extremes of a year (252 sessions, today's included)."""

import numpy as np
import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 252


def _compute(high: FloatArray, low: FloatArray, close: FloatArray) -> tuple[FloatArray, ...]:
    return (
        _distance(close, talib.MAX(high, timeperiod=PERIOD)),
        _distance(close, talib.MIN(low, timeperiod=PERIOD)),
    )


def _distance(close: FloatArray, extreme: FloatArray) -> FloatArray:
    ratio = np.full(len(close), np.nan)
    np.divide(close, extreme, out=ratio, where=extreme > 0)
    return ratio - 1


RANGE_252 = Indicator(
    name="range_252",
    family="statistics",
    version=1,
    inputs=("high", "low", "close"),
    columns=(
        IndicatorColumn(
            "high_252_distance", "ratio", PERIOD - 1, "close / highest high of 252 sessions − 1; at most 0."
        ),
        IndicatorColumn("low_252_distance", "ratio", PERIOD - 1, "close / lowest low of 252 sessions − 1; at least 0."),
    ),
    compute=_compute,
    source="TA-Lib 0.8 MAX and MIN, exact.",
)
