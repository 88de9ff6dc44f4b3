"""Keltner channels."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 20
ATR_PERIOD = 10  # TA-Lib's default, and the usual companion of a mean of 20; not part of the column's name
MULTIPLIER = 2.0


def _compute(high: FloatArray, low: FloatArray, close: FloatArray) -> tuple[FloatArray, ...]:
    upper, middle, lower = talib.KC(high, low, close, timeperiod=PERIOD, atrperiod=ATR_PERIOD, nbdev=MULTIPLIER)
    return upper, middle, lower


KELTNER = Indicator(
    name="keltner",
    family="volatility",
    version=1,
    inputs=("high", "low", "close"),
    columns=(
        IndicatorColumn("kc_upper_20_2", "try", PERIOD - 1, "kc_middle_20_2 plus two ATR(10)."),
        IndicatorColumn("kc_middle_20_2", "try", PERIOD - 1, "EMA(20) of the typical price (high + low + close) / 3."),
        IndicatorColumn("kc_lower_20_2", "try", PERIOD - 1, "kc_middle_20_2 less two ATR(10)."),
    ),
    compute=_compute,
    # Hence the width is not 4·ATR(10) of an `atr` column to the last digit until the seeds have faded.
    source="TA-Lib 0.8 KC (C. Keltner 1960, L. Raschke): ATR period 10, seeded with the true ranges of bars 11 to 20.",
)
