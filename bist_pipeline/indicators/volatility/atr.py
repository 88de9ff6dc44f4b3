"""Average true range."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 14


def _compute(high: FloatArray, low: FloatArray, close: FloatArray) -> tuple[FloatArray, ...]:
    return (talib.ATR(high, low, close, timeperiod=PERIOD),)


ATR = Indicator(
    name="atr",
    family="volatility",
    version=1,
    inputs=("high", "low", "close"),
    columns=(IndicatorColumn("atr_14", "try", PERIOD, "Wilder's mean of the true range over 14 sessions."),),
    compute=_compute,
    source="TA-Lib 0.8 ATR (J. W. Wilder 1978): seeded with the mean of 14 true ranges; the first bar has none.",
)
