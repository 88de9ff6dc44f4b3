"""Bars with a price of zero or below. Such prices are not traded; they are a provider's way to say nothing."""

from bist_pipeline.quality._findings import nothing_there, offences, plural, report, texts
from bist_pipeline.quality._range import judged_rows
from bist_pipeline.quality.contract import Check, CheckInput, Finding

# Not the adjusted close: adjusting for large dividends may push it below zero, and nothing is computed from it.
_PRICES = ["open_raw", "high_raw", "low_raw", "close_raw"]


def find(given: CheckInput) -> Finding:
    """Find rows with an open, high, low or close of zero or below; a missing price is not one."""
    judged = judged_rows(given)
    if judged.empty:
        return nothing_there("no rows")
    rows = judged[(judged[_PRICES] <= 0).any(axis=1)]
    template = "open {open_raw}, high {high_raw}, low {low_raw}, close {close_raw}"
    symbols = rows["symbol"].nunique()
    return report(
        offences(rows["symbol"], rows["session_date"], texts(template, rows), kind="fault"),
        found=f"{plural(len(rows), 'bar')} of {plural(symbols, 'symbol')} with a price of zero or below.",
        clear=f"All prices of {plural(len(judged), 'bar')} are above zero.",
        counts={"bars": len(judged), "symbols": symbols},
    )


CHECK = Check(
    name="non_positive_prices",
    severity="warn",
    blocking=False,
    description="Every price is above zero.",
    find=find,
)
