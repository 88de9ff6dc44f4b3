"""Indices whose history is counted in old points before a redenomination and in new ones after it.

The exchange took two zeros off its indices on 2020-07-27; providers have served the history before as it was, or only
a part of it divided.
"""

import numpy as np
import numpy.typing as npt

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.quality._findings import nothing_there, offences, plural, report, texts
from bist_pipeline.quality._moves import Moves
from bist_pipeline.quality._panel import Panel
from bist_pipeline.quality._thresholds import REDENOMINATION_TOLERANCE, REDENOMINATIONS
from bist_pipeline.quality.contract import Check, CheckInput, Finding


def find(given: CheckInput) -> Finding:
    """Find steps by the divisor of a redenomination, wherever they are, and levels that only old points reach."""
    panel = Panel.of(given)
    moves = Moves.of(panel, given.actions)
    judged = np.isfinite(moves.close) & panel.is_index & panel.judged
    if not judged.any():
        return nothing_there("no bars of indices on sessions")
    step, old = judged & _steps(moves.move), judged & _in_old_points(panel, moves.close)
    how = np.where(step, "a step from one way of counting to the other", "above all that it had reached in new points")
    rows = panel.at(step | old, close=moves.close, before=moves.before, how=how)
    dates = ", ".join(str(known.since) for known in REDENOMINATIONS)
    return report(
        offences(
            *(rows["symbol"], rows["session_date"]),
            texts(f"{{close}} points after {{before}}: {{how}}; zeros were taken off on {dates}", rows),
            kind="fault",
        ),
        found=f"{plural(len(rows), 'bar')} of indices in other points than those of today, {int(step.sum()):,} steps.",
        clear=f"All {plural(int(judged.sum()), 'bar')} of indices are counted in the same points.",
        counts={"bars": int(judged.sum()), "symbols": rows["symbol"].nunique(), "steps": int(step.sum())},
    )


def _steps(move: FloatArray) -> npt.NDArray[np.bool_]:
    near = [np.log(known.divisor) for known in REDENOMINATIONS]
    size = np.abs(np.log(move))
    return np.logical_or.reduce([np.abs(size - divisor) <= np.log1p(REDENOMINATION_TOLERANCE) for divisor in near])


def _in_old_points(panel: Panel, close: FloatArray) -> npt.NDArray[np.bool_]:
    old = np.zeros(close.shape, dtype=bool)
    for known in REDENOMINATIONS:
        ceiling = np.array([known.ceilings.get(str(symbol), np.inf) for symbol in panel.symbols])[:, None]
        old |= (panel.sessions < np.datetime64(known.since)) & (close > ceiling)
    return old


CHECK = Check(
    name="index_redenomination",
    severity="warn",
    blocking=False,
    description="An index is counted in the same points over its whole history.",
    find=find,
)
