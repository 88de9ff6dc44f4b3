"""Candidates from the zigzag: every run of k turning points in a row, at every scale.

Belongs here: cutting turning points into windows. Does not belong here: what the windows must look like.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bist_pipeline.patterns.pivots.arrays import Ints
from bist_pipeline.patterns.pivots.zigzag import Pivots
from bist_pipeline.patterns.structures.contract import Candidates
from bist_pipeline.patterns.structures.view import View

PEAK, TROUGH = 1, -1


def swings(view: View, points: int, first: int | None = PEAK, *, scales: Sequence[float] | None = None) -> Candidates:
    """Take every run of turning points, known when its last one is.

    Args:
        view: Where to look.
        points: Turning points in a run.
        first: Whether the run begins with a `PEAK` or a `TROUGH`; None for both.
        scales: Which scales; None for all.

    Returns:
        The runs, in the order of `scales`, then of the tape; `own["first_kind"]` is that of the first point.
    """
    chosen = [one for one in view.pivots if scales is None or one.scale in scales]
    return joined([_runs(view, pivots, points, first) for pivots in chosen], view, points)


def _runs(view: View, pivots: Pivots, points: int, first: int | None) -> Candidates:
    starts = np.arange(max(len(pivots) - points + 1, 0))
    inside = pivots.symbol[starts] == pivots.symbol[starts + points - 1]
    if first is not None:
        inside &= pivots.kind[starts] == first
    starts = starts[inside]
    places = starts[:, None] + np.arange(points)
    return Candidates(
        view,
        pivots.known[starts + points - 1],
        pivots.row[places],
        pivots.price[places],
        pivots.known[places],
        np.full(len(starts), pivots.scale),
        {"first_kind": pivots.kind[starts]},
    )


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


def joined(parts: Sequence[Candidates], view: View, points: int) -> Candidates:
    """Lay candidates one after the other; those with fewer points than `points` are filled up with none."""
    whole = [_widened(one, points) for one in parts]
    if not whole:
        return _widened(_runs(view, view.pivots[0], 1, None).take(np.empty(0, np.int64)), points)
    names = set.intersection(*(set(one.own) for one in whole))
    return Candidates(
        view,
        np.concatenate([one.known for one in whole]),
        np.concatenate([one.rows for one in whole]),
        np.concatenate([one.prices for one in whole]),
        np.concatenate([one.known_rows for one in whole]),
        np.concatenate([one.scale for one in whole]),
        {name: np.concatenate([one.own[name] for one in whole]) for name in sorted(names)},
    )


def _widened(part: Candidates, points: int) -> Candidates:
    missing = points - part.rows.shape[1]
    if missing <= 0:
        return part
    room = ((0, 0), (0, missing))
    return replace(
        part,
        rows=np.pad(part.rows, room, constant_values=-1),
        prices=np.pad(part.prices, room, constant_values=np.nan),
        known_rows=np.pad(part.known_rows, room, constant_values=-1),
    )
