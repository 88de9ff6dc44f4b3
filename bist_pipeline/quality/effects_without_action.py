"""Jumps to another level that a split or a bonus issue of a simple ratio would make, and that nobody stated.

A hint at what is missing from the list of actions, with the ratios that fit. `level_breaks` decides, and other ratios
than simple ones are its matter alone.
"""

import numpy as np
import numpy.typing as npt

from bist_pipeline.quality._findings import nothing_there, offences, plural, report, texts
from bist_pipeline.quality._moves import Moves
from bist_pipeline.quality._panel import Panel, usable
from bist_pipeline.quality._thresholds import SIMPLE_RATIOS, SPIKE_SESSIONS
from bist_pipeline.quality.contract import Check, CheckInput, Finding


def find(given: CheckInput) -> Finding:
    """Find steps beyond the limit, without a known action, whose whole bar lies within the limit around a simple base.

    A return to the level before within `SPIKE_SESSIONS` makes both steps a spike and no action.
    """
    panel = Panel.of(given)
    moves = Moves.of(panel, given.actions)
    judged = moves.judged & ~moves.has_action & ~panel.is_index & panel.judged
    if not judged.any():
        return nothing_there("no two bars of a share without an action in between")
    jumps = judged & ~moves.within(1.0)
    fits = [_fits(panel, moves, ratio) for ratio in SIMPLE_RATIOS]
    stays = ~_goes_back(moves) & ~_came_back(moves)
    rows = panel.at(
        jumps & stays & np.logical_or.reduce(fits),
        **{"close": moves.close, "before": moves.before, "change": moves.move - 1, "ratios": _told(fits, jumps)},
    )
    template = "close {close} after {before}: {change:+.2%}, as of shares after per share before: {ratios}"
    symbols = rows["symbol"].nunique()
    return report(
        offences(rows["symbol"], rows["session_date"], texts(template, rows), kind="action"),
        found=f"{plural(len(rows), 'jump')} of {plural(symbols, 'symbol')} as of an action that nobody stated.",
        clear=f"None of {plural(int(judged.sum()), 'move')} looks like an action that nobody stated.",
        counts={"moves": int(judged.sum()), "jumps": int(jumps.sum()), "symbols": symbols},
    )


def _fits(panel: Panel, moves: Moves, ratio: float) -> npt.NDArray[np.bool_]:
    """Return where close, high and low lie within the limit around the base that the ratio makes, shape (s, t)."""
    base = moves.before / ratio
    high, low = (usable(panel.values(name)) / base for name in ("high_try", "low_try"))
    return moves.within(1 / ratio) & ~(high > moves.highest) & ~(low < moves.lowest)


def _goes_back(moves: Moves) -> npt.NDArray[np.bool_]:
    """Return where one of the next closes lies within the limit around the close before the step."""
    back = np.zeros(moves.close.shape, dtype=bool)
    for later in range(1, SPIKE_SESSIONS + 1):
        ratio = np.full_like(moves.close, np.nan)
        ratio[:, :-later] = moves.close[:, later:] / moves.before[:, :-later]
        back |= (ratio <= moves.highest) & (ratio >= moves.lowest)
    return back


def _came_back(moves: Moves) -> npt.NDArray[np.bool_]:
    """Return where the close lies within the limit around one of the closes before the one before."""
    back = np.zeros(moves.close.shape, dtype=bool)
    for earlier in range(1, SPIKE_SESSIONS + 1):
        ratio = np.full_like(moves.close, np.nan)
        ratio[:, earlier:] = moves.close[:, earlier:] / moves.before[:, :-earlier]
        back |= (ratio <= moves.highest) & (ratio >= moves.lowest)
    return back


def _told(fits: list[npt.NDArray[np.bool_]], jumps: npt.NDArray[np.bool_]) -> npt.NDArray[np.object_]:
    told = np.full(jumps.shape, "", dtype=object)
    for where in zip(*np.nonzero(jumps), strict=True):
        told[where] = ", ".join(f"{ratio:g}" for ratio, fit in zip(SIMPLE_RATIOS, fits, strict=True) if fit[where])
    return told


CHECK = Check(
    name="effects_without_action",
    severity="warn",
    blocking=False,
    description="No price jumps to another level as if by a split of a simple ratio without an action that says so.",
    find=find,
)
