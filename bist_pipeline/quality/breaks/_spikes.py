"""Bars that jump away and come back.

Belongs here: finding them in the moves. Does not belong here: spikes of a known ratio (`_levels.py`).
"""

import numpy as np
import numpy.typing as npt

from bist_pipeline.quality.breaks._moves import Moves
from bist_pipeline.quality.breaks._thresholds import LEAST_SPIKE, SPIKE_BARS
from bist_pipeline.quality.breaks._told import Told, Verdict

SPIKE = "reverting_spike"


def spikes(moves: Moves, open_: npt.NDArray[np.bool_]) -> tuple[Told, npt.NDArray[np.bool_]]:
    """Find levels of up to `SPIKE_BARS` bars that are left again for the level before.

    Both ways must be beyond the limit; where there is none, by a factor that no market makes in a session.

    Args:
        moves: The moves of one symbol.
        open_: Moves that nothing has explained yet, shape (m,).

    Returns:
        What to say, and the moves that it explains.
    """
    verdicts, explained = [], np.zeros(len(moves.bar), dtype=bool)
    for out in np.flatnonzero(open_):
        back = None if explained[out] else _back(moves, open_, int(out))
        if back is not None:
            explained[[out, back]] = True
            verdicts += [_verdict(moves, position, int(out), back) for position in range(int(out), back)]
    return Told(tuple(verdicts)), explained


def _back(moves: Moves, open_: npt.NDArray[np.bool_], out: int) -> int | None:
    least = 0.0 if moves.has_limit else np.log(LEAST_SPIKE)
    for back in range(out + 1, min(out + 1 + SPIKE_BARS, len(moves.bar))):
        whole = np.prod(moves.move[out : back + 1])
        opposite = (moves.move[out] > 1) != (moves.move[back] > 1)
        large = min(abs(np.log(moves.move[out])), abs(np.log(moves.move[back]))) > least
        if open_[back] and opposite and large and moves.allows(back, float(whole)):
            return back
    return None


def _verdict(moves: Moves, position: int, out: int, back: int) -> Verdict:
    reason = (
        f"close {moves.close[position]:g} between {moves.close[out - 1]:g} and {moves.close[back]:g}: "
        f"away by {moves.move[out] - 1:+.1%}, back after {back - out} bar(s) by {moves.move[back] - 1:+.1%}"
    )
    return Verdict(int(moves.bar[position]), SPIKE, "withhold", "fault", reason)
