"""Prices as traded that no order could have had: off the tick grid of their day.

The grid is a checksum. Single bars off it are faults; where all bars around are off it, basis or factor is wrong.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.core.ticks import ON_GRID, snap
from bist_pipeline.quality._findings import nothing_there, offences, plural, report, texts
from bist_pipeline.quality._panel import Panel, usable
from bist_pipeline.quality._thresholds import BARS_AROUND, MAX_SHARE_OFF_GRID
from bist_pipeline.quality.contract import Check, CheckInput, Finding

_PRICES = ("open_try", "high_try", "low_try", "close_try")


def find(given: CheckInput) -> Finding:
    """Find bars of shares with a price further than `ON_GRID` ticks from the grid; only where they are as traded."""
    panel = Panel.of(given)
    residual = np.full(panel.row.shape, np.nan)
    for name in _PRICES:
        residual = np.fmax(residual, snap(usable(panel.values(name)), panel.sessions)[1])
    judged = np.isfinite(residual) & panel.is_basis("as_traded") & ~panel.is_index & panel.judged
    if not judged.any():
        return nothing_there("no bars of shares as traded on sessions")
    off = judged & (residual > ON_GRID)
    around = _share_around(off, judged)
    share = off.sum(axis=1) / np.maximum(judged.sum(axis=1), 1)
    is_wrong = off & (around > MAX_SHARE_OFF_GRID)
    why = np.where(is_wrong, "wrong basis or factor", "a fault of this bar")
    rows = panel.at(
        off, residual=residual, share=share[:, None], around=around, why=why, close=panel.values("close_try")
    )
    template = (
        "close {close}: a price lies {residual:.3f} ticks off the grid, as on {around:.0%} of the bars around and "
        "{share:.1%} of all: {why}"
    )
    whole = int(is_wrong.any(axis=1).sum())
    return report(
        offences(rows["symbol"], rows["session_date"], texts(template, rows), kind="fault"),
        found=f"{plural(len(rows), 'bar')} of {plural(rows['symbol'].nunique(), 'symbol')} off the tick grid; "
        f"{plural(whole, 'symbol')} with a wrong basis or factor.",
        clear=f"All prices of {plural(int(judged.sum()), 'bar')} as traded lie on the tick grid.",
        counts={"bars": int(judged.sum()), "symbols": rows["symbol"].nunique(), "whole_symbols": whole},
    )


def _share_around(off: npt.NDArray[np.bool_], judged: npt.NDArray[np.bool_]) -> FloatArray:
    """Return the share of the judged bars around each that are off the grid, its own included, shape (s, t)."""
    marks = pd.DataFrame(np.where(judged, off, np.nan).T)
    return marks.rolling(BARS_AROUND, center=True, min_periods=1).mean().to_numpy().T


CHECK = Check(
    name="off_tick_prices",
    severity="warn",
    blocking=False,
    description="Prices as traded lie on the tick grid of their day.",
    find=find,
    effect="doubt",
)
