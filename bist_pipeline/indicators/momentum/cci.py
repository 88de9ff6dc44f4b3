"""Commodity channel index."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 20


def _compute(high: FloatArray, low: FloatArray, close: FloatArray) -> tuple[FloatArray, ...]:
    return (talib.CCI(high, low, close, timeperiod=PERIOD),)


CCI = Indicator(
    name="cci",
    family="momentum",
    version=1,
    inputs=("high", "low", "close"),
    columns=(
        IndicatorColumn(
            "cci_20", "index", PERIOD - 1, "Typical price less its mean of 20, over 0.015 mean absolute deviations."
        ),
    ),
    compute=_compute,
    source="TA-Lib 0.8 CCI (D. Lambert 1980); 0 where nothing moved.",
)
