"""Moves that the exchange's daily price limit does not allow.

Such a move is an unrecorded split, a free-margin day, a stale neighbour or a provider's fault: each worth a look.
"""

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.core.price_limits import limit_on
from bist_pipeline.quality._findings import nothing_there, offences, plural, report, texts
from bist_pipeline.quality._panel import Panel, previous
from bist_pipeline.quality.contract import Check, CheckInput, Finding

# The exchange rounds the limit prices inwards to the tick, so as traded nothing exceeds them; adjusted prices and a
# base rounded to a coarser tick move the quotient by up to a tick, which from 10 lira up is at most 0.1 % of the price.
TICK_ALLOWANCE = 0.001


def find(given: CheckInput) -> Finding:
    """Find closes further from the close of the session before than the limit of the day allows.

    Judged are neighbouring sessions only: after a gap the base price is unknown. So is that of a symbol's first row.
    """
    panel = Panel.of(given)
    close = _usable(panel.values("close_raw"))
    before = previous(close)
    change = close / before - 1
    judged = int(np.isfinite(change).sum())
    if not judged:
        return nothing_there("no two bars on neighbouring sessions")
    limit = limit_on(panel.sessions)
    rows = panel.at(np.abs(change) > limit + TICK_ALLOWANCE, close=close, before=before, change=change, limit=limit)
    template = "close {close} after {before}: {change:+.2%}, the limit is ±{limit:.0%}"
    return report(
        offences(rows["symbol"], rows["session_date"], texts(template, rows)),
        found=f"{plural(len(rows), 'move')} of {plural(rows['symbol'].nunique(), 'symbol')} beyond the price limit.",
        clear=f"None of {plural(judged, 'move')} is beyond the price limit.",
        counts={"moves": judged, "symbols": rows["symbol"].nunique()},
    )


def _usable(close: FloatArray) -> FloatArray:
    return np.where(np.isfinite(close) & (close > 0), close, np.nan)


CHECK = Check(
    name="price_limit_moves",
    severity="warn",
    blocking=False,
    description="No close is further from the previous session's close than the price limit of its day.",
    find=find,
)
