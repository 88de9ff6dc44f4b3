"""Stated actions that left no mark in the price on their day.

Belongs here: telling a wrong day from an action that did not happen. Does not belong here: rows that a provider did
not adjust for a split (`_levels.py`).

On prices as traded, an action that did not happen on its day shows as a move of one over its factor, net of it. If the
missing move stands some bars away, the day is wrong: nothing is wrong with the prices between.
"""

import numpy as np
import numpy.typing as npt

from bist_pipeline.quality.breaks._moves import Moves
from bist_pipeline.quality.breaks._rules import MISDATED, NO_EFFECT
from bist_pipeline.quality.breaks._thresholds import MISDATED_BARS
from bist_pipeline.quality.breaks._told import NOTHING, Inferred, Told, Verdict
from bist_pipeline.quality.breaks.contract import SymbolHistory


def without_effect(
    history: SymbolHistory, moves: Moves, open_: npt.NDArray[np.bool_]
) -> tuple[Told, npt.NDArray[np.bool_]]:
    """Find known actions whose day shows no move, and the day on which the move is.

    Args:
        history: One symbol.
        moves: Its moves.
        open_: Moves that nothing has explained yet, shape (m,).

    Returns:
        What to say, and the moves that it explains.
    """
    told, explained = NOTHING, np.zeros(len(moves.bar), dtype=bool)
    if not moves.has_limit:
        return told, explained
    whole = moves.move * moves.known
    still = (whole >= moves.lowest) & (whole <= moves.highest)
    for at in np.flatnonzero(open_ & (moves.known != 1) & still):
        found = _elsewhere(moves, open_ & ~explained, int(at))
        explained[[at, at if found is None else found]] = True
        told += _told(history, moves, int(at), found)
    return told, explained


def _elsewhere(moves: Moves, open_: npt.NDArray[np.bool_], at: int) -> int | None:
    near = np.arange(max(at - MISDATED_BARS, 1), min(at + MISDATED_BARS + 1, len(moves.bar)))
    move = moves.move[near] / moves.known[at]
    hit = near[open_[near] & (near != at) & (move >= moves.lowest[near]) & (move <= moves.highest[near])]
    return int(hit[np.argmin(np.abs(hit - at))]) if len(hit) else None


def _told(history: SymbolHistory, moves: Moves, at: int, found: int | None) -> Told:
    day, factor = history.day[moves.bar[at]], float(moves.known[at])
    stated = (
        f"the action of {day}, which leaves {factor:.6g} of the price, is not in it: close {moves.close[at]:g} after "
        f"{moves.close[at - 1]:g}"
    )
    bar = int(moves.bar[at])
    if found is None:
        return Told((Verdict(bar, NO_EFFECT, "doubt", "fault", f"{stated}; disregard the action or correct its day"),))
    where = int(moves.bar[found])
    reason = f"{moves.move[found] - 1:+.1%} is the action stated for {day}, which shows nothing on its own day"
    verdicts = (
        Verdict(bar, NO_EFFECT, "none", "fault", f"{stated}; it is in that of {history.day[where]}"),
        Verdict(where, MISDATED, "none", "action", reason),
    )
    return Told(verdicts, (), (Inferred(where, 1 / factor, reason),))
