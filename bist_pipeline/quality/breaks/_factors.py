"""Moves beyond the limit that no known ratio explains: action or fault, read off the grid on both sides.

Belongs here: the decision. Does not belong here: finding the factors (`_grids.py`), terms (`_ratios.py`).

1. One grid on both sides: the provider adjusted nothing here. A slight excess follows a close that was not the last
   one; a large one is an action nobody stated; the rest is unexplained and doubted.
2. Two grids, and the prices as traded moved within the limit: no action happened here. If the second grid ends after
   some bars, where the prices as traded do move beyond the limit, the provider adjusted for the action of that session
   on these bars alone: it happened there, with exactly this factor. If it does not end, it adjusted for nothing.
3. Two grids, and the prices as traded moved beyond the limit too: an action, for which the provider has another factor.
"""

from dataclasses import dataclass

import numpy as np

from bist_pipeline.quality.breaks._grids import Grid, Stretch
from bist_pipeline.quality.breaks._moves import Moves
from bist_pipeline.quality.breaks._ratios import exact_terms, simple_terms
from bist_pipeline.quality.breaks._rules import PARTIAL, PHANTOM, STALE, UNEXPLAINED, UNSTATED, WRONG
from bist_pipeline.quality.breaks._thresholds import (
    ACTION_MOVE,
    LONG_ENOUGH,
    PIECE_BARS,
    STALE_BARS,
    STALE_OVERSHOOT,
    STALE_VOLUME,
)
from bist_pipeline.quality.breaks._told import Inferred, Repair, Residual, Told, Verdict
from bist_pipeline.quality.breaks.contract import SymbolHistory


@dataclass(frozen=True, slots=True)
class Break:
    """One move beyond the limit, with what it takes to judge it.

    Attributes:
        history: The symbol's bars.
        moves: Their moves.
        at: Usable bar that the move leads to.
        grid: The prices against the grid; None where the exchange's is not known.
    """

    history: SymbolHistory
    moves: Moves
    at: int
    grid: Grid | None

    @property
    def bar(self) -> int:
        """Number of the bar in the history."""
        return int(self.moves.bar[self.at])

    @property
    def move(self) -> float:
        """The move, net of known actions."""
        return float(self.moves.move[self.at])

    def text(self) -> str:
        """Say how far the close moved, and how far it may."""
        low, high = self.moves.lowest[self.at] - 1, self.moves.highest[self.at] - 1
        before, now = self.moves.close[self.at - 1], self.moves.close[self.at]
        return f"close {now:g} after {before:g}, {self.move - 1:+.1%} where {low:+.1%} to {high:+.1%} is allowed"


def explain(found: Break) -> Told:
    """Say what a move beyond the limit is."""
    if found.grid is None:
        return _on_one_grid(found, "")
    before, after = found.grid.before(found.at), found.grid.after(found.at)
    one = found.grid.across(found.at, before, after)
    if one is not None:
        return _on_one_grid(found, f" on one grid (factor {one.factor:.6g} before and after)")
    if not (before and after):
        return _on_one_grid(found, "", known=_as_traded(found))
    pairs = [(one, other) for one in before for other in after]
    piece = [pair for pair in pairs if _piece_ends(found, *pair) is not None]
    return _on_two_grids(found, *(piece or pairs)[0])


def _as_traded(found: Break) -> bool:
    """Whether the few bars around lie on the grid as they are, where they are too few to find a factor by."""
    if found.grid is None or found.history.basis != "as_traded":
        return False
    start = max(found.at - LONG_ENOUGH, 0)
    return bool(found.grid.fitting(start, found.at + LONG_ENOUGH, 1.0).all())


def _traded(found: Break, before: float, after: float) -> float:
    """Return the move of the prices as traded, given the factors on both sides."""
    return found.move * before / after


def _piece_ends(found: Break, before: Stretch, after: Stretch) -> int | None:
    """Return the usable bar with which the grid of before comes back, and with it an action; None where not."""
    end, moves, grid = found.at + after.bars, found.moves, found.grid
    if grid is None or after.bars > PIECE_BARS or end >= len(moves.bar):
        return None
    if not moves.allows(found.at, _traded(found, before.factor, after.factor)):
        return None
    if not grid.fitting(end, min(end + LONG_ENOUGH, len(moves.bar)), before.factor).all():
        return None
    # The provider's series is whole where the piece ends: what it was adjusted for happened there.
    return end if moves.allows(end, float(moves.move[end])) else None


def _on_two_grids(found: Break, before: Stretch, after: Stretch) -> Told:
    end = _piece_ends(found, before, after)
    if end is not None:
        return _partial(found, before, after, end)
    if found.moves.allows(found.at, _traded(found, before.factor, after.factor)):
        return _phantom(found, before, after)
    return _wrong_factor(found, before, after)


def _partial(found: Break, before: Stretch, after: Stretch, end: int) -> Told:
    factor = after.factor / before.factor
    day, last = found.history.day[found.moves.bar[end]], found.history.day[found.moves.bar[end - 1]]
    close_before = float(found.moves.close[end - 1]) / after.factor
    ex_close = float(found.moves.close[end]) / before.factor
    seen = not found.moves.allows(end, ex_close / close_before)
    reason = (
        f"the {end - found.at} bars to {last} alone were adjusted by {factor:.6g} for the action of {day}: "
        f"the grid has {after.factor:.6g} on them, {before.factor:.6g} before and behind"
    )
    action = (
        f"close {ex_close:g} after {close_before:g} as traded is {'beyond' if seen else 'within'} the limit, and the "
        f"bars before alone were adjusted by {factor:.6g}: {exact_terms(close_before, factor)}"
    )
    ex_bar = int(found.moves.bar[end])
    repair = Repair(found.bar, ex_bar, 1 / factor, factor, PARTIAL, "fault", reason)
    verdicts = (
        Verdict(found.bar, PARTIAL, "none", "fault", f"{found.text()}: {reason}"),
        Verdict(ex_bar, UNSTATED, "none" if seen else "doubt", "action", action),
    )
    return Told(
        verdicts, (repair,), (Inferred(ex_bar, 1 / factor, action),), _left(found, ex_bar, factor, PARTIAL, action)
    )


def _left(found: Break, bar: int, factor: float, rule: str, reason: str) -> tuple[Residual, ...]:
    """What is left to be taken out of earlier prices; as traded, the action itself says it."""
    if found.history.basis == "as_traded":
        return ()
    return (Residual(bar, factor, 1.0 if rule == PHANTOM else 1 / factor, rule, reason),)


def _phantom(found: Break, before: Stretch, after: Stretch) -> Told:
    factor = after.factor / before.factor
    reason = (
        f"earlier prices were adjusted by {1 / factor:.6g} for nothing: as traded the close moved by "
        f"{_traded(found, before.factor, after.factor) - 1:+.1%}{_factors(before, after)}"
    )
    # Volumes are left alone: they do not tell whether they were adjusted along.
    traded = found.history.basis == "as_traded"
    repairs = (Repair(0, found.bar, factor, 1.0, PHANTOM, "fault", reason),) if traded else ()
    verdict = Verdict(found.bar, PHANTOM, "none", "fault", f"{found.text()}: {reason}")
    return Told((verdict,), repairs, (), _left(found, found.bar, factor, PHANTOM, reason))


def _wrong_factor(found: Break, before: Stretch, after: Stretch) -> Told:
    close_before = float(found.moves.close[found.at - 1]) / before.factor
    traded = _traded(found, before.factor, after.factor)
    factor, words = _guess(found, close_before, traded)
    stated = before.factor / after.factor
    reason = (
        f"{close_before:g} to {float(found.moves.close[found.at]) / after.factor:g} as traded ({traded - 1:+.1%}): an "
        f"action ({words}), for which the provider's factor {stated:.6g} is wrong{_factors(before, after)}"
    )
    # As traded, earlier prices go back to the grid, and the action says the rest.
    is_traded = found.history.basis == "as_traded"
    repairs = (Repair(0, found.bar, 1 / stated, stated, WRONG, "action", reason),) if is_traded else ()
    verdict = Verdict(found.bar, WRONG, "doubt", "action", f"{found.text()}: {reason}")
    left = _left(found, found.bar, factor / stated, WRONG, reason)
    return Told((verdict,), repairs, (Inferred(found.bar, 1 / factor, reason),), left)


def _guess(found: Break, close_before: float, traded: float) -> tuple[float, str]:
    lowest, highest = traded / found.moves.highest[found.at], traded / found.moves.lowest[found.at]
    terms = simple_terms(close_before, lowest, highest)
    if terms is None:
        return traded, "terms unknown, the move itself is taken"
    return terms.price_factor, f"perhaps a {terms.words}"


def _factors(before: Stretch, after: Stretch) -> str:
    return f"; factor {before.factor:.6g} before, {after.factor:.6g} after"


def _on_one_grid(found: Break, grid: str, *, known: bool = True) -> Told:
    if found.moves.has_limit and (stale := _stale(found, grid)) is not None:
        return stale
    if known and abs(np.log(found.move)) > -np.log(1 - ACTION_MOVE):
        return _unstated(found, grid)
    why = f"{found.text()}{grid}: no action, unit or spike explains it"
    return Told((Verdict(found.bar, UNEXPLAINED, "doubt", "fault", why),))


def _stale(found: Break, grid: str) -> Told | None:
    """Blame the close before, if it moved less than it should have and the closes around it fit together."""
    at = found.at - 1
    moves, volume = found.moves, found.history.volume[found.moves.bar]
    usual = float(np.median(volume[max(at - STALE_BARS, 0) : at])) if at else np.nan
    share = volume[at] / usual if usual > 0 else np.nan
    thin = bool(share < STALE_VOLUME)
    allowed = (moves.highest if found.move > 1 else moves.lowest)[found.at] - 1
    slight = abs(found.move - 1) <= abs(allowed) * STALE_OVERSHOOT
    around = found.move * float(moves.move[at])
    fits = at > 0 and moves.lowest[at] * moves.lowest[found.at] <= around <= moves.highest[at] * moves.highest[found.at]
    # Capital reductions apart, nothing lifts a price beyond the limit; a fall may be an action.
    if not (slight or (fits and (thin or found.move > 1))):
        return None
    reason = (
        f"close {moves.close[at]:g} was not the last one: the next is {moves.close[found.at]:g}, "
        f"{found.move - 1:+.1%}{grid}, and does not come back; volume {share:.0%} of the usual"
    )
    effect = "withhold" if thin and fits else "doubt"
    return Told((Verdict(int(moves.bar[at]), STALE, effect, "fault", reason),))


def _unstated(found: Break, grid: str) -> Told:
    close_before = float(found.moves.close[found.at - 1])
    factor, words = _guess(found, close_before, found.move)
    reason = f"{found.text()}{grid} and lasting: an action ({words}) that nobody stated or adjusted for"
    verdict = Verdict(found.bar, UNSTATED, "doubt", "action", reason)
    left = _left(found, found.bar, factor, UNSTATED, reason)
    return Told((verdict,), (), (Inferred(found.bar, 1 / factor, reason),), left)
