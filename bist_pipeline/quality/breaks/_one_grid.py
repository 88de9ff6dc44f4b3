"""Moves beyond the limit over which the grid goes on, or is not known: the provider adjusted nothing here.

Belongs here: a close that was not the last one, an action that nobody stated, a level too new to be called either, and
what is left unexplained. Does not belong here: two grids (`_factors.py`), levels that are left again (`_spikes.py`).
"""

import numpy as np

from bist_pipeline.quality.breaks._break import Break
from bist_pipeline.quality.breaks._ratios import may_be_whole, simple_terms
from bist_pipeline.quality.breaks._rules import STALE, UNDECIDED, UNEXPLAINED, UNSTATED
from bist_pipeline.quality.breaks._thresholds import (
    LONG_ENOUGH,
    SPIKE_BARS,
    STALE_BARS,
    STALE_NO_TRADES,
    STALE_VOLUME,
)
from bist_pipeline.quality.breaks._told import Inferred, Residual, Told, Verdict


def on_one_grid(found: Break, grid: str, *, known: bool = True) -> Told:
    """Say what a move is that no adjustment made.

    Args:
        found: The move.
        grid: What is known about the grid, in words; empty for nothing.
        known: Whether an action may be inferred, for nothing speaks against the grid.
    """
    if found.undecided:
        return not_decided(found)
    if found.moves.has_limit and (stale := _stale(found, grid, known=known)) is not None:
        return stale
    if known and found.large and found.at >= LONG_ENOUGH and _is_likely(found):
        return _unstated(found, grid)
    why = f"{found.text()}{grid}: no action, unit or spike explains it"
    # What stands before may as well be wrong where it is only a bar or two.
    first = 0 if found.large and found.at < LONG_ENOUGH else found.at
    bars = found.moves.bar[first : found.at + 1]
    return Told(tuple(Verdict(int(bar), UNEXPLAINED, "doubt", "fault", why) for bar in bars))


def not_decided(found: Break) -> Told:
    """Withhold the bars on a new level, until enough of them tell it from a spike."""
    why = (
        f"{found.text()}: an action or a fault is told apart when {SPIKE_BARS} bars have followed; so far there are "
        f"{found.following}"
    )
    return Told(tuple(Verdict(int(bar), UNDECIDED, "withhold", "fault", why) for bar in found.moves.bar[found.at :]))


def guessed_terms(found: Break, close_before: float, traded: float) -> tuple[float, str]:
    """Return the factor of the one simple action that leaves a move within the limit, and its words; else the move.

    Args:
        found: The move.
        close_before: The close before as traded, lira.
        traded: The move of the prices as traded.
    """
    lowest, highest = traded / found.moves.highest[found.at], traded / found.moves.lowest[found.at]
    terms = simple_terms(close_before, lowest, highest)
    if terms is None:
        return traded, "terms unknown, the move itself is taken"
    return terms.price_factor, f"perhaps a {terms.words}"


def left_over(found: Break, residual: Residual) -> tuple[Residual, ...]:
    """Say what is left to be taken out of earlier prices; as traded, the action itself says it."""
    return () if found.is_traded else (residual,)


def _stale(found: Break, grid: str, *, known: bool) -> Told | None:
    """Blame the close before, if it moved less than it should have and the closes around it fit together."""
    at = found.at - 1
    moves, volume = found.moves, found.history.volume[found.moves.bar]
    usual = float(np.median(volume[max(at - STALE_BARS, 0) : at])) if at else np.nan
    share = volume[at] / usual if usual > 0 else np.nan
    thin = bool(share < STALE_VOLUME)
    around = found.move * float(moves.move[at])
    fits = at > 0 and moves.lowest[at] * moves.lowest[found.at] <= around <= moves.highest[at] * moves.highest[found.at]
    # Capital reductions apart, nothing lifts a price beyond the limit; a fall may be an action.
    if not (found.slight or (fits and (thin or found.move > 1))):
        return None
    reason = (
        f"close {moves.close[at]:g} was not the last one: the next is {moves.close[found.at]:g}, "
        f"{found.move - 1:+.1%}{grid}, and does not come back; volume {share:.0%} of the usual"
    )
    # A larger move may be real, on a day without a limit; a bar on which nothing was traded is no loss.
    convincing = fits and thin and (found.slight or bool(share < STALE_NO_TRADES))
    # A wrong factor that begins here shows in the bars that follow only.
    settled = known and len(moves.bar) - found.at >= LONG_ENOUGH
    effect = "withhold" if convincing and settled else "doubt"
    return Told((Verdict(int(moves.bar[at]), STALE, effect, "fault", reason),))


def _is_likely(found: Break) -> bool:
    """Whether an action is likelier than a free-margin day: upwards, only shares put together in whole numbers."""
    lowest, highest = found.move / found.moves.highest[found.at], found.move / found.moves.lowest[found.at]
    return found.move < 1 or may_be_whole(lowest, highest)


def _unstated(found: Break, grid: str) -> Told:
    factor, words = guessed_terms(found, float(found.moves.close[found.at - 1]), found.move)
    reason = f"{found.text()}{grid} and lasting: an action ({words}) that nobody stated or adjusted for"
    verdict = Verdict(found.bar, UNSTATED, "doubt", "action", reason)
    left = left_over(found, Residual(found.bar, factor, 1 / factor, UNSTATED, reason))
    return Told((verdict,), (), (Inferred(found.bar, 1 / factor, reason),), left)
