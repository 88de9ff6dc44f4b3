"""Percentage volume oscillator."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

FAST, SLOW = 12, 26
_EXPONENTIAL = 1  # MA_Type.EMA; TA-Lib's stub of PVO wants an int


def _compute(volume: FloatArray) -> tuple[FloatArray, ...]:
    return (talib.PVO(volume, fastperiod=FAST, slowperiod=SLOW, matype=_EXPONENTIAL),)


PVO = Indicator(
    name="pvo",
    family="volume",
    version=1,
    inputs=("volume",),
    columns=(
        IndicatorColumn("pvo_12_26", "percent", SLOW - 1, "EMA(12) less EMA(26) of volume in percent of EMA(26)."),
    ),
    compute=_compute,
    source="TA-Lib 0.8 PVO with exponential means; 0 where there has never been volume.",
)
