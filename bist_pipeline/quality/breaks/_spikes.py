"""Prices that jump away and come back: whole bars, or one price within a bar.

Belongs here: finding them. Does not belong here: spikes of a known ratio (`_levels.py`).
"""

import numpy as np
import numpy.typing as npt

from bist_pipeline.quality.breaks._moves import Moves
from bist_pipeline.quality.breaks._reversals import shortest_first
from bist_pipeline.quality.breaks._rules import SPIKE, STRAY
from bist_pipeline.quality.breaks._thresholds import LEAST_SPIKE, LEAST_STRAY, SPIKE_BARS, STRAY_SESSIONS
from bist_pipeline.quality.breaks._told import Told, Verdict
from bist_pipeline.quality.breaks.contract import SymbolHistory


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
    for out, back, _ in shortest_first(open_, lambda out, left: _back(moves, left, out)):
        explained[[out, back]] = True
        verdicts += [_verdict(moves, position, out, back) for position in range(out, back)]
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


def stray_prices(history: SymbolHistory, moves: Moves) -> Told:
    """Find opens, highs and lows that are out of reach of their own close and of the close before.

    Out of reach is what `STRAY_SESSIONS` at the limit do not reach, so that a stale close before makes no stray price.
    Without a limit it is a price further away than any unit error brings one.
    """
    names = ("open", "high", "low")
    prices = np.column_stack([getattr(history, name)[moves.bar] for name in names])
    before = np.append(moves.close[:1], moves.close[:-1]) * moves.known
    usable = np.isfinite(prices) & (prices > 0)
    lowest, highest = moves.lowest**STRAY_SESSIONS, moves.highest**STRAY_SESSIONS
    if not moves.has_limit:
        lowest, highest = np.full(len(before), 1 / LEAST_STRAY), np.full(len(before), LEAST_STRAY)
    away = usable.copy()
    for base in (before, moves.close):
        share = np.where(usable, prices, 1.0) / base[:, None]
        away &= (share < lowest[:, None]) | (share > highest[:, None])
    away[moves.beyond] = False  # of such a bar nothing is known yet
    away[:1] = False  # a share's first session has no limit
    return Told(
        tuple(
            _stray(history, moves, int(at), names[int(np.argmax(away[at]))]) for at in np.flatnonzero(away.any(axis=1))
        )
    )


def _stray(history: SymbolHistory, moves: Moves, at: int, name: str) -> Verdict:
    bar = int(moves.bar[at])
    price = float(getattr(history, name)[bar])
    reason = f"{name} {price:g} is {price / moves.close[at]:.4g} times the close of its own bar, {moves.close[at]:g}"
    return Verdict(bar, STRAY, "withhold", "fault", reason)
