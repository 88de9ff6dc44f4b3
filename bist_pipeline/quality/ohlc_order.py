"""Bars that contradict themselves: a high below, or a low above, another price of the same bar."""

import numpy as np

from bist_pipeline.quality._findings import nothing_there, offences, plural, report, texts
from bist_pipeline.quality._range import judged_rows
from bist_pipeline.quality.contract import Check, CheckInput, Finding
from bist_pipeline.schemas.market import ORDER_TOLERANCE


def find(given: CheckInput) -> Finding:
    """Find rows whose low, open, close and high are out of order, beyond the residue of adjusting them.

    A missing price contradicts nothing, and an infinite one is told by `non_finite_numbers`.
    """
    judged = judged_rows(given)
    if judged.empty:
        return nothing_there("no rows")
    prices = (judged[f"{name}_raw"].to_numpy(dtype=np.float64) for name in ("open", "high", "low", "close"))
    open_, high, low, close = (np.where(np.isfinite(price), price, np.nan) for price in prices)
    ceiling, floor = high + ORDER_TOLERANCE * np.abs(high), low - ORDER_TOLERANCE * np.abs(low)
    faults = {
        "high below low": floor > high,
        "high below open or close": np.fmax(open_, close) > ceiling,
        "low above open or close": floor > np.fmin(open_, close),
    }
    hit = np.logical_or.reduce(list(faults.values()))
    rows = judged[hit].assign(fault=np.select([mask[hit] for mask in faults.values()], list(faults), default=""))
    template = "{fault}: open {open_raw}, high {high_raw}, low {low_raw}, close {close_raw}"
    return report(
        offences(rows["symbol"], rows["session_date"], texts(template, rows), kind="fault"),
        found=f"{plural(len(rows), 'bar')} of {len(judged):,} with prices out of order.",
        clear=f"The prices of all {plural(len(judged), 'bar')} are in order.",
        counts={"bars": len(judged)},
    )


CHECK = Check(
    name="ohlc_order",
    severity="warn",
    blocking=False,
    description="In every bar, low ≤ open, close ≤ high.",
    find=find,
)
