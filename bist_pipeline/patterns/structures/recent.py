"""What of the past may be left out where only the newest sessions are asked for.

Belongs here: finding the symbols for which it may not. Does not belong here: searching (`engine.py`).

The candidates of the last `TAIL_BARS` bars before the sessions asked for are searched; older ones are unknown. A
structure that was known before the tail is over by then: none waits longer than `MOST_WAIT_BARS` nor is held longer
than its pattern says. But one may have taken in a candidate of the tail (they are one event), and that one another. So
a candidate of the tail whose span reaches back before it is in doubt, and so is each later one whose span reaches back
to the bar at which one in doubt was known. Where one in doubt can live until the sessions asked for, or is known in
them, its symbol is uncertain. So is one that was halted for so long that a structure of before the tail may end only
now: an end is noted by the first trade after it.
"""

from typing import Final

import numpy as np

from bist_pipeline.patterns.pivots.arrays import Flags, Ints
from bist_pipeline.patterns.pivots.tape import Tape
from bist_pipeline.patterns.structures.candidates import Candidates
from bist_pipeline.patterns.structures.contract import MOST_WAIT_BARS, Outline

# The longest wait, the longest hold and a quarter in which chains of overlapping structures end.
TAIL_BARS: Final = 400


def uncertain_symbols(found: Candidates, outline: Outline, hold_bars: int, begin: Ints, asked: Ints) -> Flags:
    """Say for which symbols candidates before the tail may matter.

    Args:
        found: Candidates of the tail that keep every rule, sorted by `known`.
        outline: Their lines.
        hold_bars: How long a confirmed one is followed.
        begin: Row of the tail's first bar, by symbol.
        asked: Row of the first bar that is asked for, by symbol.
    """
    from bist_pipeline.patterns.structures._recent_kernels import doubtful

    tape = found.tape
    is_cut = begin > tape.offsets[:-1]
    symbol = tape.symbol_index[found.known]
    in_doubt = doubtful(found.known, outline.span_from, symbol, np.where(is_cut, begin, -1))
    matters = in_doubt & (_ends(tape, outline.latest, hold_bars) >= asked[symbol])
    uncertain = is_cut & (_ends(tape, begin + MOST_WAIT_BARS, hold_bars) >= asked)
    uncertain[symbol[matters]] = True
    return uncertain


def _ends(tape: Tape, latest: Ints, hold_bars: int) -> Ints:
    """Row by which a structure is over that may be confirmed at a row at the latest."""
    return tape.next_traded[np.minimum(latest + hold_bars + 1, len(tape) - 1)]
