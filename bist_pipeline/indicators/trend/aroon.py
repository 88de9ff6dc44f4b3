"""Aroon: how long ago the extremes were."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 25


def _compute(high: FloatArray, low: FloatArray) -> tuple[FloatArray, ...]:
    down, up = talib.AROON(high, low, timeperiod=PERIOD)
    return up, down


AROON = Indicator(
    name="aroon",
    family="trend",
    version=1,
    inputs=("high", "low"),
    columns=(
        IndicatorColumn("aroon_up_25", "index", PERIOD, "100 when the high of 26 sessions is today's, 0 when 25 old."),
        IndicatorColumn("aroon_down_25", "index", PERIOD, "100 when the low of 26 sessions is today's, 0 when 25 old."),
    ),
    compute=_compute,
    source="TA-Lib 0.8 AROON (T. Chande 1995): 100·(n − sessions since the extreme)/n; the newest of equal extremes.",
)
