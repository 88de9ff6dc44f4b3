"""Terms of the sub-signal momentum: how fast the price moves, over days to weeks.

Three follow the move, one (`stochastic_exhaustion`) speaks against it at the extremes, as its inventor read it. Scales
as in `trend.py`.
"""

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.signals.contract import Term
from bist_pipeline.signals.terms._shapes import against, beyond, saturate

_RSI_SCALE_POINTS = 15.0
_MACD_SCALE_ATR = 0.3
_ROC_SCALE_ATR = 2.5  # a random walk of 10 sessions moves about √10 × 0.75 ATR
_STOCH_CALM = 0.6  # 20 and 80 on the stochastic's scale


def _rsi_from_50(rsi: FloatArray) -> FloatArray:
    return saturate(rsi - 50.0, _RSI_SCALE_POINTS)


def _macd_histogram(histogram: FloatArray, atr: FloatArray) -> FloatArray:
    return saturate(histogram, _MACD_SCALE_ATR * atr)


def _ten_session_move(roc: FloatArray, close: FloatArray, atr: FloatArray) -> FloatArray:
    """The move in lira that the rate of change (percent of the earlier close) stands for, in ATR."""
    return saturate(close * roc / (100.0 + roc), _ROC_SCALE_ATR * atr)


def _stochastic_exhaustion(percent_k: FloatArray) -> FloatArray:
    return against(beyond((percent_k - 50.0) / 50.0, _STOCH_CALM, 1.0))


RSI_FROM_50 = Term(
    name="rsi_from_50",
    sub_signal="momentum",
    version=1,
    weight=0.30,
    inputs=("rsi_14",),
    description="RSI above 50, in points; ±0.71 at 15 points (35 and 65).",
    source="Wilder (1978); read as momentum about its middle rather than as overbought, which is our choice.",
    compute=_rsi_from_50,
    rises_with=("rsi_14",),
)

MACD_HISTOGRAM = Term(
    name="macd_histogram",
    sub_signal="momentum",
    version=1,
    weight=0.25,
    inputs=("macd_hist_12_26_9", "atr_14"),
    description="MACD above its signal line, in ATR; ±0.71 at 0.3 ATR.",
    source="MACD of Appel, histogram of Aspray; ATR scaling and saturation are ours.",
    compute=_macd_histogram,
    rises_with=("macd_hist_12_26_9",),
)

TEN_SESSION_MOVE = Term(
    name="ten_session_move",
    sub_signal="momentum",
    version=1,
    weight=0.25,
    inputs=("roc_10", "close_try", "atr_14"),
    description="Rise over 10 sessions, in ATR; ±0.71 at 2.5 ATR.",
    source="Rate of change; ATR scaling and saturation are ours.",
    compute=_ten_session_move,
    rises_with=("roc_10",),
)

STOCHASTIC_EXHAUSTION = Term(
    name="stochastic_exhaustion",
    sub_signal="momentum",
    version=1,
    weight=0.20,
    inputs=("stoch_k_14_3_3",),
    description="Against the move where the stochastic is stretched: 0 from 20 to 80, +1 at 0, −1 at 100.",
    source="Lane's overbought and oversold zones (80, 20); linear inside the zones, which is ours.",
    compute=_stochastic_exhaustion,
    falls_with=("stoch_k_14_3_3",),
)
