"""Rate of change of the close."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 10


def _compute(close: FloatArray) -> tuple[FloatArray, ...]:
    return (talib.ROC(close, timeperiod=PERIOD),)


ROC = Indicator(
    name="roc",
    family="momentum",
    version=1,
    inputs=("close",),
    columns=(IndicatorColumn("roc_10", "percent", PERIOD, "Change of the close against 10 sessions before."),),
    compute=_compute,
    source="TA-Lib 0.8 ROC: 100·(close / close[10] − 1).",
)
