"""Williams' %R."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 14


def _compute(high: FloatArray, low: FloatArray, close: FloatArray) -> tuple[FloatArray, ...]:
    return (talib.WILLR(high, low, close, timeperiod=PERIOD),)


WILLR = Indicator(
    name="willr",
    family="momentum",
    version=1,
    inputs=("high", "low", "close"),
    columns=(
        IndicatorColumn("willr_14", "index", PERIOD - 1, "Distance of the close from the high of 14, −100 to 0."),
    ),
    compute=_compute,
    source="TA-Lib 0.8 WILLR (L. Williams); 0 where high equals low over 14 sessions.",
)
