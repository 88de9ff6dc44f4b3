"""The factor that prices were multiplied with, read off the price grid.

Belongs here: finding f where price / f lies on the grid for all prices of a stretch, and saying which other f would do
as well. Does not belong here: the grid itself (`ticks.py`), and what a factor means (`quality/breaks/`).

1. Seeds: two neighbouring prices differ by a few steps. Each of the smallest differences, divided by 1, 2, 3 …, may be
   the step.
2. Refine: by least squares, first against the differences to the lowest price, which are few steps long and forgive a
   rough seed, then against the prices themselves. What does not come out as whole steps is dropped.
3. Keep: a step is f times a tick; of the f that the ticks in use give, those on which nearly all prices lie on the
   grid of their day. A finer grid holds all prices of a coarser one, so f / 2 or f / 5 fit wherever f does, and where
   the tick grows with the price 2 f or 5 f may fit too.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bist_pipeline.core.bars import DayArray, FloatArray

Snap = Callable[[npt.ArrayLike, npt.ArrayLike], tuple[FloatArray, FloatArray]]

# Prices kept in single precision miss the grid by up to 6e-8 of their count of ticks, some thousand: 0.0003. Ten
# times as much still tells a factor from its neighbour, which misses by 0.25 on average.
TOLERANCE = 0.003
# Of the prices of one stretch, at least so many lie on the grid: one stray print shall not hide a factor.
ENOUGH = 0.97
# Two factors nearer than this are one; prices of 2,500 ticks tell 1e-6 apart.
SAME = 5e-6
# Fewer different prices than this fit some grid by chance.
LEAST = 8
LOWEST, HIGHEST = 0.005, 1.02

_TWINS = 1e-6  # prices nearer than this share are one that was rounded twice
_GAPS, _STEPS = 8, 64  # smallest differences that are tried, and in how many steps each
_MAY_STRAY = 0.1  # steps; what is further off is left out of the second fit
_TICKS = np.array([a * 10.0**power for power in (-2, -1, 0) for a in (1, 2, 2.5, 5)])


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
        lowest: Smallest factor that is looked for.
        highest: Largest one.

    Returns:
        The factors, each refined; none for fewer than `LEAST` different prices.
    """
    all_prices, all_days = np.asarray(prices, dtype=np.float64), np.asarray(days, dtype="datetime64[D]")
    usable = np.flatnonzero(np.isfinite(all_prices) & (all_prices > 0))
    order = usable[np.argsort(all_prices[usable], kind="stable")]
    new = np.diff(all_prices[order], prepend=-np.inf) > _TWINS * all_prices[order]
    values, dates = all_prices[order][new], all_days[order][new]
    if len(values) < LEAST:
        return Lattice((), len(values))
    factors = (_steps(values)[:, None] / _TICKS).ravel()
    factors = _distinct(factors[(factors >= lowest) & (factors <= highest)])
    return Lattice(_fitting(factors, values, dates, snap), len(values))


def _steps(values: FloatArray) -> FloatArray:
    """Return every step of which all prices are whole multiples."""
    gaps = np.sort(np.diff(values))[:_GAPS]
    steps = _distinct((gaps[:, None] / np.arange(1, _STEPS + 1)).ravel())
    for lengths in (values - values[0], values - values[0], values, values):
        counts = np.rint(lengths / steps[:, None])
        counts = np.where(np.abs(lengths / steps[:, None] - counts) < _MAY_STRAY, counts, 0.0)
        squares = (counts**2).sum(axis=1)
        steps = np.where(squares > 0, (counts * lengths).sum(axis=1) / np.maximum(squares, 1.0), steps)
    away = np.abs(values / steps[:, None] - np.rint(values / steps[:, None]))
    # A step finer than the tick counts more of them: what is three times off in steps is on the grid in ticks.
    return _distinct(steps[(away <= 3 * TOLERANCE).mean(axis=1) >= ENOUGH])


def _distinct(numbers: FloatArray) -> FloatArray:
    """Return the numbers descending, without those that hardly differ from the one before."""
    ordered = np.sort(numbers)[::-1]
    return ordered[np.append(True, ordered[1:] < ordered[:-1] * (1 - SAME))] if len(ordered) else ordered


def _fitting(factors: FloatArray, values: FloatArray, dates: DayArray, snap: Snap) -> tuple[float, ...]:
    """Return the factors on which the prices lie on the grid, each fitted to its grid prices."""
    exact, _ = snap(values / factors[:, None], dates)
    factors = (exact * values).sum(axis=1) / (exact**2).sum(axis=1)
    _, away = snap(values / factors[:, None], dates)
    return tuple(_distinct(factors[(away <= TOLERANCE).mean(axis=1) >= ENOUGH]).tolist())
