"""Turning points by a zigzag whose cut-off follows the share's own volatility.

Belongs here: the scales, and turning points as arrays. Does not belong here: any shape they make.

A peak is confirmed by the first usable bar whose low lies κ·σ below the highest high since the last trough, σ being the
standard deviation of the last 60 daily log returns of usable bars known at that bar; a trough is its mirror image
(Osler 1998, FRBNY Staff Report 42, in log price). Before the confirming bar the peak does not exist: `known` is that
bar's row. The extreme of the leg that is under way is no turning point. A confirmed one never changes. Bars without a
trade or with one price alone are passed over. Ours: the next leg begins at the extreme of the bars since the peak, not
at the bar that confirmed it: where sigma shrinks, an earlier bar may lie lower.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.pivots.tape import Ints, Tape

# Osler's ten cut-offs go from 1.5 to 6; these three are an octave apart: swings of days, of weeks, of months.
SCALES: Final = (1.5, 3.0, 6.0)


@dataclass(frozen=True, slots=True)
class Pivots:
    """Turning points of one scale, by symbol and in order; peaks and troughs alternate. Shapes (m,).

    Attributes:
        scale: κ of the cut-off.
        row: Row of the bar that turned, on the tape.
        known: Row of the bar that confirmed it, always later.
        kind: +1 for a peak, −1 for a trough.
        price: Logarithm of the bar's high or low.
        symbol: Position of its symbol on the tape.
    """

    scale: float
    row: Ints
    known: Ints
    kind: Ints
    price: FloatArray
    symbol: Ints

    def __len__(self) -> int:
        return len(self.row)

    def mirrored(self) -> "Pivots":
        """The turning points of the tape that is upside down."""
        return Pivots(self.scale, self.row, self.known, -self.kind, -self.price, self.symbol)


def find_pivots(tape: Tape, scale: float) -> Pivots:
    """Find the turning points of one scale."""
    from bist_pipeline.patterns.pivots._kernels import zigzag

    row, known, kind, counts = zigzag(tape.high, tape.low, tape.sigma, tape.usable, tape.offsets, scale)
    price = np.where(kind > 0, tape.high[row], tape.low[row])
    return Pivots(scale, row, known, kind, price, np.repeat(np.arange(len(tape.symbols)), counts))
