"""Where two sources disagree about a bar, and by how much.

Belongs here: the arrays that evidence and words are made from. Does not belong here: who is right (`_evidence.py`).
"""

from dataclasses import dataclass

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.core.symbols import symbol_kind
from bist_pipeline.quality.comparison._levels import Levels, find_levels
from bist_pipeline.quality.comparison._pairs import CLOSE, BoolArray, IntArray, Pairs
from bist_pipeline.quality.comparison._rounding import decimals, rounding, settled_rounding, tolerance
from bist_pipeline.quality.comparison._volumes import Volumes, compare_volumes
from bist_pipeline.quality.comparison.contract import MIN_AGREEING, MIN_OVERLAP


@dataclass(frozen=True, slots=True)
class Compared:
    """Rows on which both sources have a close; arrays of shape (n,) where nothing else is said.

    Attributes:
        pairs: The values.
        levels: The ratio between them.
        volumes: The volumes in one unit.
        halves: By how many lira rounding may have moved a price of the first, of the second.
        digits: Decimals to which they round, per symbol.
        residual: log of first per second less the level, of open, high, low, close; shape (4, n).
        disputed: Which of the four disagree, shape (4, n).
        comparable: Per symbol, whether they tell of one share, shape (s,).
    """

    pairs: Pairs
    levels: Levels
    volumes: Volumes
    halves: tuple[FloatArray, FloatArray]
    digits: tuple[IntArray, IntArray]
    residual: FloatArray
    disputed: BoolArray
    comparable: BoolArray

    @property
    def on_price(self) -> BoolArray:
        """Bars of comparable symbols with a price in dispute."""
        return self.disputed.any(axis=0) & self._usable

    @property
    def on_volume(self) -> BoolArray:
        """Bars of comparable symbols with nothing but the volume in dispute."""
        return self.volumes.disagree & ~self.disputed.any(axis=0) & self._usable

    @property
    def agrees(self) -> BoolArray:
        """Bars of comparable symbols on which nothing is in dispute."""
        return ~self.volumes.disagree & ~self.disputed.any(axis=0) & self._usable

    @property
    def is_share(self) -> BoolArray:
        """Which bars are of shares: indices have neither ticks nor a price limit."""
        kinds = [symbol_kind(str(name)) == "share" for name in self.pairs.symbols]
        return np.array(kinds, dtype=bool)[self.pairs.code]

    @property
    def _usable(self) -> BoolArray:
        return self.comparable[self.pairs.code]

    def beside(self, row: int, others: IntArray) -> BoolArray:
        """Which other rows are of the same symbol and the same level as a row."""
        code, plateau = self.pairs.code, self.levels.plateau
        return (code[others] == code[row]) & (plateau[others] == plateau[row])

    def neighbours(self) -> tuple[IntArray, IntArray]:
        """Row of the last agreed close before each row and of the first after it; -1 where the symbol has none."""
        rows = np.arange(len(self.pairs))
        good = ~self.disputed[CLOSE] & np.isfinite(self.levels.level)
        before = _last(np.where(good, rows, -1))
        after = len(rows) - 1 - _last(np.where(good, rows, -1)[::-1], flip=len(rows))[::-1]
        return _own(before, self.pairs.code), _own(np.where(after >= len(rows), -1, after), self.pairs.code)


def _last(places: IntArray, flip: int = 0) -> IntArray:
    """The last known place before each, exclusive; -1 where none is. `flip` counts them from the other end."""
    known = np.where(places >= 0, flip - 1 - places, -1) if flip else places
    return np.append(-1, np.maximum.accumulate(known)[:-1]) if len(known) else known


def _own(places: IntArray, code: IntArray) -> IntArray:
    """Drop places that are another symbol's."""
    return np.where((places >= 0) & (code[places] == code), places, -1) if len(code) else places


def compare_bars(pairs: Pairs) -> Compared:
    """Compare the rows on which both have a close.

    Args:
        pairs: All rows.
    """
    both = pairs.take(np.flatnonzero(np.isfinite(pairs.first.close) & np.isfinite(pairs.second.close)))
    count, sides = len(both.symbols), (both.first, both.second)
    first, second = (decimals(side, both.code, count) for side in sides)
    halves = settled_rounding(both, (rounding(both.first, first, both.code), rounding(both.second, second, both.code)))
    allowed = np.stack(
        [tolerance((one, other), halves) for one, other in zip(both.first.prices, both.second.prices, strict=True)]
    )
    ratio = np.log(both.first.prices / both.second.prices)
    levels = find_levels(ratio[CLOSE], allowed[CLOSE], both.code)
    residual = ratio - levels.level
    disputed = np.abs(residual) > allowed + levels.slack
    return Compared(
        *(both, levels, compare_volumes(both), halves, (first, second), residual, disputed),
        _comparable(levels, disputed[CLOSE], both.code, count),
    )


def _comparable(levels: Levels, disputed: BoolArray, code: IntArray, symbols: int) -> BoolArray:
    bars = np.bincount(code, minlength=symbols)
    good = np.bincount(code, weights=np.isfinite(levels.level) & ~disputed, minlength=symbols)
    return (bars >= MIN_OVERLAP) & (good >= MIN_AGREEING * bars)
