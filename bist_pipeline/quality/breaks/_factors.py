"""Moves beyond the limit that no known ratio explains: action or fault, read off the grid on both sides.

Belongs here: the decision, and what two grids mean. Does not belong here: finding the factors (`_grids.py`), moves on
one grid (`_one_grid.py`), terms (`_ratios.py`).

1. One grid on both sides: the provider adjusted nothing here (`_one_grid.py`).
2. Two grids, and the prices as traded moved within the limit: no action happened here. If the second grid ends after
   some bars, where the prices as traded do move beyond the limit, the provider adjusted for the action of that session
   on these bars alone: it happened there, with exactly this factor. If it does not end, it adjusted for nothing.
3. Two grids, and the prices as traded moved beyond the limit too: an action, for which the provider has another factor.

Where prices are meant to be as traded, those that lie on the exchange's own grid are right, and only others are mended.
"""

from bist_pipeline.quality.breaks._break import Break
from bist_pipeline.quality.breaks._grids import Stretch, same
from bist_pipeline.quality.breaks._one_grid import guessed_terms, left_over, not_decided, on_one_grid
from bist_pipeline.quality.breaks._ratios import exact_terms
from bist_pipeline.quality.breaks._rules import PARTIAL, PHANTOM, UNSTATED, WRONG
from bist_pipeline.quality.breaks._thresholds import LONG_ENOUGH, PIECE_BARS
from bist_pipeline.quality.breaks._told import Inferred, Repair, Residual, Told, Verdict


def explain(found: Break) -> Told:
    """Say what a move beyond the limit is."""
    if found.grid is None:
        return on_one_grid(found, "")
    before, after = found.stretches()
    one = found.grid.across(found.at, before, after)
    if one is not None:
        return on_one_grid(found, f" on one grid (factor {one.factor:.6g} before and after)")
    if not (before and after):
        return on_one_grid(found, "", known=_as_traded(found))
    if found.is_traded and found.undecided:
        return not_decided(found)
    pairs = [(one, other) for one in before for other in after]
    piece = [pair for pair in pairs if _piece_ends(found, *pair) is not None]
    return _on_two_grids(found, *(piece or pairs)[0])


def adjusts_a_piece(found: Break) -> bool:
    """Whether the grid proves that the bars behind the move were adjusted, apart, for the action at their end."""
    before, after = found.stretches()
    return any(_piece_ends(found, one, other) is not None for one in before for other in after)


def _as_traded(found: Break) -> bool:
    """Whether the few bars around lie on the grid as they are, where they are too few to find a factor by."""
    if found.grid is None or not found.is_traded:
        return False
    start = max(found.at - LONG_ENOUGH, 0)
    return bool(found.grid.fitting(start, found.at + LONG_ENOUGH, 1.0).all())


def _piece_ends(found: Break, before: Stretch, after: Stretch) -> int | None:
    """Return the usable bar with which the grid of before comes back, and with it an action; None where not."""
    end, moves, grid = found.at + after.bars, found.moves, found.grid
    if grid is None or after.bars > PIECE_BARS or end >= len(moves.bar) or same(before.factor, after.factor):
        return None
    if not moves.allows(found.at, found.traded(before.factor, after.factor)):
        return None
    if not grid.fitting(end, min(end + LONG_ENOUGH, len(moves.bar)), before.factor).all():
        return None
    # The provider's series is whole where the piece ends: what it was adjusted for happened there.
    return end if moves.allows(end, float(moves.move[end])) else None


def _on_two_grids(found: Break, before: Stretch, after: Stretch) -> Told:
    end = _piece_ends(found, before, after)
    if end is not None:
        return _partial(found, before, after, end)
    if found.moves.allows(found.at, found.traded(before.factor, after.factor)):
        return _phantom(found, before, after)
    if found.undecided:
        return not_decided(found)
    if found.is_traded and same(before.factor, 1.0):
        # Nothing was adjusted up to here, so no factor can be wrong: what stands behind is no price of the exchange.
        return on_one_grid(found, _factors(before, after), known=False)
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
    left = left_over(found, Residual(ex_bar, factor, 1 / factor, PARTIAL, action))
    return Told(verdicts, (repair,), (Inferred(ex_bar, 1 / factor, action),), left)


def _phantom(found: Break, before: Stretch, after: Stretch) -> Told:
    factor = after.factor / before.factor
    right = found.is_traded and same(before.factor, 1.0)
    which, times = ("later", factor) if right else ("earlier", 1 / factor)
    reason = (
        f"{which} prices were adjusted by {times:.6g} for nothing: as traded the close moved by "
        f"{found.traded(before.factor, after.factor) - 1:+.1%}{_factors(before, after)}"
    )
    # Volumes are left alone: they do not tell whether they were adjusted along.
    repairs = _mended(found, before, after, PHANTOM, reason)
    verdict = Verdict(found.bar, PHANTOM, "doubt" if right else "none", "fault", f"{found.text()}: {reason}")
    left = left_over(found, Residual(found.bar, factor, 1.0, PHANTOM, reason))
    return Told((verdict,), repairs, (), left)


def _wrong_factor(found: Break, before: Stretch, after: Stretch) -> Told:
    close_before = float(found.moves.close[found.at - 1]) / before.factor
    traded = found.traded(before.factor, after.factor)
    factor, words = guessed_terms(found, close_before, traded)
    stated = before.factor / after.factor
    reason = (
        f"{close_before:g} to {float(found.moves.close[found.at]) / after.factor:g} as traded ({traded - 1:+.1%}): an "
        f"action ({words}), for which the provider's factor {stated:.6g} is wrong{_factors(before, after)}"
    )
    # As traded, prices go back to the grid, and the action says the rest.
    repairs = _mended(found, before, after, WRONG, reason)
    verdict = Verdict(found.bar, WRONG, "doubt", "action", f"{found.text()}: {reason}")
    left = left_over(found, Residual(found.bar, factor / stated, stated / factor, WRONG, reason))
    return Told((verdict,), repairs, (Inferred(found.bar, 1 / factor, reason),), left)


def _mended(found: Break, before: Stretch, after: Stretch, rule: str, reason: str) -> tuple[Repair, ...]:
    """Bring prices that are meant to be as traded back to the exchange's grid; those that lie on it stay.

    Where earlier prices are right, the later ones are multiplied, unless they end at another break, which then says
    how; where earlier ones are wrong, they are, back to those that are right again.
    """
    if not found.is_traded or found.grid is None:
        return ()
    factor, count = after.factor / before.factor, len(found.moves.bar)
    kind, shares = ("fault", 1.0) if rule == PHANTOM else ("action", 1 / factor)
    if same(before.factor, 1.0):
        end = found.at + found.grid.run(found.at, count, after.factor, backwards=False)
        if end < count and found.moves.beyond[end]:
            return ()
        last = int(found.moves.bar[end - 1])
        return (Repair(found.bar, last + 1, 1 / factor, 1 / shares, rule, kind, reason),) if end > found.at else ()
    start = found.at - found.grid.run(0, found.at, before.factor, backwards=True)
    right = start > 0 and found.grid.fitting(max(start - LONG_ENOUGH, 0), start, 1.0).all()
    first = int(found.moves.bar[start]) if right else 0
    return (Repair(first, found.bar, factor, shares, rule, kind, reason),)


def _factors(before: Stretch, after: Stretch) -> str:
    return f"; factor {before.factor:.6g} before, {after.factor:.6g} after"
