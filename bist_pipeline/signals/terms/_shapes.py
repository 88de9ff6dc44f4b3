"""The few shapes from which terms are made.

Belongs here: elementwise functions that turn lira, points and ratios into numbers between −1 and 1 without a unit.
Does not belong here: terms. Only +, −, ×, ÷, √, clip and comparisons, for the reason that `Term.compute` gives.
"""

import numpy as np

from bist_pipeline.core.bars import FloatArray


def ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Divide; 0 where the denominator is 0 (a channel without width says nothing), NaN where either is NaN."""
    unknown = np.isnan(numerator) | np.isnan(denominator)
    start = np.where(unknown, np.nan, 0.0)
    return np.divide(numerator, denominator, out=start, where=(denominator != 0) & ~unknown)


def saturate(distance: FloatArray, scale: FloatArray | float) -> FloatArray:
    """Squeeze d to d / √(d² + s²): 0 at 0, ±0.707 at ±s, ±1 far out; where both are 0 (a flat price) it is 0.

    Args:
        distance: Signed distance.
        scale: The distance that counts as clear, ≥ 0, in the same unit.
    """
    return ratio(distance, np.sqrt(distance * distance + scale * scale))


def position(close: FloatArray, upper: FloatArray, lower: FloatArray) -> FloatArray:
    """Return where the close stands in a channel: −1 on its floor, +1 on its ceiling, beyond outside of it."""
    return ratio((close - lower) - (upper - close), upper - lower)


def beyond(value: FloatArray, limit: float, full: float) -> FloatArray:
    """Return how far a value stands outside ±limit: 0 inside, ±1 from ±full on, linear between."""
    outside = value - np.clip(value, -limit, limit)
    return np.clip(outside / (full - limit), -1.0, 1.0)


def against(value: FloatArray) -> FloatArray:
    """Turn the sign without leaving a negative zero, which JSON would show."""
    return 0.0 - value
