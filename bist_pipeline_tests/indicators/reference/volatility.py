"""The family volatility: see the package."""

import numpy as np

from bist_pipeline_tests.indicators.reference._tools import A, ema, rolling, sma, smoothed, true_range, wilder


def bbands_20_2(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    middle, width = sma(c, 20), 2 * rolling(np.std, 20, c)
    return middle + width, middle, middle - width


def atr_14(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    return (wilder(true_range(h, lo, c), 14),)


def natr_14(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    return (100 * atr_14(o, h, lo, c, v)[0] / c,)


def keltner_20_2(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    middle = ema((h + lo + c) / 3, 20)
    width = 2 * smoothed(true_range(h, lo, c), 1 / 10, 10, 10)
    return middle + width, middle, middle - width


def donchian_20(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    upper, lower = rolling(np.max, 20, h), rolling(np.min, 20, lo)
    return upper, (upper + lower) / 2, lower
