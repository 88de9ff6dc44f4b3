"""Stated dividends, splits and issues that the prices know nothing of.

As traded, a price falls by what an action takes out of it; adjusted, it does not. An action is judged only where the
day's limit cannot explain both: a dividend of 1 % cannot be told from an ordinary day.
"""

import numpy as np

from bist_pipeline.quality._findings import nothing_there, offences, plural, report, texts
from bist_pipeline.quality._moves import Moves
from bist_pipeline.quality._panel import Panel
from bist_pipeline.quality.contract import Check, CheckInput, Finding


def find(given: CheckInput) -> Finding:
    """Find actions whose ex-date shows the move of a day without one, or on adjusted prices the move of the action.

    Where actions lie on both sides of a gap, they are judged together, at the first close after them.
    """
    panel = Panel.of(given)
    moves = Moves.of(panel, given.actions)
    # What the step would be the other way round: as traded without the action, adjusted with it left in.
    other = np.where(panel.is_basis("as_traded"), 1.0, moves.stated)
    judged = moves.has_action & moves.judged & ~panel.is_index & panel.judged
    if not judged.any():
        return nothing_there("no actions between two bars")
    hit = judged & ~moves.within(moves.factor) & moves.within(other)
    rows = panel.at(
        hit,
        **{"close": moves.close, "before": moves.before, "change": moves.move - 1, "expected": moves.factor - 1},
        basis=np.where(panel.is_basis("as_traded"), "as traded", "adjusted"),
    )
    template = "close {close} after {before}, {basis}: {change:+.2%}, where the actions in between mean {expected:+.2%}"
    symbols = rows["symbol"].nunique()
    return report(
        offences(rows["symbol"], rows["session_date"], texts(template, rows), kind="fault"),
        found=f"{plural(len(rows), 'ex-date')} of {plural(symbols, 'symbol')} without the stated effect.",
        clear=f"None of {plural(int(judged.sum()), 'ex-date')} contradicts its action; smaller effects than the limit "
        "cannot be seen.",
        counts={"ex_dates": int(judged.sum()), "symbols": symbols},
    )


CHECK = Check(
    name="actions_without_effect",
    severity="warn",
    blocking=False,
    description="On the ex-date of a stated action the price as traded moves, and the adjusted price does not.",
    find=find,
)
