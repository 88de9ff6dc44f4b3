"""Momentum: plain change of the close."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 10


def _compute(close: FloatArray) -> tuple[FloatArray, ...]:
    return (talib.MOM(close, timeperiod=PERIOD),)


MOM = Indicator(
    name="mom",
    family="momentum",
    version=1,
    inputs=("close",),
    columns=(IndicatorColumn("mom_10", "try", PERIOD, "Close less the close 10 sessions before."),),
    compute=_compute,
    source="TA-Lib 0.8 MOM: close − close[10].",
)
