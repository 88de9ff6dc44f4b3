"""Numbers that are none: infinite prices and volumes, and volumes below zero.

A missing number is not one of them: cleaning fills or refuses it, and says so.
"""

import numpy as np

from bist_pipeline.quality._findings import nothing_there, offences, plural, report, texts
from bist_pipeline.quality._range import judged_rows
from bist_pipeline.quality.contract import Check, CheckInput, Finding

# The adjusted close too: Yahoo served MERKO's as infinity (yfinance #2855).
_NUMBERS = ["open_raw", "high_raw", "low_raw", "close_raw", "adj_close_raw", "volume_raw"]


def find(given: CheckInput) -> Finding:
    """Find rows with an infinite number or a negative volume."""
    judged = judged_rows(given)
    if judged.empty:
        return nothing_there("no rows")
    infinite = np.isinf(judged[_NUMBERS].to_numpy(dtype=np.float64)).any(axis=1)
    rows = judged[infinite | (judged["volume_raw"] < 0).to_numpy()]
    template = (
        "open {open_raw}, high {high_raw}, low {low_raw}, close {close_raw}, adjusted {adj_close_raw}, "
        "volume {volume_raw}"
    )
    symbols = rows["symbol"].nunique()
    return report(
        offences(rows["symbol"], rows["session_date"], texts(template, rows), kind="fault"),
        found=f"{plural(len(rows), 'bar')} of {plural(symbols, 'symbol')} with an infinite number or a volume below 0.",
        clear=f"All numbers of {plural(len(judged), 'bar')} are finite, and no volume is below 0.",
        counts={"bars": len(judged), "symbols": symbols},
    )


CHECK = Check(
    name="non_finite_numbers",
    severity="warn",
    blocking=False,
    description="Every price and volume is a finite number, and no volume is below zero.",
    find=find,
)
