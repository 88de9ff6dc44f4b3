"""Ultimate oscillator: buying pressure over three horizons."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIODS = (7, 14, 28)


def _compute(high: FloatArray, low: FloatArray, close: FloatArray) -> tuple[FloatArray, ...]:
    short, middle, long = PERIODS
    return (talib.ULTOSC(high, low, close, timeperiod1=short, timeperiod2=middle, timeperiod3=long),)


ULTOSC = Indicator(
    name="ultosc",
    family="momentum",
    version=1,
    inputs=("high", "low", "close"),
    columns=(
        IndicatorColumn("ultosc_7_14_28", "index", max(PERIODS), "Buying pressure over 7, 14, 28 sessions, 0 to 100."),
    ),
    compute=_compute,
    source="TA-Lib 0.8 ULTOSC (L. Williams 1985), weights 4, 2, 1; 0 where nothing moved.",
)
