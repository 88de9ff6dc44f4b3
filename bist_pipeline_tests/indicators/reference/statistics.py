"""The family statistics: see the package."""

import numpy as np

from bist_pipeline_tests.indicators.reference._tools import A, line, rolling


def stddev_20(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    return (rolling(np.std, 20, c),)


def linearreg_14(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    return (rolling(lambda w: line(w)[1] + 13 * line(w)[0], 14, c),)


def linearreg_slope_20(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    return (rolling(lambda w: line(w)[0], 20, c),)


def tsf_14(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    return (rolling(lambda w: line(w)[1] + 14 * line(w)[0], 14, c),)


def percentrank_100(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    return (rolling(lambda w: 100 * float(np.mean(w[:-1] < w[-1])), 101, c),)


def range_252(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    return c / rolling(np.max, 252, h) - 1, c / rolling(np.min, 252, lo) - 1
