"""Horizontal levels: prices at which a share turned several times.

Belongs here: gathering turning points into levels, and which levels are kept. Does not belong here: what a break of one
means (`chart/levels.py`), candlesticks at one (`level_context.py`).

Each time a turning point is confirmed, those of the last 250 bars are gathered anew by single linkage in log price:
neighbours no more than half an ATR apart (as it is at the confirming bar) are one level. Peaks and troughs count alike:
what held a fall may stop a rise. The level's price is the mean of its touches, weighted by volume; its strength the sum
of 0.5^(age / 60 bars) · (1 + log volume ratio). A level of three touches or more is kept, if all lie within 1.5 ATR:
single linkage chains what lies densely, and the mean of a wide chain is no price at which anything turned. The levels
of one gathering hold until the next.

Volume is that of the touch's bar over the mean of the 20 before, both for weight and strength: turnover grows over a
year, and with shares counted the newest touch alone would be the level. A touch at less than 1 / e of the usual volume
adds nothing to the strength; one whose usual volume is not known counts as usual.

The turning points are those of 3 σ: there are about 27 of them in 250 bars of a share that moves over 25 ATR. Those of
1.5 σ are three times as many and lie closer than half an ATR, so that single linkage would chain them all together.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.pivots.arrays import Flags, Ints
from bist_pipeline.patterns.pivots.tape import Tape
from bist_pipeline.patterns.pivots.zigzag import Pivots

SCALE: Final = 3.0
WINDOW_BARS: Final = 250
GAP_ATR: Final = 0.5
HALF_LIFE_BARS: Final = 60.0
LEAST_TOUCHES: Final = 3
MOST_SPREAD_ATR: Final = 1.5
_VOLUME_BARS = 20


@dataclass(frozen=True, slots=True)
class Levels:
    """The levels of every gathering; a gathering is the bar that confirms a turning point.

    Attributes:
        pivots: The turning points; gathering j is made when the j-th is confirmed.
        begins: First level of each gathering, and the end, shape (gatherings + 1,).
        price: Log price of each level, shape (levels,).
        strength: See above, shape (levels,).
        spread_atr: Highest touch less lowest, in ATR at the gathering, shape (levels,).
        touch_begins: Where each level's touches begin, and the end, shape (levels + 1,).
        touches: Positions in `pivots` of each level's touches, in time order.
        kept: Which levels have touches enough that lie near enough to each other, shape (levels,).
    """

    pivots: Pivots
    begins: Ints
    price: FloatArray
    strength: FloatArray
    spread_atr: FloatArray
    touch_begins: Ints
    touches: Ints
    kept: Flags

    @property
    def counts(self) -> Ints:
        """How many touches each level has."""
        return np.diff(self.touch_begins)

    def newest_touches(self, chosen: Ints, most: int) -> Ints:
        """Positions in `pivots` of the newest touches of some levels, in time order; −1 where there are fewer."""
        begin, counts = self.touch_begins[chosen][:, None], self.counts[chosen][:, None]
        places = np.maximum(counts - most, 0) + np.arange(most)
        return np.where(places < counts, self.touches[begin + np.minimum(places, counts - 1)], -1)


def find_levels(
    tape: Tape,
    pivots: Pivots,
    *,
    window_bars: int = WINDOW_BARS,
    gap_atr: float = GAP_ATR,
    half_life_bars: float = HALF_LIFE_BARS,
    least_touches: int = LEAST_TOUCHES,
    most_spread_atr: float = MOST_SPREAD_ATR,
) -> Levels:
    """Gather turning points into levels of two touches or more.

    Args:
        tape: The bars.
        pivots: Those of `SCALE`.
        window_bars: Turning points of so many bars count.
        gap_atr: Neighbours no further apart are joined, in ATR.
        half_life_bars: Bars in which a touch loses half of its weight in the strength.
        least_touches: Touches that a kept level has at least.
        most_spread_atr: Highest touch less lowest that a kept level has at most, in ATR.
    """
    from bist_pipeline.patterns.structures._level_kernels import gather, volume_ratios

    counts = np.bincount(pivots.symbol, minlength=len(tape.symbols))
    ratio = volume_ratios(tape.volume, pivots.row, tape.offsets[pivots.symbol], _VOLUME_BARS)
    turned = (pivots.row, pivots.known, pivots.price, ratio)
    begins, price, strength, spread, touch_begins, touches = gather(
        turned, counts, tape.atr, window_bars, gap_atr, half_life_bars
    )
    kept = (np.diff(touch_begins) >= least_touches) & (spread <= most_spread_atr)
    return Levels(pivots, begins, price, strength, spread, touch_begins, touches, kept)


def nearest_level(tape: Tape, levels: Levels) -> FloatArray:
    """Log price of the kept level nearest to each close, of those known at that bar; NaN where there is none."""
    from bist_pipeline.patterns.structures._level_kernels import nearest_levels

    counts = np.bincount(levels.pivots.symbol, minlength=len(tape.symbols))
    return nearest_levels(
        tape.close, tape.offsets, levels.pivots.known, counts, levels.begins, levels.price, levels.kept
    )
