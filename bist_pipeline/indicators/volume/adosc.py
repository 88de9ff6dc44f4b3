"""Chaikin's oscillator."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

FAST, SLOW = 3, 10


def _compute(high: FloatArray, low: FloatArray, close: FloatArray, volume: FloatArray) -> tuple[FloatArray, ...]:
    return (talib.ADOSC(high, low, close, volume, fastperiod=FAST, slowperiod=SLOW),)


ADOSC = Indicator(
    name="adosc",
    family="volume",
    version=1,
    inputs=("high", "low", "close", "volume"),
    columns=(IndicatorColumn("adosc_3_10", "shares", SLOW - 1, "EMA(3) less EMA(10) of the line ad."),),
    compute=_compute,
    source="TA-Lib 0.8 ADOSC (M. Chaikin): both means are seeded with the first value of the line.",
)
