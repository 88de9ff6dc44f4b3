"""SuperTrend: a trailing stop at a multiple of the average true range."""

import numpy as np
import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 10
MULTIPLIER = 3.0


def _compute(high: FloatArray, low: FloatArray, close: FloatArray) -> tuple[FloatArray, ...]:
    stop, direction = talib.SUPERTREND(high, low, close, timeperiod=PERIOD, multiplier=MULTIPLIER)
    # TA-Lib answers with integers, 0 where it does not know: that is a missing value, not a third direction.
    return stop, np.where(direction == 0, np.nan, direction.astype(np.float64))


SUPERTREND = Indicator(
    name="supertrend",
    family="trend",
    version=1,
    inputs=("high", "low", "close"),
    columns=(
        IndicatorColumn("supertrend_10_3", "try", PERIOD, "Trailing stop three ATR(10) away from the bar's middle."),
        IndicatorColumn(
            "supertrend_direction_10_3", "direction", PERIOD, "1 while the stop lies below price, else −1."
        ),
    ),
    compute=_compute,
    source="TA-Lib 0.8 SUPERTREND (O. Seban): bands (high + low)/2 ± 3·ATR(10) that only tighten until price crosses.",
)
