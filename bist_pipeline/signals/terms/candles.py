"""Term of the sub-signal candles: the balance of the candlestick patterns that end with the session's bar.

How events become the two input columns stands in `signals/candles.py`.
"""

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.signals.contract import CANDLE_INPUTS, Term


def _candle_balance(bullish: FloatArray, bearish: FloatArray) -> FloatArray:
    return (bullish - bearish) / (1.0 + (bullish + bearish))


CANDLE_BALANCE = Term(
    name="candle_balance",
    sub_signal="candles",
    version=1,
    weight=1.0,
    inputs=CANDLE_INPUTS,
    description="Bullish less bearish candlesticks over one plus both: ±0.5 for one that fits, ±0.67 for two.",
    source="Ours. Several names for one shape are common in TA-Lib, hence the saturation.",
    compute=_candle_balance,
    rises_with=("candles_bullish",),
    falls_with=("candles_bearish",),
)
