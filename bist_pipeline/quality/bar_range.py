"""Bars wider than one session allows: all its prices lie within the limit around one base price.

So high / low is at most (1 + limit) / (1 − limit), on any basis: the factor of an adjusted bar cancels.
"""

import numpy as np

from bist_pipeline.core.price_limits import limit_on
from bist_pipeline.quality._findings import nothing_there, offences, plural, report, texts
from bist_pipeline.quality._panel import Panel, usable
from bist_pipeline.quality._thresholds import IMPOSSIBLE_RANGE, TICK_ALLOWANCE
from bist_pipeline.quality.contract import Check, CheckInput, Finding


def find(given: CheckInput) -> Finding:
    """Find bars of shares whose highest price is further from their lowest than the limits allow.

    Open and close count as well as high and low. Withheld from `IMPOSSIBLE_RANGE` up: no free-margin day explains it.
    """
    panel = Panel.of(given)
    prices = [usable(panel.values(f"{name}_raw")) for name in ("open", "high", "low", "close")]
    top, bottom = np.fmax.reduce(prices), np.fmin.reduce(prices)
    judged = np.isfinite(top) & ~panel.is_index & panel.judged
    if not judged.any():
        return nothing_there("no bars of shares on sessions")
    limit = limit_on(panel.sessions)
    allowed = (1 + limit) / (1 - limit) + TICK_ALLOWANCE
    rows = panel.at(judged & (top / bottom > allowed), top=top, bottom=bottom, width=top / bottom, allowed=allowed)
    impossible = rows["width"] >= IMPOSSIBLE_RANGE
    return report(
        offences(
            rows["symbol"],
            rows["session_date"],
            texts("from {bottom} to {top}: {width:.3f}-fold, the limits allow {allowed:.3f}", rows),
            effect=np.where(impossible, "withhold", "doubt"),
            kind=np.where(impossible, "fault", ""),
        ),
        found=f"{plural(len(rows), 'bar')} of {plural(rows['symbol'].nunique(), 'symbol')} wider than the limits.",
        clear=f"None of {plural(int(judged.sum()), 'bar')} is wider than the price limits.",
        counts={"bars": int(judged.sum()), "impossible": int(impossible.sum())},
    )


CHECK = Check(
    name="bar_range",
    severity="warn",
    blocking=False,
    description="High over low of one bar stays within what the price limits of its session allow.",
    find=find,
    effect="doubt",
)
