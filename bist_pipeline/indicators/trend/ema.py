"""Exponential moving averages of the close."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIODS = (5, 10, 12, 20, 26, 50, 100, 200)


def _compute(close: FloatArray) -> tuple[FloatArray, ...]:
    return tuple(talib.EMA(close, timeperiod=period) for period in PERIODS)


EMA = Indicator(
    name="ema",
    family="trend",
    version=1,
    inputs=("close",),
    columns=tuple(
        IndicatorColumn(f"ema_{period}", "try", period - 1, f"Exponential mean of the closes, weight 2/({period}+1).")
        for period in PERIODS
    ),
    compute=_compute,
    source="TA-Lib 0.8 EMA: e += 2/(n+1)·(close − e), seeded with the mean of the first n closes.",
)
