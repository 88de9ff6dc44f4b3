"""Rolling, smoothing and shifting, in plain Python and NumPy."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

A = npt.NDArray[np.float64]
NAN = float("nan")


def rolling(function: Callable[..., float], n: int, *series: A) -> A:
    """Apply `function` to each window of n."""
    size = len(series[0])
    return np.array([function(*(s[i - n + 1 : i + 1] for s in series)) if i >= n - 1 else NAN for i in range(size)])


def rolling_known(function: Callable[..., float], n: int, series: A) -> A:
    """As `rolling`, over a series that starts with NaN."""
    lead = int(np.isnan(series).sum())
    return np.concatenate([np.full(lead, NAN), rolling(function, n, series[lead:])])


def shifted(series: A, n: int = 1) -> A:
    return np.concatenate([np.full(n, NAN), series[: len(series) - n]])


def smoothed(series: A, alpha: float, seed_from: int, n: int) -> A:
    """Exponential mean seeded with the plain mean of the n values from `seed_from` on."""
    out = np.full(len(series), NAN)
    first = seed_from + n - 1
    out[first] = series[seed_from : first + 1].mean()
    for i in range(first + 1, len(series)):
        out[i] = out[i - 1] + alpha * (series[i] - out[i - 1])
    return out


def ema(series: A, n: int) -> A:
    return smoothed(series, 2 / (n + 1), int(np.isnan(series).sum()), n)


def wilder(series: A, n: int) -> A:
    return smoothed(series, 1 / n, int(np.isnan(series).sum()), n)


def sma(series: A, n: int) -> A:
    return rolling_known(np.mean, n, series)


def wma(series: A, n: int) -> A:
    weights = np.arange(1, n + 1)
    return rolling_known(lambda w: float(w @ weights) / weights.sum(), n, series)


def true_range(h: A, lo: A, c: A) -> A:
    before = shifted(c)
    spread = np.maximum(h - lo, np.maximum(np.abs(h - before), np.abs(lo - before)))
    spread[:1] = NAN
    return spread


def line(window: A) -> tuple[float, float]:
    slope, start = np.polyfit(np.arange(len(window)), window - window[0], 1)
    return float(slope), float(start + window[0])
