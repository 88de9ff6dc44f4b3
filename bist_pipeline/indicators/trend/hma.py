"""Hull moving average of the close."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 20


def _compute(close: FloatArray) -> tuple[FloatArray, ...]:
    return (talib.HMA(close, timeperiod=PERIOD),)


HMA = Indicator(
    name="hma",
    family="trend",
    version=1,
    inputs=("close",),
    columns=(
        IndicatorColumn("hma_20", "try", 22, "Hull's average: WMA of 2·WMA(10) − WMA(20) over √20 ≈ 4 sessions."),
    ),
    compute=_compute,
    source="TA-Lib 0.8 HMA (A. Hull 2005): WMA(2·WMA(c, n/2) − WMA(c, n), √n); look-back (n − 1) + (√n − 1) = 22.",
)
