"""Rank of the close among those before."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 100


def _compute(close: FloatArray) -> tuple[FloatArray, ...]:
    return (talib.PERCENTRANK(close, timeperiod=PERIOD),)


PERCENTRANK = Indicator(
    name="percentrank",
    family="statistics",
    version=1,
    inputs=("close",),
    columns=(
        IndicatorColumn("percentrank_100", "percent", PERIOD, "How many of the 100 closes before lie below today's."),
    ),
    compute=_compute,
    source="TA-Lib 0.8 PERCENTRANK: an exact count; equal closes do not count.",
)
