"""Moves that take one another back, in the order in which they are judged.

Belongs here: which of several pairs that share a move comes first. Does not belong here: what takes a move back, and
what that means (`_spikes.py`, `_pieces.py`).
"""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

BackOf = Callable[[int, npt.NDArray[np.bool_]], int | None]


def shortest_first(open_: npt.NDArray[np.bool_], back_of: BackOf) -> Iterator[tuple[int, int, bool]]:
    """Pair moves with those that take them back: of two pairs that share a move, the shorter one counts.

    A row that was not adjusted, soon after an action, takes the action's move back as well as its own: what lies
    between the action and the row is right.

    Args:
        open_: Moves that nothing has explained yet, shape (m,).
        back_of: The move that takes a move back, given those still open; None where none does.

    Yields:
        The move out, the move back, and whether the move out ends another pair at the same time. Each move once.
    """
    left = open_.copy()
    pairs = _look(np.flatnonzero(open_).tolist(), left, back_of)
    while pairs:
        out = min(pairs, key=lambda one: (pairs[one] - one, one))
        back = pairs[out]
        yield out, back, out in pairs.values()
        left[[out, back]] = False
        shared = [one for one, other in pairs.items() if {one, other} & {out, back}]
        pairs = {one: other for one, other in pairs.items() if one not in shared}
        pairs |= _look(shared, left, back_of)


def _look(moves: list[int], left: npt.NDArray[np.bool_], back_of: BackOf) -> dict[int, int]:
    found = {out: back_of(out, left) for out in moves if left[out]}
    return {out: back for out, back in found.items() if back is not None}
