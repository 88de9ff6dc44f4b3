"""Levels that are left again after more bars than a spike has: a piece of wrong rows, whatever their factor.

Belongs here: finding a move and the one that takes it back. Does not belong here: spikes (`_spikes.py`), pieces that an
action ends (`_factors.py`).

A move and its inverse may as well be an action and, soon after, a row that was not adjusted for it. While the second is
so new that it may be left again, nothing is said; later the shorter piece is the wrong one.

Two moves beyond the limit that undo one another within six weeks are no two actions: of the nine that 92 recorded
shares show in five years, no two of one share lie that near, and none was taken back.
"""

import numpy as np
import numpy.typing as npt

from bist_pipeline.quality.breaks._break import Break
from bist_pipeline.quality.breaks._factors import adjusts_a_piece
from bist_pipeline.quality.breaks._grids import Grid
from bist_pipeline.quality.breaks._moves import Moves
from bist_pipeline.quality.breaks._reversals import shortest_first
from bist_pipeline.quality.breaks._rules import SPIKE
from bist_pipeline.quality.breaks._thresholds import LEAST_PIECE, PIECE_BARS
from bist_pipeline.quality.breaks._told import Told, Verdict
from bist_pipeline.quality.breaks.contract import SymbolHistory


def pieces(
    history: SymbolHistory, moves: Moves, open_: npt.NDArray[np.bool_], grid: Grid | None
) -> tuple[Told, npt.NDArray[np.bool_]]:
    """Find levels of up to `PIECE_BARS` bars that are left again by the inverse of the move that led to them.

    Args:
        history: One symbol.
        moves: Its moves.
        open_: Moves that nothing has explained yet, shape (m,).
        grid: Its prices against the grid; a piece that it proves to be adjusted for an action is left alone.

    Returns:
        What to say, and the moves that it explains.
    """
    verdicts, explained = [], np.zeros(len(moves.bar), dtype=bool)
    if not moves.has_limit:
        return Told(), explained

    def back_of(out: int, left: npt.NDArray[np.bool_]) -> int | None:
        return _back(Break(history, moves, out, grid), left)

    for out, back, ends_another in shortest_first(open_, back_of):
        # Whether the bars between are wrong, or only the newest ones, the next bars tell.
        if Break(history, moves, back, grid).undecided and not ends_another:
            continue
        explained[[out, back]] = True
        verdicts += [_verdict(moves, position, out, back) for position in range(out, back)]
    return Told(tuple(verdicts)), explained


def _back(found: Break, open_: npt.NDArray[np.bool_]) -> int | None:
    out, moves = found.at, found.moves
    if found.slight:
        return None
    for back in np.flatnonzero(open_[out + 1 : out + 1 + PIECE_BARS]) + out + 1:
        if _undoes(moves, out, int(back)) and not Break(found.history, moves, int(back), found.grid).slight:
            return None if adjusts_a_piece(found) else int(back)
    return None


def _undoes(moves: Moves, out: int, back: int) -> bool:
    """Whether one factor and its inverse leave both moves within the limit, and it is beyond two sessions' limits."""
    one, other = float(moves.move[out]), float(moves.move[back])
    lowest, highest = moves.lowest[out] * moves.lowest[back], moves.highest[out] * moves.highest[back]
    large = abs(np.log(one / other)) / 2 > max(np.log(highest), np.log(LEAST_PIECE))
    return bool(large and (one > 1) != (other > 1) and lowest <= one * other <= highest)


def _verdict(moves: Moves, position: int, out: int, back: int) -> Verdict:
    reason = (
        f"close {moves.close[position]:g} on a level that came by {moves.move[out] - 1:+.1%} and went by "
        f"{moves.move[back] - 1:+.1%} after {back - out} bars"
    )
    return Verdict(int(moves.bar[position]), SPIKE, "withhold", "fault", reason)
