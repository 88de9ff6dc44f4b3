"""TRIX: rate of change of a triple exponential mean."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 15


def _compute(close: FloatArray) -> tuple[FloatArray, ...]:
    return (talib.TRIX(close, timeperiod=PERIOD),)


TRIX = Indicator(
    name="trix",
    family="momentum",
    version=1,
    inputs=("close",),
    columns=(
        IndicatorColumn(
            "trix_15", "percent", 3 * (PERIOD - 1) + 1, "One-session change of EMA(EMA(EMA(close))), period 15."
        ),
    ),
    compute=_compute,
    source="TA-Lib 0.8 TRIX (J. Hutson 1983).",
)
