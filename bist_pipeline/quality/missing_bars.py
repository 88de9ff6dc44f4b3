"""Holes in a symbol's history: no bar on a session between its first and its last one.

Where nearly the whole market lacks a session, the provider does; where one symbol does, it may have been halted.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.quality._findings import nothing_there, offences, plural, report, texts
from bist_pipeline.quality._panel import Panel
from bist_pipeline.quality._thresholds import MIN_SHARE_WITH_BAR, MIN_SYMBOLS
from bist_pipeline.quality.contract import Check, CheckInput, Finding


def find(given: CheckInput) -> Finding:
    """Find sessions between a symbol's first and last bar on which it has none.

    A row without a close is no bar. What a symbol lacks before its first and after its last bar is not seen here; a
    hole that is longer than the rows given is, where `given.bounds` tells of it. A session that most of the symbols
    listed then lack is the provider's fault (`kind`), if there are enough to say.
    """
    panel = _with_silent(Panel.of(given), given.bounds)
    has_bar = ~np.isnan(panel.values("close_raw"))
    listed = _between_first_and_last(has_bar) | _within(panel, given.bounds)
    if not (listed & panel.judged).any():
        return nothing_there("no bars on sessions")
    with_bar, expected = has_bar.sum(axis=0), listed.sum(axis=0)
    thin = (with_bar < MIN_SHARE_WITH_BAR * expected) & (expected >= MIN_SYMBOLS)
    rows = panel.at(
        listed & ~has_bar, with_bar=with_bar, expected=expected, thin=thin, share=_share(with_bar, expected)
    )
    sessions = int((thin & panel.judged).sum())
    symbols = rows["symbol"].nunique()
    beside = f"; {plural(sessions, 'session')} on which most symbols lack a bar"
    template = "no bar; {with_bar} of {expected} symbols have one ({share:.0%})"
    return report(
        offences(rows["symbol"], rows["session_date"], texts(template, rows), kind=np.where(rows["thin"], "fault", "")),
        found=f"{plural(len(rows), 'bar')} of {plural(symbols, 'symbol')} missing{beside}.",
        clear=f"No bar is missing inside the histories of {plural(len(panel.symbols), 'symbol')}.",
        counts={
            **{"bars": int((has_bar & panel.judged).sum()), "symbols": symbols, "thin_sessions": sessions},
            "of_provider": int(rows["thin"].sum()),
        },
    )


def _share(part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return part / np.maximum(whole, 1)


def _with_silent(panel: Panel, bounds: pd.DataFrame | None) -> Panel:
    """Add symbols that are listed then and of which there is no row at all."""
    if bounds is None:
        return panel
    silent = bounds.loc[~bounds["symbol"].isin(panel.symbols), "symbol"].to_numpy(dtype=object)
    row = np.full((len(silent), len(panel.sessions)), -1, dtype=np.int64)
    return replace(panel, symbols=np.append(panel.symbols, silent), row=np.concatenate([panel.row, row]))


def _within(panel: Panel, bounds: pd.DataFrame | None) -> npt.NDArray[np.bool_]:
    """Where a symbol is between its first and its last session, as far as anybody says, shape (s, t)."""
    if bounds is None:
        return np.zeros(panel.row.shape, dtype=bool)
    known = bounds.set_index("symbol").reindex(panel.symbols)
    first, last = (known[name].to_numpy(dtype="datetime64[us]")[:, None] for name in ("first_session", "last_session"))
    return (first <= panel.sessions) & (panel.sessions <= last)


def _between_first_and_last(has_bar: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    begun = np.logical_or.accumulate(has_bar, axis=1)
    goes_on = np.logical_or.accumulate(has_bar[:, ::-1], axis=1)[:, ::-1]
    return begun & goes_on


CHECK = Check(
    name="missing_bars",
    severity="warn",
    blocking=False,
    description="A symbol has a bar on every session between its first and its last one.",
    find=find,
    market_wide=True,
)
