"""Linear regression of the close: how steep its line is."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 20


def _compute(close: FloatArray) -> tuple[FloatArray, ...]:
    return (talib.LINEARREG_SLOPE(close, timeperiod=PERIOD),)


LINEARREG_SLOPE = Indicator(
    name="linearreg_slope",
    family="statistics",
    version=1,
    inputs=("close",),
    columns=(
        IndicatorColumn(
            "linearreg_slope_20",
            "try_per_session",
            PERIOD - 1,
            "Slope of the least-squares line through the last 20 closes.",
        ),
    ),
    compute=_compute,
    source="TA-Lib 0.8 LINEARREG_SLOPE.",
)
