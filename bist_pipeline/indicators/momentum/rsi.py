"""Wilder's relative strength index."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 14


def _compute(close: FloatArray) -> tuple[FloatArray, ...]:
    return (talib.RSI(close, timeperiod=PERIOD),)


RSI = Indicator(
    name="rsi",
    family="momentum",
    version=1,
    inputs=("close",),
    columns=(
        IndicatorColumn(
            "rsi_14", "index", PERIOD, "Share of rises in all movement, 0 to 100; 0 where nothing ever moved."
        ),
    ),
    compute=_compute,
    source="TA-Lib 0.8 RSI (J. W. Wilder 1978): Wilder's smoothing, seeded with the mean of the first 14 changes.",
)
