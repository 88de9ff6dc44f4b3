"""Moves that the exchange's daily price limit does not allow and no known action explains.

Such a move is an action that nobody stated, a free-margin day, a stale neighbour or a provider's fault; which of them,
`level_breaks` and its neighbours say.
"""

import numpy as np
import pandas as pd

from bist_pipeline.core.price_limits import limit_on
from bist_pipeline.quality._findings import nothing_there, offences, plural, report, texts
from bist_pipeline.quality._moves import Moves
from bist_pipeline.quality._panel import Panel
from bist_pipeline.quality.contract import Check, CheckInput, Finding


def find(given: CheckInput) -> Finding:
    """Find closes further from the symbol's close before than the limit allows, less what actions take.

    Where sessions lie between the two, the limit is compounded over them. A symbol's first row has no base, an index no
    limit.
    """
    panel = Panel.of(given)
    moves = Moves.of(panel, given.actions)
    judged = moves.judged & ~panel.is_index & panel.judged
    count = int(judged.sum())
    if not count:
        return nothing_there("no two bars of a share")
    rows = panel.at(
        judged & ~moves.within(moves.factor),
        **{"close": moves.close, "before": moves.before, "change": moves.move - 1, "gap": moves.gap},
        **{"factor": moves.factor, "limit": limit_on(panel.sessions), "has_action": moves.has_action},
    )
    symbols = rows["symbol"].nunique()
    return report(
        offences(rows["symbol"], rows["session_date"], _details(rows)),
        found=f"{plural(len(rows), 'move')} of {plural(symbols, 'symbol')} beyond the price limit.",
        clear=f"None of {plural(count, 'move')} is beyond the price limit.",
        counts={"moves": count, "symbols": symbols},
    )


def _details(rows: pd.DataFrame) -> list[str]:
    move = texts("close {close} after {before}: {change:+.2%}, the limit is ±{limit:.0%}", rows)
    gap = np.where(rows["gap"] > 1, texts(", compounded over {gap} sessions", rows), "")
    action = np.where(rows["has_action"], texts("; actions leave {factor:.4f} of the price", rows), "")
    return [f"{a}{b}{c}" for a, b, c in zip(move, gap, action, strict=True)]


CHECK = Check(
    name="price_limit_moves",
    severity="warn",
    blocking=False,
    description="No close is further from the one before than the price limits and the actions in between allow.",
    find=find,
)
