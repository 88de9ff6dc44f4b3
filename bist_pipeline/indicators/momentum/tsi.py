"""True strength index."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

FIRST, SECOND = 25, 13


def _compute(close: FloatArray) -> tuple[FloatArray, ...]:
    return (talib.TSI(close, firstperiod=FIRST, secondperiod=SECOND),)


TSI = Indicator(
    name="tsi",
    family="momentum",
    version=1,
    inputs=("close",),
    columns=(
        IndicatorColumn(
            "tsi_25_13", "index", FIRST + SECOND - 1, "Twice smoothed change over twice smoothed movement, −100 to 100."
        ),
    ),
    compute=_compute,
    source="TA-Lib 0.8 TSI (W. Blau 1991): EMA(13) of EMA(25) of the change, over the same of its size; 0 where none.",
)
