"""The family volume: see the package."""

import numpy as np

from bist_pipeline_tests.indicators.reference._tools import NAN, A, ema, rolling, rolling_known, shifted, sma, smoothed


def obv(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    return (v[0] + np.concatenate([[0.0], np.cumsum(np.sign(np.diff(c)) * v[1:])]),)


def flow(h: A, lo: A, c: A, v: A) -> A:
    spread = np.where(h > lo, h - lo, 1.0)
    return np.where(h > lo, v * ((c - lo) - (h - c)) / spread, 0.0)


def ad(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    return (np.cumsum(flow(h, lo, c, v)),)


def adosc_3_10(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    total = np.cumsum(flow(h, lo, c, v))
    out = smoothed(total, 2 / 4, 0, 1) - smoothed(total, 2 / 11, 0, 1)
    out[:9] = NAN
    return (out,)


def cmf_20(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    return (rolling(np.sum, 20, flow(h, lo, c, v)) / rolling(np.sum, 20, v),)


def mfi_14(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    typical = (h + lo + c) / 3
    before = shifted(typical)
    # On a tick grid typical prices are often equal; the division by three must not make a rise or a fall of that.
    change = np.where(np.isclose(typical, before, rtol=1e-13, atol=0), 0.0, typical - before)
    rising, falling = np.where(change > 0, typical * v, 0.0), np.where(change < 0, typical * v, 0.0)
    rising[:1] = falling[:1] = NAN
    up, down = rolling_known(np.sum, 14, rising), rolling_known(np.sum, 14, falling)
    return (100 * up / (up + down),)


def efi_13(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    return (ema((c - shifted(c)) * v, 13),)


def pvo_12_26(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    return (100 * (ema(v, 12) / ema(v, 26) - 1),)


def rvol_20(o: A, h: A, lo: A, c: A, v: A) -> tuple[A, ...]:
    return (v / shifted(sma(v, 20)),)
