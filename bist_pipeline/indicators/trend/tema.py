"""Triple exponential moving average of the close."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 20


def _compute(close: FloatArray) -> tuple[FloatArray, ...]:
    return (talib.TEMA(close, timeperiod=PERIOD),)


TEMA = Indicator(
    name="tema",
    family="trend",
    version=1,
    inputs=("close",),
    columns=(
        IndicatorColumn(
            "tema_20", "try", 3 * (PERIOD - 1), "Exponential mean of 20 sessions with least lag: 3·EMA − 3·EMA² + EMA³."
        ),
    ),
    compute=_compute,
    source="TA-Lib 0.8 TEMA (P. Mulloy 1994): 3·EMA − 3·EMA(EMA) + EMA(EMA(EMA)).",
)
