"""The tick grid as a witness: prices as traded lie on it, on whatever basis a source tells them.

Belongs here: bringing disputed prices back to what was traded, and saying which of them cannot have been. Where neither
source is as traded, the factor is read off the grid from the agreed bars around (`core/lattice.py`).
"""

import numpy as np

from bist_pipeline.core.bars import DayArray, FloatArray
from bist_pipeline.core.lattice import find_factors
from bist_pipeline.core.ticks import ON_GRID, snap, tick_size
from bist_pipeline.quality.comparison._disputes import Compared
from bist_pipeline.quality.comparison._pairs import CLOSE, BoolArray, IntArray, Side
from bist_pipeline.quality.comparison.contract import COARSEST_GRID, MIN_ON_GRID

_FLOAT32 = 2e-7  # relative: half a bit, of the price and of its factor
_AROUND = 20  # bars to each side from which a factor is read
_LEAST_AROUND = 5
# Two sources that disagree on more bars than this differ in kind; a factor takes some hundredths of a second.
MOST_FACTORS = 300
_LOWEST_FACTOR = 0.02


def off_grid(compared: Compared, rows: IntArray) -> tuple[BoolArray, BoolArray]:
    """Return against which bars of the first and of the second a disputed price off the grid speaks."""
    shifts = _to_traded(compared, rows)
    sides = (compared.pairs.first, compared.pairs.second)
    found = []
    for side, shift, half in zip(sides, shifts, compared.halves, strict=True):
        off = _off(side.prices[:, rows], compared.pairs.day[rows], shift, half[rows])
        found.append((off & compared.disputed[:, rows]).any(axis=0) & _credible(compared, side, half, rows, shift))
    return found[0], found[1]


def _to_traded(compared: Compared, rows: IntArray) -> tuple[FloatArray, FloatArray]:
    """Log of what the prices of each source are multiplied with to be as traded; NaN where nobody knows."""
    pairs, level = compared.pairs, compared.levels.level[rows]
    traded = pairs.first.is_traded[rows], pairs.second.is_traded[rows]
    is_share = compared.is_share[rows]
    read = np.full(len(rows), np.nan)
    unknown = np.flatnonzero(~traded[0] & ~traded[1] & is_share)
    for place in unknown[:MOST_FACTORS].tolist():
        read[place] = _read_factor(compared, int(rows[place]))
    first = np.where(traded[0], 0.0, np.where(traded[1], -level, read))
    second = np.where(traded[1], 0.0, np.where(traded[0], level, read + level))
    return np.where(is_share, first, np.nan), np.where(is_share, second, np.nan)


def _read_factor(compared: Compared, row: int) -> float:
    """Log of what the first's prices around a bar are multiplied with to lie on the grid; NaN where nothing does."""
    pairs, levels = compared.pairs, compared.levels
    around = np.arange(max(row - _AROUND, 0), min(row + _AROUND + 1, len(pairs)))
    good = around[compared.beside(row, around) & ~compared.disputed[:, around].any(axis=0)]
    if len(good) < _LEAST_AROUND:
        return np.nan
    # Rounded prices lie on no grid: the source that is not rounded tells, or nobody.
    rounded = compared.halves[0][row] > 0
    side, level = (pairs.second, levels.level[row]) if rounded else (pairs.first, 0.0)
    if rounded and compared.halves[1][row] > 0:
        return np.nan
    prices = side.prices[:, good]
    days = np.broadcast_to(pairs.day[good], prices.shape)
    factors = find_factors(prices.ravel(), days.ravel(), snap, lowest=_LOWEST_FACTOR).factors
    return -float(np.log(factors[0])) - level if factors else np.nan


def _off(prices: FloatArray, day: DayArray, shift: FloatArray, half: FloatArray) -> BoolArray:
    """Whether prices cannot have been traded, shape of `prices`; not where rounding leaves nothing to say."""
    traded = prices * np.exp(shift)
    days = np.broadcast_to(day, prices.shape)
    _, away = snap(traded, days)
    allowed = ON_GRID + (half * np.exp(shift) + _FLOAT32 * traded) / tick_size(traded, days)
    return (away > allowed) & (allowed <= COARSEST_GRID)


def _credible(compared: Compared, side: Side, half: FloatArray, rows: IntArray, shift: FloatArray) -> BoolArray:
    """Whether the source's agreed closes of the same level lie on the grid: else its basis is not what it seems."""
    pairs = compared.pairs
    credible = np.zeros(len(rows), dtype=bool)
    for place, row in enumerate(rows.tolist()):
        if not np.isfinite(shift[place]):
            continue
        around = np.arange(max(row - _AROUND, 0), min(row + _AROUND + 1, len(pairs)))
        good = around[compared.beside(row, around) & ~compared.disputed[CLOSE][around]]
        closes, shifts = side.close[good], np.full(len(good), shift[place])
        off = _off(closes, pairs.day[good], shifts, half[good])
        credible[place] = len(good) >= _LEAST_AROUND and off.mean() <= 1 - MIN_ON_GRID
    return credible
