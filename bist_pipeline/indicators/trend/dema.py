"""Double exponential moving average of the close."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 20


def _compute(close: FloatArray) -> tuple[FloatArray, ...]:
    return (talib.DEMA(close, timeperiod=PERIOD),)


DEMA = Indicator(
    name="dema",
    family="trend",
    version=1,
    inputs=("close",),
    columns=(
        IndicatorColumn(
            "dema_20", "try", 2 * (PERIOD - 1), "Exponential mean of 20 sessions with less lag: 2·EMA − EMA(EMA)."
        ),
    ),
    compute=_compute,
    source="TA-Lib 0.8 DEMA (P. Mulloy 1994): 2·EMA − EMA(EMA).",
)
