"""Vortex: upward against downward movement."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 14


def _compute(high: FloatArray, low: FloatArray, close: FloatArray) -> tuple[FloatArray, ...]:
    plus, minus = talib.VORTEX(high, low, close, timeperiod=PERIOD)
    return plus, minus


VORTEX = Indicator(
    name="vortex",
    family="trend",
    version=1,
    inputs=("high", "low", "close"),
    columns=(
        IndicatorColumn("vortex_plus_14", "ratio", PERIOD, "Σ |high − previous low| over Σ true range, 14 sessions."),
        IndicatorColumn("vortex_minus_14", "ratio", PERIOD, "Σ |low − previous high| over Σ true range, 14 sessions."),
    ),
    compute=_compute,
    source="TA-Lib 0.8 VORTEX (E. Botes, D. Siepman 2010); 0 where nothing moved.",
)
