"""The family trend: see the package."""

import numpy as np

from bist_pipeline_tests.indicators.reference._tools import (
    NAN,
    A,
    ema,
    rolling,
    rolling_known,
    shifted,
    sma,
    true_range,
    wilder,
    wma,
)


def sma_columns(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    return tuple(sma(c, n) for n in (5, 10, 20, 50, 100, 200))


def ema_columns(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    return tuple(ema(c, n) for n in (5, 10, 12, 20, 26, 50, 100, 200))


def wma_20(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    return (wma(c, 20),)


def dema_20(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    once = ema(c, 20)
    return (2 * once - ema(once, 20),)


def tema_20(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    once = ema(c, 20)
    twice = ema(once, 20)
    return (3 * once - 3 * twice + ema(twice, 20),)


def t3_5(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    """GD(GD(GD(c))) with GD(x) = (1 + a)·EMA(x) − a·EMA(EMA(x)), multiplied out over six chained means."""
    a, chain = 0.7, [c]
    for _ in range(6):
        chain.append(ema(chain[-1], 5))
    e3, e4, e5, e6 = chain[3:]
    return ((1 + a) ** 3 * e3 - 3 * a * (1 + a) ** 2 * e4 + 3 * a**2 * (1 + a) * e5 - a**3 * e6,)


def kama_10(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    n, out = 10, np.full(len(c), NAN)
    previous = c[n - 1]
    for i in range(n, len(c)):
        path = np.abs(np.diff(c[i - n : i + 1])).sum()
        efficiency = abs(c[i] - c[i - n]) / path if path > 0 else 1.0
        weight = (efficiency * (2 / 3 - 2 / 31) + 2 / 31) ** 2
        previous += weight * (c[i] - previous)
        out[i] = previous
    return (out,)


def hma_20(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    return (wma(2 * wma(c, 10) - wma(c, 20), 4),)


def vwma_20(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    return (rolling(lambda p, w: float(p @ w) / w.sum(), 20, c, v),)


def sar(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    out = np.full(len(c), NAN)
    # Falling if the second bar's low fell by more than its high rose.
    down, up = lo[0] - lo[1], h[1] - h[0]
    rising = not (down > 0 and down > up)
    stop, extreme, step = (lo[0], h[1], 0.02) if rising else (h[0], lo[1], 0.02)
    for i in range(1, len(c)):
        # Never inside the range of the two bars before; the very first bar does not count.
        near = slice(max(i - 2, 1), i)
        stop = min([stop, *lo[near]]) if rising else max([stop, *h[near]])
        if (lo[i] <= stop) if rising else (h[i] >= stop):
            last_two = slice(max(i - 1, 1), i + 1)
            stop = max(extreme, *h[last_two]) if rising else min(extreme, *lo[last_two])
            rising, step = not rising, 0.02
            extreme = h[i] if rising else lo[i]
        elif (h[i] > extreme) if rising else (lo[i] < extreme):
            extreme = h[i] if rising else lo[i]
            step = min(step + 0.02, 0.2)
        out[i] = stop
        stop += step * (extreme - stop)
    return (out,)


def supertrend_10_3(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    atr, middle = wilder(true_range(h, lo, c), 10), (h + lo) / 2
    stop, direction = np.full(len(c), NAN), np.full(len(c), NAN)
    upper, lower, rising = NAN, NAN, True
    for i in range(10, len(c)):
        basic_upper, basic_lower = middle[i] + 3 * atr[i], middle[i] - 3 * atr[i]
        if i == 10:
            upper, lower = basic_upper, basic_lower
        else:
            upper = basic_upper if basic_upper < upper or c[i - 1] > upper else upper
            lower = basic_lower if basic_lower > lower or c[i - 1] < lower else lower
            rising = c[i] >= lower if rising else c[i] > upper
        stop[i], direction[i] = (lower, 1.0) if rising else (upper, -1.0)
    return stop, direction


def adx_14(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    """Wilder's sums start with 13 bars, so that the 14th already carries one step of smoothing."""
    n = 14
    up, down = h - shifted(h), shifted(lo) - lo
    parts = [
        np.where((up > down) & (up > 0), up, 0.0),
        np.where((down > up) & (down > 0), down, 0.0),
        true_range(h, lo, c),
    ]
    sums = []
    for part in parts:
        total, out = part[1:n].sum(), np.full(len(c), NAN)
        for i in range(n, len(c)):
            total += part[i] - total / n
            out[i] = total
        sums.append(out)
    plus, minus = 100 * sums[0] / sums[2], 100 * sums[1] / sums[2]
    return wilder(100 * np.abs(plus - minus) / (plus + minus), n), plus, minus


def aroon_25(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    def age(window: A) -> float:
        return 100 * (25 - int(np.argmax(window[::-1]))) / 25

    return rolling(age, 26, h), rolling(age, 26, -lo)


def vortex_14(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    spread = rolling_known(np.sum, 14, true_range(h, lo, c))
    up = rolling_known(np.sum, 14, np.abs(h - shifted(lo)))
    return up / spread, rolling_known(np.sum, 14, np.abs(lo - shifted(h))) / spread
