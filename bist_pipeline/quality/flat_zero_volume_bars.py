"""Bars of one price and no volume on sessions on which the market traded: a halt, or a provider that fills holes."""

import numpy as np

from bist_pipeline.quality._findings import nothing_there, offences, plural, report, texts
from bist_pipeline.quality._panel import Panel
from bist_pipeline.quality._thresholds import MIN_SHARE_TRADED
from bist_pipeline.quality.contract import Check, CheckInput, Finding
from bist_pipeline.schemas.market import ORDER_TOLERANCE


def find(given: CheckInput) -> Finding:
    """Find bars with volume zero and open, high, low and close equal, while most symbols with a bar traded.

    A missing volume is not zero.
    """
    panel = Panel.of(given)
    prices = [panel.values(f"{name}_raw") for name in ("open", "high", "low", "close")]
    has_bar = ~np.isnan(prices[3]) & panel.judged
    if not has_bar.any():
        return nothing_there("no bars on sessions")
    volume = panel.values("volume_raw")
    flat = np.maximum.reduce(prices) <= np.minimum.reduce(prices) * (1 + ORDER_TOLERANCE)
    traded, bars = (has_bar & (volume > 0)).sum(axis=0), has_bar.sum(axis=0)
    hit = flat & (volume == 0) & (traded > MIN_SHARE_TRADED * bars)
    rows = panel.at(hit, close=prices[3], traded=traded, bars=bars)
    return report(
        offences(
            rows["symbol"],
            rows["session_date"],
            texts("only {close}, volume 0; {traded} of {bars} symbols traded", rows),
        ),
        found=f"{plural(len(rows), 'flat bar')} without volume of {plural(rows['symbol'].nunique(), 'symbol')} while "
        "most of the market traded.",
        clear=f"No flat bar without volume among {plural(int(bars.sum()), 'bar')} while most of the market traded.",
        counts={"bars": int(bars.sum()), "symbols": rows["symbol"].nunique()},
    )


CHECK = Check(
    name="flat_zero_volume_bars",
    severity="warn",
    blocking=False,
    description="No bar of one price without volume on a session on which most symbols traded.",
    find=find,
    market_wide=True,
)
