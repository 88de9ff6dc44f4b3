"""Candidates from the zigzag: every run of k turning points in a row, at every scale.

Belongs here: cutting turning points into windows. Does not belong here: what the windows must look like.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from bist_pipeline.patterns.pivots.arrays import Ints
from bist_pipeline.patterns.pivots.tape import SIGMA_SESSIONS
from bist_pipeline.patterns.pivots.zigzag import Pivots
from bist_pipeline.patterns.structures.candidates import Candidates
from bist_pipeline.patterns.structures.view import View

PEAK, TROUGH = 1, -1
# Nothing turns at an earlier row of a symbol: sigma is not known. Turning point k comes k rows later at the earliest,
# and is known one later still.
FIRST_TURN: Final = SIGMA_SESSIONS


def swings(view: View, points: int, first: int | None = PEAK, *, scales: Sequence[float] | None = None) -> Candidates:
    """Take every run of turning points, known when its last one is.

    Args:
        view: Where to look.
        points: Turning points in a run.
        first: Whether the run begins with a `PEAK` or a `TROUGH`; None for both.
        scales: Which scales; None for all.

    Returns:
        The runs, sorted by the bar at which they were known, then by their first; `own["first_kind"]` is that of the
        first point.
    """
    found = view.once(_runs_of(points))
    if first is None and scales is None:
        return found
    chosen = np.ones(len(found), dtype=bool)
    if first is not None:
        chosen &= found.own["first_kind"] == first
    if scales is not None:
        chosen &= np.isin(found.scale, scales)
    return found.take(chosen)


@cache
def _runs_of(points: int) -> Callable[[View], Candidates]:
    """What makes the runs of so many points: the same function for the same number, so that a view makes them once."""
    return lambda view: _runs(view, points)


def _runs(view: View, points: int) -> Candidates:
    """Windows over the turning points of all scales, one scale after the other; no window spans two symbols."""
    row, known, kind, price, symbol = (
        np.concatenate([getattr(one, name) for one in view.pivots])
        for name in ("row", "known", "kind", "price", "symbol")
    )
    scale = np.repeat([one.scale for one in view.pivots], [len(one) for one in view.pivots])
    if len(row) < points:
        row, known, kind, symbol = (np.full(points, -1) for _ in range(4))
        price, scale, inside = np.full(points, np.nan), np.zeros(points), np.zeros(1, dtype=bool)
    else:
        end = slice(points - 1, None)
        begin = slice(None, len(row) - points + 1)
        inside = (symbol[begin] == symbol[end]) & (scale[begin] == scale[end])
    rows, prices, known_rows = (sliding_window_view(values, points) for values in (row, price, known))
    own = {"first_kind": kind[: len(rows)]}
    found = Candidates(view, known_rows[:, -1], rows, prices, known_rows, scale[: len(rows)], own)
    starts = np.flatnonzero(inside)
    starts = starts[view.is_asked_for(known_rows[starts, -1])]
    return found.take(starts[np.lexsort((row[starts], known_rows[starts, -1]))])


def pivots_at(view: View, pivots: Pivots, places: Ints, known: Ints) -> Candidates:
    """Take turning points that need not follow each other.

    Args:
        view: Where they are.
        pivots: Of one scale.
        places: Positions in `pivots`, in time order, shape (n, k); −1 where a candidate has fewer than k.
        known: Row at which each candidate was known, shape (n,).
    """
    there = places >= 0
    at = np.where(there, places, 0)
    return Candidates(
        view,
        known,
        np.where(there, pivots.row[at], -1),
        np.where(there, pivots.price[at], np.nan),
        np.where(there, pivots.known[at], -1),
        np.full(len(known), pivots.scale),
    )


def joined(parts: Sequence[Candidates], points: int) -> Candidates:
    """Lay candidates one after the other; those with fewer points than `points` are filled up with none."""
    names = set.intersection(*(set(one.own) for one in parts))
    return Candidates(
        parts[0].view,
        np.concatenate([one.known for one in parts]),
        np.concatenate([_widened(one.rows, points, -1) for one in parts]),
        np.concatenate([_widened(one.prices, points, np.nan) for one in parts]),
        np.concatenate([_widened(one.known_rows, points, -1) for one in parts]),
        np.concatenate([one.scale for one in parts]),
        {name: np.concatenate([one.own[name] for one in parts]) for name in sorted(names)},
    )


def _widened(values: np.ndarray, points: int, nothing: float) -> np.ndarray:
    wide = np.full((len(values), points), nothing, dtype=values.dtype)
    wide[:, : values.shape[1]] = values
    return wide
