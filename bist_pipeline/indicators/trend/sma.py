"""Simple moving averages of the close."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIODS = (5, 10, 20, 50, 100, 200)


def _compute(close: FloatArray) -> tuple[FloatArray, ...]:
    return tuple(talib.SMA(close, timeperiod=period) for period in PERIODS)


SMA = Indicator(
    name="sma",
    family="trend",
    version=1,
    inputs=("close",),
    columns=tuple(
        IndicatorColumn(f"sma_{period}", "try", period - 1, f"Mean of the last {period} closes.") for period in PERIODS
    ),
    compute=_compute,
    source="TA-Lib 0.8 SMA: a running sum, so the last bits depend on where the series starts.",
)
