"""Donchian channels."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 20


def _compute(high: FloatArray, low: FloatArray) -> tuple[FloatArray, ...]:
    upper, middle, lower = talib.DONCHIAN(high, low, timeperiod=PERIOD)
    return upper, middle, lower


DONCHIAN = Indicator(
    name="donchian",
    family="volatility",
    version=1,
    inputs=("high", "low"),
    columns=(
        IndicatorColumn("donchian_upper_20", "try", PERIOD - 1, "Highest high of 20 sessions, today's included."),
        IndicatorColumn("donchian_middle_20", "try", PERIOD - 1, "Midway between the two channel lines."),
        IndicatorColumn("donchian_lower_20", "try", PERIOD - 1, "Lowest low of 20 sessions, today's included."),
    ),
    compute=_compute,
    source="TA-Lib 0.8 DONCHIAN (R. Donchian).",
)
