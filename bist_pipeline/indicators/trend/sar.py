"""Parabolic stop and reverse."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

ACCELERATION = 0.02
MAXIMUM = 0.2


def _compute(high: FloatArray, low: FloatArray) -> tuple[FloatArray, ...]:
    return (talib.SAR(high, low, acceleration=ACCELERATION, maximum=MAXIMUM),)


SAR = Indicator(
    name="sar",
    family="trend",
    version=1,
    inputs=("high", "low"),
    columns=(IndicatorColumn("sar", "try", 1, "Parabolic stop, acceleration 0.02 up to 0.2: below price in a rise."),),
    compute=_compute,
    source="TA-Lib 0.8 SAR (J. W. Wilder 1978); the first direction is that of the second bar's movement.",
)
