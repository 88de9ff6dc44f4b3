"""Relative volume."""

import numpy as np
import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators._traded import nothing_traded
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 20


def _compute(volume: FloatArray) -> tuple[FloatArray, ...]:
    silent_before = np.zeros(len(volume), dtype=bool)
    silent_before[1:] = nothing_traded(volume, PERIOD)[:-1]
    return (np.where(silent_before, np.nan, talib.RVOL(volume, timeperiod=PERIOD)),)


RVOL = Indicator(
    name="rvol",
    family="volume",
    version=1,
    inputs=("volume",),
    columns=(
        IndicatorColumn(
            "rvol_20",
            "ratio",
            PERIOD,
            "Volume over the mean volume of the 20 sessions before.",
            undefined_when="no share was traded in the 20 sessions before",
        ),
    ),
    compute=_compute,
    source="TA-Lib 0.8 RVOL: volume / SMA(volume, 20) of the session before.",
)
