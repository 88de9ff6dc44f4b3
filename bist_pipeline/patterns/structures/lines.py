"""Structures between two lines: the turning points of a run, with a line through its peaks and one through its troughs.

Belongs here: drawing the lines, what touches them, what closed beyond them, and where they meet. One classifier serves
triangles, wedges, rectangles, channels and broadening patterns: they differ in the slopes alone. Does not belong here:
which slopes make which pattern.
"""

from collections.abc import Callable
from functools import cache
from typing import Final

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.pivots.tape import Ints
from bist_pipeline.patterns.structures.contract import Candidates
from bist_pipeline.patterns.structures.swings import joined, swings
from bist_pipeline.patterns.structures.view import View

RUNS: Final = (5, 6, 7)

Line = tuple[Ints, FloatArray, FloatArray]


@cache
def runs_between_lines(touch_atr: float) -> Callable[[View], Candidates]:
    """Take every run of five, six and seven turning points at every scale, and draw its two lines.

    Args:
        touch_atr: How far from its line a point may lie to touch it, in ATR.

    Returns:
        What finds the runs; for the same argument the same function, so that a view finds them once. In `own` of what
        it finds: `values` (log prices of the upper and the lower line at the last point) and `slopes` (a bar), shape
        (n, 2); `touches`: points that touch their line, of several on one side in a row only the first; `distance`:
        mean distance of the touching points, log price.
    """

    def runs(view: View) -> Candidates:
        if view.other_side is None:
            return _drawn(view, touch_atr)
        return _mirrored(view, view.other_side.once(runs))

    return runs


def _drawn(view: View, touch_atr: float) -> Candidates:
    from bist_pipeline.patterns.structures._line_kernels import lines_through_points

    found = joined([swings(view, points, None) for points in RUNS], max(RUNS))
    values, slopes, touches, distance = lines_through_points(
        found.rows, found.prices, found.own["first_kind"], touch_atr * found.atr
    )
    return found.with_own(values=values, slopes=slopes, touches=touches, distance=distance)


def _mirrored(view: View, found: Candidates) -> Candidates:
    """The same runs upside down: least squares of negated prices are the negated lines, to the last bit."""
    own = {
        "first_kind": -found.own["first_kind"],
        "values": -found.own["values"][:, ::-1],
        "slopes": -found.own["slopes"][:, ::-1],
        "touches": found.own["touches"],
        "distance": found.own["distance"],
    }
    return Candidates(view, found.known, found.rows, -found.prices, found.known_rows, found.scale, own)


def upper_slope(c: Candidates) -> FloatArray:
    """Slope of the line through the peaks, ATR a bar."""
    return c.own["slopes"][:, 0] / c.atr


def lower_slope(c: Candidates) -> FloatArray:
    """Slope of the line through the troughs, ATR a bar."""
    return c.own["slopes"][:, 1] / c.atr


def upper_line(c: Candidates) -> Line:
    """The line through the peaks: row, value there, slope a bar."""
    return c.last_row, c.own["values"][:, 0], c.own["slopes"][:, 0]


def lower_line(c: Candidates) -> Line:
    """The line through the troughs: row, value there, slope a bar."""
    return c.last_row, c.own["values"][:, 1], c.own["slopes"][:, 1]


def width_at_end(c: Candidates) -> FloatArray:
    """From the lower to the upper line at the last point, log price."""
    return c.own["values"][:, 0] - c.own["values"][:, 1]


def width_at_start(c: Candidates) -> FloatArray:
    """From the lower to the upper line at the first point, log price."""
    return width_at_end(c) - (c.own["slopes"][:, 0] - c.own["slopes"][:, 1]) * c.bars


def bars_to_apex(c: Candidates) -> FloatArray:
    """Bars from the first point to where the lines meet; infinite where they do not, none where they have met."""
    closing = c.own["slopes"][:, 1] - c.own["slopes"][:, 0]
    start = width_at_start(c)
    meets = (closing > 0) & (start > 0)
    return np.where(meets, start / np.where(meets, closing, 1.0), np.where(start > 0, np.inf, 0.0))


def farthest_close_outside(c: Candidates) -> FloatArray:
    """How far a close lay beyond one of the lines before the structure was known, at most, log price.

    Negative where every close lay between them. The bar at which it became known is left out: a close beyond a line
    there is a break.
    """
    from bist_pipeline.patterns.structures._kernels import closes_outside

    tape, first, last = c.tape, c.first_row, c.known - 1
    (row, upper, rise), (_, lower, fall) = upper_line(c), lower_line(c)
    above = closes_outside(tape.close, tape.traded, first, last, row, upper, rise)
    below = closes_outside(-tape.close, tape.traded, first, last, row, -lower, -fall)
    return np.maximum(above, below)


def longest_leg(c: Candidates) -> FloatArray:
    """Bars of the longest leg from point to point, over all bars."""
    legs = np.where(c.rows[:, 1:] >= 0, np.diff(c.rows, axis=1), 0)
    return legs.max(axis=1, initial=1) / np.maximum(c.bars, 1)


def evenness(c: Candidates) -> FloatArray:
    """How evenly the points fill the length, 0…1: what the longest leg would be if all were alike, over what it is."""
    legs = (c.rows >= 0).sum(axis=1) - 1
    return np.minimum(1 / np.maximum(legs, 1) / longest_leg(c), 1.0)
