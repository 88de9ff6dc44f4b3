"""Tillson's T3 moving average of the close."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 5
VOLUME_FACTOR = 0.7  # Tillson's own choice; the name is his, traded volume plays no part


def _compute(close: FloatArray) -> tuple[FloatArray, ...]:
    return (talib.T3(close, timeperiod=PERIOD, vfactor=VOLUME_FACTOR),)


T3 = Indicator(
    name="t3",
    family="trend",
    version=1,
    inputs=("close",),
    columns=(
        IndicatorColumn("t3_5", "try", 6 * (PERIOD - 1), "Six-fold smoothed mean of the close, volume factor 0.7."),
    ),
    compute=_compute,
    source="TA-Lib 0.8 T3 (T. Tillson 1998): generalised DEMA applied three times.",
)
