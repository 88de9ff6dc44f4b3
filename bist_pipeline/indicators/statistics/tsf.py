"""Time series forecast: the regression line, one session on."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 14


def _compute(close: FloatArray) -> tuple[FloatArray, ...]:
    return (talib.TSF(close, timeperiod=PERIOD),)


TSF = Indicator(
    name="tsf",
    family="statistics",
    version=1,
    inputs=("close",),
    columns=(IndicatorColumn("tsf_14", "try", PERIOD - 1, "The line of linearreg_14 drawn on by one session."),),
    compute=_compute,
    source="TA-Lib 0.8 TSF.",
)
