"""Bollinger bands."""

import talib
from talib import MA_Type

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 20
DEVIATIONS = 2.0


def _compute(close: FloatArray) -> tuple[FloatArray, ...]:
    upper, middle, lower = talib.BBANDS(
        close, timeperiod=PERIOD, nbdevup=DEVIATIONS, nbdevdn=DEVIATIONS, matype=MA_Type.SMA
    )
    return upper, middle, lower


BBANDS = Indicator(
    name="bbands",
    family="volatility",
    version=1,
    inputs=("close",),
    columns=(
        IndicatorColumn(
            "bb_upper_20_2", "try", PERIOD - 1, "sma_20 plus two standard deviations of the last 20 closes."
        ),
        IndicatorColumn("bb_middle_20_2", "try", PERIOD - 1, "Mean of the last 20 closes."),
        IndicatorColumn(
            "bb_lower_20_2", "try", PERIOD - 1, "sma_20 less two standard deviations of the last 20 closes."
        ),
    ),
    compute=_compute,
    source="TA-Lib 0.8 BBANDS (J. Bollinger): population standard deviation (divisor n).",
)
