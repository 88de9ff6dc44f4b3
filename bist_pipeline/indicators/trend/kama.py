"""Kaufman's adaptive moving average of the close."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 10


def _compute(close: FloatArray) -> tuple[FloatArray, ...]:
    return (talib.KAMA(close, timeperiod=PERIOD),)


KAMA = Indicator(
    name="kama",
    family="trend",
    version=1,
    inputs=("close",),
    columns=(
        IndicatorColumn(
            "kama_10",
            "try",
            PERIOD,
            "Mean that follows quickly in a trend and slowly in noise, by the efficiency ratio of 10 sessions.",
        ),
    ),
    compute=_compute,
    source="TA-Lib 0.8 KAMA (P. Kaufman 1995): efficiency ratio of 10, constants 2/(2+1) fast, 2/(30+1) slow.",
)
