"""Linear regression of the close: where its line ends."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 14


def _compute(close: FloatArray) -> tuple[FloatArray, ...]:
    return (talib.LINEARREG(close, timeperiod=PERIOD),)


LINEARREG = Indicator(
    name="linearreg",
    family="statistics",
    version=1,
    inputs=("close",),
    columns=(
        IndicatorColumn("linearreg_14", "try", PERIOD - 1, "End of the least-squares line through the last 14 closes."),
    ),
    compute=_compute,
    source="TA-Lib 0.8 LINEARREG.",
)
