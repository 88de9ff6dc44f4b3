"""The family momentum: see the package."""

import numpy as np

from bist_pipeline_tests.indicators.reference._tools import (
    NAN,
    A,
    ema,
    rolling,
    rolling_known,
    shifted,
    sma,
    smoothed,
    true_range,
    wilder,
)


def macd_12_26_9(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    difference = smoothed(c, 2 / 13, 14, 12) - ema(c, 26)
    signal = ema(difference, 9)
    difference[:33] = NAN
    return difference, signal, difference - signal


def rsi_14(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    change = c - shifted(c)
    rise, fall = wilder(np.maximum(change, 0), 14), wilder(np.maximum(-change, 0), 14)
    return (100 * rise / (rise + fall),)


def stoch_14_3_3(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    low, high = rolling(np.min, 14, lo), rolling(np.max, 14, h)
    k = sma(100 * (c - low) / (high - low), 3)
    d = sma(k, 3)
    k[:17] = NAN
    return k, d


def cci_20(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    typical = (h + lo + c) / 3
    return (rolling(lambda w: (w[-1] - w.mean()) / (0.015 * np.abs(w - w.mean()).mean()), 20, typical),)


def willr_14(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    low, high = rolling(np.min, 14, lo), rolling(np.max, 14, h)
    return (-100 * (high - c) / (high - low),)


def roc_10(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    return (100 * (c / shifted(c, 10) - 1),)


def mom_10(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    return (c - shifted(c, 10),)


def ppo_12_26(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    return (100 * (ema(c, 12) / ema(c, 26) - 1),)


def trix_15(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    third = ema(ema(ema(c, 15), 15), 15)
    return (100 * (third / shifted(third) - 1),)


def ultosc_7_14_28(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    before = shifted(c)
    pressure, spread = c - np.fmin(lo, before), true_range(h, lo, c)
    pressure[:1] = NAN
    terms = [rolling_known(np.sum, n, pressure) / rolling_known(np.sum, n, spread) for n in (7, 14, 28)]
    return (100 * (4 * terms[0] + 2 * terms[1] + terms[2]) / 7,)


def tsi_25_13(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    change = c - shifted(c)
    return (100 * ema(ema(change, 25), 13) / ema(ema(np.abs(change), 25), 13),)
