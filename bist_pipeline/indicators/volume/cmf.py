"""Chaikin's money flow."""

import numpy as np
import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators._traded import nothing_traded
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 20


def _compute(high: FloatArray, low: FloatArray, close: FloatArray, volume: FloatArray) -> tuple[FloatArray, ...]:
    # TA-Lib answers 0 for no volume, but only while its running sums cancel exactly; see `nothing_traded`.
    return (np.where(nothing_traded(volume, PERIOD), 0.0, talib.CMF(high, low, close, volume, timeperiod=PERIOD)),)


CMF = Indicator(
    name="cmf",
    family="volume",
    version=1,
    inputs=("high", "low", "close", "volume"),
    columns=(
        IndicatorColumn(
            "cmf_20", "ratio", PERIOD - 1, "Share of volume closing high in its bar, −1 to 1; 0 without volume."
        ),
    ),
    compute=_compute,
    source="TA-Lib 0.8 CMF (M. Chaikin): Σ volume·((close − low) − (high − close))/(high − low) over Σ volume.",
)
