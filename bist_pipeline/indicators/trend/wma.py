"""Linearly weighted moving average of the close."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 20


def _compute(close: FloatArray) -> tuple[FloatArray, ...]:
    return (talib.WMA(close, timeperiod=PERIOD),)


WMA = Indicator(
    name="wma",
    family="trend",
    version=1,
    inputs=("close",),
    columns=(
        IndicatorColumn(
            "wma_20", "try", PERIOD - 1, "Mean of the last 20 closes with weights 20, 19, …, 1 from the newest."
        ),
    ),
    compute=_compute,
    source="TA-Lib 0.8 WMA: Σ w·close / Σ w, w = n for the newest bar down to 1.",
)
