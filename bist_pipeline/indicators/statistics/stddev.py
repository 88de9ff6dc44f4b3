"""Standard deviation of the close."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 20


def _compute(close: FloatArray) -> tuple[FloatArray, ...]:
    return (talib.STDDEV(close, timeperiod=PERIOD, nbdev=1.0),)


STDDEV = Indicator(
    name="stddev",
    family="statistics",
    version=1,
    inputs=("close",),
    columns=(IndicatorColumn("stddev_20", "try", PERIOD - 1, "Standard deviation of the last 20 closes."),),
    compute=_compute,
    source="TA-Lib 0.8 STDDEV: population (divisor n).",
)
