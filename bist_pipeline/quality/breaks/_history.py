"""Histories of single symbols from what a check is given.

Belongs here: picking each symbol's rows on sessions, first occurrence, as traded where that is known. Does not belong
here: judging them.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.quality._panel import Panel
from bist_pipeline.quality.breaks.contract import SymbolHistory
from bist_pipeline.quality.contract import BAR_VALUES, CheckInput

_RAW_VALUES = ("open_raw", "high_raw", "low_raw", "close_raw", "volume_raw")
# What a provider says on a bar, with what stands for nothing.
_SAID = {"adj_close_raw": np.nan, "dividend_raw": 0.0, "split_raw": 1.0}


def histories_of(given: CheckInput) -> Iterator[SymbolHistory]:
    """Yield the history of each symbol that has rows on sessions."""
    panel = Panel.of(given)
    values = [_column(given, name, raw) for name, raw in zip(BAR_VALUES, _RAW_VALUES, strict=True)]
    said = [_said(given.raw, name, nothing) for name, nothing in _SAID.items()]
    basis = (given.raw if given.bars is None else given.bars)["basis"].to_numpy()
    actions = dict(iter(given.actions.groupby("symbol", sort=False)))
    for symbol, rows in zip(panel.symbols, panel.row, strict=True):
        session = np.flatnonzero(rows >= 0)
        row = rows[session]
        if len(row):
            open_, high, low, close, volume = (column[row] for column in values)
            adj_close, dividend, split = (column[row] for column in said)
            yield SymbolHistory(
                symbol=str(symbol),
                day=panel.sessions[session].astype("datetime64[D]"),
                open=open_,
                high=high,
                low=low,
                close=close,
                volume=volume,
                gap=np.diff(session, prepend=session[0] - 1),
                basis=str(basis[row[-1]]),
                actions=actions.get(symbol, given.actions.iloc[:0]),
                adj_close=adj_close,
                dividend=dividend,
                split=split,
            )


def _column(given: CheckInput, name: str, raw: str) -> FloatArray:
    frame, column = (given.raw, raw) if given.bars is None else (given.bars, name)
    return frame[column].to_numpy(dtype=np.float64)


def _said(raw: pd.DataFrame, name: str, nothing: float) -> FloatArray:
    if name not in raw.columns:
        return np.full(len(raw), nothing)
    said = raw[name].to_numpy(dtype=np.float64)
    return np.where(np.isfinite(said), said, nothing)
