"""Percentage price oscillator: MACD that can be compared between shares."""

import talib
from talib import MA_Type

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

FAST, SLOW = 12, 26


def _compute(close: FloatArray) -> tuple[FloatArray, ...]:
    return (talib.PPO(close, fastperiod=FAST, slowperiod=SLOW, matype=MA_Type.EMA),)


PPO = Indicator(
    name="ppo",
    family="momentum",
    version=1,
    inputs=("close",),
    columns=(IndicatorColumn("ppo_12_26", "percent", SLOW - 1, "EMA(12) less EMA(26) in percent of EMA(26)."),),
    compute=_compute,
    source="TA-Lib 0.8 PPO with exponential means, each seeded with the mean of its own last n closes of the first 26.",
)
