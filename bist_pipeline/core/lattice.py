"""The factor that prices were multiplied with, read off the price grid.

Belongs here: finding f where price / f lies on the grid for all prices of a stretch, and saying which other f would do
as well. Does not belong here: the grid itself (`ticks.py`), and what a factor means (`quality/breaks/`).

1. Scan: on a logarithmic scale so fine that the true factor is missed by at most an eighth of a tick, the mean cosine
   of the phase of each price in its tick. Off the grid it is about zero, near a factor about one.
2. Refine: every peak by least squares against the grid prices that it makes of the prices.
3. Keep: the factors on which nearly all prices lie within `tolerance`. A finer grid holds all prices of a coarser
   one, so f / 2 or f / 3 fit wherever f does, and where the ticks double with the price 2 f may fit too.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bist_pipeline.core.bars import DayArray, FloatArray

Snap = Callable[[npt.ArrayLike, npt.ArrayLike], tuple[FloatArray, FloatArray]]

# Prices kept in single precision miss the grid by up to 6e-8 of their count of ticks, at most some thousand: 0.0003.
# Twenty times as much still tells a factor from its neighbour, which misses by 0.25 on average.
TOLERANCE = 0.006
# Of the prices of one stretch, at least so many lie on the grid: one stray print shall not hide a factor.
ENOUGH = 0.97
# Two factors nearer than this are one; prices of 2,500 ticks tell 1e-6 apart.
SAME = 5e-6
LOWEST, HIGHEST = 0.005, 1.02

_PHASE_STEP = 0.25  # ticks between two steps of the scan, at the price of most ticks
_PEAK = 0.55  # mean cosine of a peak; an eighth of a tick off it is 0.71, chance on 24 prices gives 0.14 as deviation
_SCANNED, _REFINED, _BLOCK = 24, 400, 4096


@dataclass(frozen=True, slots=True)
class Lattice:
    """What the grid says about a stretch of prices.

    Attributes:
        factors: Every factor that puts the prices on the grid, descending: the first is the coarsest grid. Empty where
            none does; more than one where the prices cannot tell.
        prices: How many different prices there were.
    """

    factors: tuple[float, ...]
    prices: int


def on_grid(prices: npt.ArrayLike, days: npt.ArrayLike, factor: float, snap: Snap) -> npt.NDArray[np.bool_]:
    """Say of each price whether price / factor lies on the grid of its day, in the shape of `prices`."""
    _, away = snap(np.asarray(prices, dtype=np.float64) / factor, days)
    return away <= TOLERANCE


def find_factors(
    prices: npt.ArrayLike, days: npt.ArrayLike, snap: Snap, *, lowest: float = LOWEST, highest: float = HIGHEST
) -> Lattice:
    """Find the factors that the prices were multiplied with.

    Args:
        prices: Prices of one stretch with one factor, shape (n,); what is not finite or not positive is left out.
        days: Their sessions, shape (n,).
        snap: The nearest price of the grid and the distance in ticks.
        lowest, highest: Between which the factor is searched.

    Returns:
        The factors, each refined; none for fewer than five different prices, which fit many grids by chance.
    """
    all_prices, all_days = np.asarray(prices, dtype=np.float64), np.asarray(days, dtype="datetime64[D]")
    usable = np.isfinite(all_prices) & (all_prices > 0)
    values, first = np.unique(all_prices[usable], return_index=True)
    dates = all_days[usable][first]
    if len(values) < 5:
        return Lattice((), len(values))
    some = np.unique(np.linspace(0, len(values) - 1, _SCANNED).astype(int))
    peaks = _scan(values[some], dates[some], snap, lowest, highest)
    return Lattice(_keep(_refine(peaks, values, dates, snap), values, dates, snap), len(values))


def _scan(values: FloatArray, dates: DayArray, snap: Snap, lowest: float, highest: float) -> FloatArray:
    """Return the factors at which the prices are nearly in phase with the grid, best first."""
    found, score = [], []
    for top in _octaves(lowest, highest):
        low = max(top / 2, lowest)
        ticks = _most_ticks(values, dates, low, snap)
        grid = np.exp(np.arange(np.log(low), np.log(top), _PHASE_STEP / ticks))
        for start in range(0, len(grid), _BLOCK):
            block = grid[start : start + _BLOCK]
            _, away = snap(values[None, :] / block[:, None], dates[None, :])
            phase = np.cos(2 * np.pi * away).mean(axis=1)
            found.append(block[phase > _PEAK])
            score.append(phase[phase > _PEAK])
    order = np.argsort(-np.concatenate(score), kind="stable")[:_REFINED]
    return np.concatenate(found)[order]


def _octaves(lowest: float, highest: float) -> list[float]:
    count = max(int(np.ceil(np.log2(highest / lowest))), 1)
    return [highest / 2**power for power in range(count)]


def _most_ticks(values: FloatArray, dates: DayArray, factor: float, snap: Snap) -> float:
    """Return how many ticks the price of most ticks has, anywhere within the octave from `factor` up."""
    scaled = values[None, :] / (factor * np.array([1.0, 1.26, 1.59, 2.0]))[:, None]
    exact, _ = snap(scaled, dates[None, :])
    # The tick is the way to the neighbour on the grid; half of the price is far enough to snap somewhere else.
    step = np.full(exact.shape, np.inf)
    for nudge in (0.011, 0.021, 0.051, 0.11, 0.26, 0.51, 1.1, 2.6):
        above, _ = snap(exact + nudge, dates[None, :])
        step = np.where(np.isinf(step) & (above > exact), above - exact, step)
    return float(np.nanmax(np.where(np.isfinite(step), exact / step, 1.0)))


def _refine(peaks: FloatArray, values: FloatArray, dates: DayArray, snap: Snap) -> FloatArray:
    factors = peaks
    for _ in range(4):
        exact, _ = snap(values[None, :] / factors[:, None], dates[None, :])
        factors = (exact * values).sum(axis=1) / (exact**2).sum(axis=1)
    return factors


def _keep(factors: FloatArray, values: FloatArray, dates: DayArray, snap: Snap) -> tuple[float, ...]:
    if not len(factors):
        return ()
    _, away = snap(values[None, :] / factors[:, None], dates[None, :])
    good = np.sort(factors[(away <= TOLERANCE).mean(axis=1) >= ENOUGH])[::-1]
    if not len(good):
        return ()
    new = np.append(True, good[1:] < good[:-1] * (1 - SAME))
    return tuple(good[new].tolist())
