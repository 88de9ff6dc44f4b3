"""Average true range in percent of the close."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 14


def _compute(high: FloatArray, low: FloatArray, close: FloatArray) -> tuple[FloatArray, ...]:
    return (talib.NATR(high, low, close, timeperiod=PERIOD),)


NATR = Indicator(
    name="natr",
    family="volatility",
    version=1,
    inputs=("high", "low", "close"),
    columns=(IndicatorColumn("natr_14", "percent", PERIOD, "atr_14 in percent of the close."),),
    compute=_compute,
    source="TA-Lib 0.8 NATR (J. Forman 2006): 100·ATR / close.",
)
