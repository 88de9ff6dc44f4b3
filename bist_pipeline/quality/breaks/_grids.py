"""On which grid the bars on either side of a break lie.

Belongs here: finding the factors of the longest one-factor stretch next to a break. Does not belong here: what two
factors mean together (`_factors.py`).
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bist_pipeline.core.bars import DayArray, FloatArray
from bist_pipeline.core.lattice import Snap, find_factors, on_grid
from bist_pipeline.quality.breaks._thresholds import CONVINCING, FOLLOWED, LONG_ENOUGH, SAME_FACTOR, WINDOWS
from bist_pipeline.quality.breaks.contract import SymbolHistory


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bars next to a break that lie on one grid.

    Attributes:
        factor: What the prices were multiplied with.
        bars: How many bars in a row lie on that grid, at most `FOLLOWED`.
    """

    factor: float
    bars: int


@dataclass(frozen=True, slots=True)
class Grid:
    """The prices of one symbol against the grid of its exchange.

    Attributes:
        prices: Open, high, low and close of each usable bar, shape (m, 4).
        day: Its session, shape (m,).
        snap: The exchange's grid.
    """

    prices: FloatArray
    day: DayArray
    snap: Snap

    def fitting(self, start: int, stop: int, factor: float) -> npt.NDArray[np.bool_]:
        """Say of each bar from `start` to `stop` (exclusive) whether all its prices / factor lie on the grid."""
        prices = self.prices[start:stop]
        days = np.repeat(self.day[start:stop, None], prices.shape[1], axis=1)
        fits = on_grid(prices, days, factor, self.snap)
        return np.asarray((fits | ~np.isfinite(prices)).all(axis=1), dtype=bool)

    def before(self, position: int, likely: float | None = None) -> list[Stretch]:
        """Return the stretches that end just before a bar, one per factor, the most convincing first.

        Args:
            position: The bar.
            likely: A factor that is taken alone wherever it fits nearly as long as any.
        """
        return self._stretches(max(position - FOLLOWED, 0), position, likely, backwards=True)

    def after(self, position: int, likely: float | None = None) -> list[Stretch]:
        """Return the stretches that begin with a bar, in the same way."""
        return self._stretches(position, min(position + FOLLOWED, len(self.day)), likely, backwards=False)

    def across(self, position: int, before: list[Stretch], after: list[Stretch]) -> Stretch | None:
        """Return the stretch whose grid goes on over a bar: the best of one side, if it does on the other side too."""
        for best, rivals, backwards in ((before[:1], after, False), (after[:1], before, True)):
            span = (max(position - FOLLOWED, 0), position) if backwards else (position, position + FOLLOWED)
            # Where the other side has no grid of its own, as a change follows at once, its first bar decides.
            enough = min(CONVINCING, rivals[0].bars) if rivals else 1
            for stretch in best:
                if self.run(*span, stretch.factor, backwards=backwards) >= enough:
                    return stretch
        return None

    def run(self, start: int, stop: int, factor: float, *, backwards: bool) -> int:
        """Count the bars on one grid from one end on; a stray bar does not end it where `LONG_ENOUGH` follow."""
        fits = self.fitting(start, stop, factor)
        fits = fits[::-1] if backwards else fits
        behind = np.append(fits, np.zeros(LONG_ENOUGH, dtype=bool))
        goes_on = np.all([behind[1 + k : 1 + k + len(fits)] for k in range(LONG_ENOUGH)], axis=0)
        goes_on[:1] = False  # the bar at the break itself decides
        ends = np.flatnonzero(~(fits | goes_on))
        return int(ends[0]) if len(ends) else len(fits)

    def _stretches(self, start: int, stop: int, likely: float | None, *, backwards: bool) -> list[Stretch]:
        for window in WINDOWS:
            low, high = (max(stop - window, start), stop) if backwards else (start, min(start + window, stop))
            prices = self.prices[low:high]
            days = np.repeat(self.day[low:high], prices.shape[1])
            if factors := find_factors(prices.ravel(), days, self.snap).factors:
                best = self._followed(start, stop, factors, backwards=backwards)
                taken = 0 if likely is None else self.run(start, stop, likely, backwards=backwards)
                enough = min(max(best[0].bars - 1, 1), CONVINCING) if best else 1
                return [Stretch(likely, taken)] if likely is not None and taken >= enough else best
        return []

    def _followed(self, start: int, stop: int, factors: tuple[float, ...], *, backwards: bool) -> list[Stretch]:
        runs = [(factor, self.run(start, stop, factor, backwards=backwards)) for factor in factors]
        longest = max(bars for _, bars in runs)
        # A factor that holds nearly as long as any is as good; of those the coarsest grid says most.
        best = [Stretch(factor, bars) for factor, bars in runs if bars and bars >= longest - 1]
        return sorted(best, key=lambda stretch: -stretch.factor)


def same(one: float, other: float) -> bool:
    """Whether two factors are one."""
    return abs(one / other - 1) < SAME_FACTOR


def grid_of(history: SymbolHistory, bar: npt.NDArray[np.int64], snap: Snap, without: Collection[int] = ()) -> Grid:
    """Lay out the usable bars of a history.

    Args:
        history: One symbol.
        bar: Numbers of its usable bars, shape (m,).
        snap: The exchange's grid.
        without: Numbers of those that are withheld: they say nothing about the grid.
    """
    prices = np.column_stack([history.open, history.high, history.low, history.close])[bar]
    said = (prices > 0) & ~np.isin(bar, list(without))[:, None]
    return Grid(np.where(said, prices, np.nan), history.day[bar], snap)
