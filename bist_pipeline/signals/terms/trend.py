"""Terms of the sub-signal trend: which way the price has been going, over weeks to a year.

All follow the trend. A scale in ATR is one at which the median |value| of a liquid Borsa Istanbul share is about one
half (distribution of 92 shares, 2021 to 2026; what happened afterwards was not looked at), but for the Supertrend's,
which is its own multiplier.
"""

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.signals.contract import Term
from bist_pipeline.signals.terms._shapes import position, ratio, saturate

_SMA_200_SCALE_ATR = 7.0
_SMA_50_200_SCALE_ATR = 5.5
_EMA_20_50_SCALE_ATR = 1.5
_SUPERTREND_SCALE_ATR = 3.0  # the line's own multiplier: its distance when it is set
_ADX_TRENDING = 25.0  # Wilder's threshold for a market that trends


def _close_over_sma_200(close: FloatArray, sma_200: FloatArray, atr: FloatArray) -> FloatArray:
    return saturate(close - sma_200, _SMA_200_SCALE_ATR * atr)


def _sma_50_over_sma_200(sma_50: FloatArray, sma_200: FloatArray, atr: FloatArray) -> FloatArray:
    return saturate(sma_50 - sma_200, _SMA_50_200_SCALE_ATR * atr)


def _ema_20_over_ema_50(ema_20: FloatArray, ema_50: FloatArray, atr: FloatArray) -> FloatArray:
    return saturate(ema_20 - ema_50, _EMA_20_50_SCALE_ATR * atr)


def _directional_movement(plus_di: FloatArray, minus_di: FloatArray, adx: FloatArray) -> FloatArray:
    balance = np.clip(ratio(plus_di - minus_di, plus_di + minus_di), -1.0, 1.0)
    return balance * np.clip(adx / _ADX_TRENDING, 0.0, 1.0)


def _supertrend_distance(close: FloatArray, supertrend: FloatArray, atr: FloatArray) -> FloatArray:
    return saturate(close - supertrend, _SUPERTREND_SCALE_ATR * atr)


def _year_range_position(high_distance: FloatArray, low_distance: FloatArray) -> FloatArray:
    """Position of the close between the year's low and high, both expressed in units of the close."""
    ones = np.ones_like(high_distance)
    return np.clip(position(ones, ones / (1.0 + high_distance), ones / (1.0 + low_distance)), -1.0, 1.0)


CLOSE_OVER_SMA_200 = Term(
    name="close_over_sma_200",
    sub_signal="trend",
    version=1,
    weight=0.25,
    inputs=("close_try", "sma_200", "atr_14"),
    description="Close above its 200-session average, in ATR; ±0.71 at 7 ATR.",
    source="Moving-average rule of Brock, Lakonishok & LeBaron (1992); ATR scaling and saturation are ours.",
    compute=_close_over_sma_200,
    rises_with=("close_try",),
    falls_with=("sma_200",),
)

SMA_50_OVER_SMA_200 = Term(
    name="sma_50_over_sma_200",
    sub_signal="trend",
    version=1,
    weight=0.15,
    inputs=("sma_50", "sma_200", "atr_14"),
    description="50-session above 200-session average (golden cross), in ATR; ±0.71 at 5.5 ATR.",
    source="Dual moving-average rule of Brock, Lakonishok & LeBaron (1992); ATR scaling and saturation are ours.",
    compute=_sma_50_over_sma_200,
    rises_with=("sma_50",),
    falls_with=("sma_200",),
)

EMA_20_OVER_EMA_50 = Term(
    name="ema_20_over_ema_50",
    sub_signal="trend",
    version=1,
    weight=0.15,
    inputs=("ema_20", "ema_50", "atr_14"),
    description="20-session above 50-session exponential average, in ATR; ±0.71 at 1.5 ATR.",
    source="Dual moving-average rule, exponential; ATR scaling and saturation are ours.",
    compute=_ema_20_over_ema_50,
    rises_with=("ema_20",),
    falls_with=("ema_50",),
)

DIRECTIONAL_MOVEMENT = Term(
    name="directional_movement",
    sub_signal="trend",
    version=1,
    weight=0.15,
    inputs=("plus_di_14", "minus_di_14", "adx_14"),
    description="Balance of +DI and −DI over their sum, damped in proportion while ADX is below 25.",
    source="Wilder (1978), New Concepts in Technical Trading Systems; the damping is ours.",
    compute=_directional_movement,
    rises_with=("plus_di_14",),
    falls_with=("minus_di_14",),
)

SUPERTREND_DISTANCE = Term(
    name="supertrend_distance",
    sub_signal="trend",
    version=1,
    weight=0.15,
    inputs=("close_try", "supertrend_10_3", "atr_14"),
    description="Close above its Supertrend line, in ATR; ±0.71 at 3 ATR, the line's own multiplier.",
    source="Supertrend of Seban, 10 sessions and 3 ATR; the distance in place of the side is ours.",
    compute=_supertrend_distance,
    rises_with=("close_try",),
    falls_with=("supertrend_10_3",),
)

YEAR_RANGE_POSITION = Term(
    name="year_range_position",
    sub_signal="trend",
    version=1,
    weight=0.15,
    inputs=("high_252_distance", "low_252_distance"),
    description="Close between the 252-session low (−1) and high (+1).",
    source="Nearness to the 52-week high of George & Hwang (2004), as a position in the range, which is ours.",
    compute=_year_range_position,
    rises_with=("high_252_distance", "low_252_distance"),
)
