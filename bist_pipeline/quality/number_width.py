"""Numbers too wide to be what they are said to be: a volume among the prices, a price in another unit.

Told, too, are prices that fit no numeric(10,4), founders' shares above all: the predecessor left them out in silence.
"""

import numpy as np

from bist_pipeline.quality._findings import nothing_there, offences, plural, report, texts
from bist_pipeline.quality._range import judged_rows
from bist_pipeline.quality._thresholds import IMPOSSIBLE_PRICE_TRY, IMPOSSIBLE_VOLUME, WIDE_PRICE_TRY
from bist_pipeline.quality.contract import Check, CheckInput, Finding

_PRICES = ["open_raw", "high_raw", "low_raw", "close_raw"]


def find(given: CheckInput) -> Finding:
    """Find rows with a price from `WIDE_PRICE_TRY` up, and doubt those with a number that can be none."""
    judged = judged_rows(given)
    if judged.empty:
        return nothing_there("no rows")
    prices = judged[_PRICES].to_numpy(dtype=np.float64)
    widest = np.where(np.isfinite(prices), prices, -np.inf).max(axis=1)
    volume = judged["volume_raw"].to_numpy(dtype=np.float64)
    too_many = np.isfinite(volume) & (volume > IMPOSSIBLE_VOLUME)
    impossible = (widest >= IMPOSSIBLE_PRICE_TRY) | too_many
    hit = (widest >= WIDE_PRICE_TRY) | too_many
    rows = judged[hit].assign(widest=widest[hit])
    effect = np.where(impossible[hit], "doubt", "none")
    return report(
        offences(
            rows["symbol"],
            rows["session_date"],
            texts("widest price {widest}, volume {volume_raw}", rows),
            effect=effect,
            kind=np.where(impossible[hit], "fault", ""),
        ),
        found=f"{plural(len(rows), 'bar')} of {plural(rows['symbol'].nunique(), 'symbol')} with a price from "
        f"{WIDE_PRICE_TRY:,.0f} lira up, {int(impossible.sum()):,} with a number that can be none.",
        clear=f"All prices of {plural(len(judged), 'bar')} are below {WIDE_PRICE_TRY:,.0f} lira.",
        counts={"bars": len(judged), "impossible": int(impossible.sum())},
    )


CHECK = Check(
    name="number_width",
    severity="warn",
    blocking=False,
    description="No price and no volume is too wide to be one.",
    find=find,
    effect="doubt",
)
