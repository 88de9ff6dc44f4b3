"""Turning points by counting bars: a high that five bars before and five after do not exceed.

Belongs here: the N-bar pivot (fractal), beside the zigzag, for what is compared bar by bar (oscillators). It is known
only when the bars after it are there: five usable bars later, never at the pivot itself. Of equal highs the first one
counts. Bars without a trade or with one price alone are passed over.
"""

from typing import Final

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.pivots.tape import Flags, Ints, Tape

BARS: Final = 5


def find_bar_highs(tape: Tape, values: FloatArray | None = None, *, bars: int = BARS) -> tuple[Ints, Ints]:
    """Find the bars at which a series is at its highest, five bars to each side.

    Args:
        tape: The bars.
        values: The series, one value a bar, NaN where unknown; None for the highs of the bars.
        bars: How many usable bars to each side.

    Returns:
        Row of each, and row at which it became known, ascending.
    """
    from bist_pipeline.patterns.pivots._kernels import bar_pivots

    series = tape.high if values is None else values
    usable: Flags = tape.usable & ~np.isnan(series)
    return bar_pivots(series, usable, tape.offsets, bars, bars)
