"""What patterns of single bars share: candidates made of bars, and whether those bars are ordinary ones.

Belongs here: shapes whose points are bars, known when the last of them closes. Does not belong here: turning points.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.pivots.tape import Ints
from bist_pipeline.patterns.structures.contract import Candidates, Rule
from bist_pipeline.patterns.structures.view import View

# A range of this share of another is the narrower one: what lies between is the rounding of logarithms.
NARROWER: Final = 1 - 1e-9


def spans(view: View, first: Ints, last: Ints, known: Ints | None = None) -> Candidates:
    """Candidates that reach from one bar to another; their points are the closes of the two.

    Args:
        view: Where they are.
        first: Row of the first bar.
        last: Row of the last bar.
        known: Row of the bar at which they were known; None for the last bar.
    """
    rows = np.column_stack([first, last])
    return Candidates(view, last if known is None else known, rows, view.tape.close[rows], rows, np.zeros(len(last)))


def before(rows: Ints, bars: int) -> Ints:
    """Rows of the `bars` bars that end at each row, shape (n, bars), the latest first."""
    return rows[:, None] - np.arange(bars)


def ordinary_bars(bars: int) -> Rule:
    """No bar of the shape, the last `bars` ones, is untraded or has one price alone: those are narrow for no reason."""
    return Rule(
        "ordinary_bars",
        "bars",
        f"bars without a trade or with one price alone, of the {bars} that make the shape",
        lambda c: (~c.tape.usable[before(c.last_row, bars)]).sum(axis=1).astype(np.float64),
        most=0.0,
    )


def by_symbol(view: View, compute: Callable[..., FloatArray], *series: FloatArray) -> FloatArray:
    """Compute a series of each symbol's bars by themselves, from its first bar on, shape (n,)."""
    offsets = view.tape.offsets
    answer = np.empty(len(view.tape))
    for start, end in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        answer[start:end] = compute(*(one[start:end] for one in series))
    return answer
