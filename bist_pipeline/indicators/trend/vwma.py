"""Volume-weighted moving average of the close."""

import numpy as np
import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators._traded import nothing_traded
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 20


def _compute(close: FloatArray, volume: FloatArray) -> tuple[FloatArray, ...]:
    return (np.where(nothing_traded(volume, PERIOD), np.nan, talib.VWMA(close, volume, timeperiod=PERIOD)),)


VWMA = Indicator(
    name="vwma",
    family="trend",
    version=1,
    inputs=("close", "volume"),
    columns=(
        IndicatorColumn(
            "vwma_20",
            "try",
            PERIOD - 1,
            "Mean of the last 20 closes weighted by volume.",
            undefined_when="no share was traded in the last 20 sessions",
        ),
    ),
    compute=_compute,
    source="TA-Lib 0.8 VWMA: Σ close·volume / Σ volume.",
)
