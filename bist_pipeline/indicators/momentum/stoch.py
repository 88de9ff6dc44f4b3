"""Slow stochastic oscillator."""

import talib
from talib import MA_Type

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

FAST_K, SLOW_K, SLOW_D = 14, 3, 3
_WARM_UP = FAST_K - 1 + SLOW_K - 1 + SLOW_D - 1


def _compute(high: FloatArray, low: FloatArray, close: FloatArray) -> tuple[FloatArray, ...]:
    slow_k, slow_d = talib.STOCH(
        high,
        low,
        close,
        fastk_period=FAST_K,
        slowk_period=SLOW_K,
        slowk_matype=MA_Type.SMA,
        slowd_period=SLOW_D,
        slowd_matype=MA_Type.SMA,
    )
    return slow_k, slow_d


STOCH = Indicator(
    name="stoch",
    family="momentum",
    version=1,
    inputs=("high", "low", "close"),
    columns=(
        IndicatorColumn(
            "stoch_k_14_3_3", "index", _WARM_UP, "Place of the close in the range of 14, mean of 3, 0 to 100."
        ),
        IndicatorColumn("stoch_d_14_3_3", "index", _WARM_UP, "Mean of the last three stoch_k_14_3_3."),
    ),
    compute=_compute,
    source="TA-Lib 0.8 STOCH (G. Lane), simple means; 0 where high equals low over 14 sessions.",
)
