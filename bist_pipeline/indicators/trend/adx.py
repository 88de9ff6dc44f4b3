"""Wilder's directional movement: strength and the two directions."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 14


def _compute(high: FloatArray, low: FloatArray, close: FloatArray) -> tuple[FloatArray, ...]:
    return (
        talib.ADX(high, low, close, timeperiod=PERIOD),
        talib.PLUS_DI(high, low, close, timeperiod=PERIOD),
        talib.MINUS_DI(high, low, close, timeperiod=PERIOD),
    )


ADX = Indicator(
    name="adx",
    family="trend",
    version=1,
    inputs=("high", "low", "close"),
    columns=(
        IndicatorColumn("adx_14", "index", 2 * PERIOD - 1, "Strength of the trend, 0 to 100, whatever its direction."),
        IndicatorColumn("plus_di_14", "index", PERIOD, "Upward directional movement, 0 to 100."),
        IndicatorColumn("minus_di_14", "index", PERIOD, "Downward directional movement, 0 to 100."),
    ),
    compute=_compute,
    source="TA-Lib 0.8 ADX, PLUS_DI, MINUS_DI (J. W. Wilder 1978), Wilder's smoothing; 0 where nothing moved.",
)
