"""Histories of single symbols from what a check is given.

Belongs here: picking each symbol's rows on sessions, first occurrence, as traded where that is known. Does not belong
here: judging them.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.quality._panel import Panel, usable
from bist_pipeline.quality.breaks.contract import SymbolHistory
from bist_pipeline.quality.contract import BAR_VALUES, CheckInput

# What a provider says on a bar, with what stands for nothing.
_SAID = {"adj_close_raw": np.nan, "dividend_raw": 0.0, "split_raw": 1.0}


def histories_of(given: CheckInput) -> Iterator[SymbolHistory]:
    """Yield the history of each symbol that has rows on sessions."""
    panel = Panel.of(given)
    values = [usable(panel.bars[name].to_numpy(dtype=np.float64)) for name in BAR_VALUES[:-1]]
    volume = panel.bars[BAR_VALUES[-1]].to_numpy(dtype=np.float64)
    volume = np.where(np.isfinite(volume) & (volume > 0), volume, 0.0)
    said = [_said(given.raw, name, nothing) for name, nothing in _SAID.items()]
    basis = panel.bars["basis"].to_numpy()
    actions = dict(iter(_stated(given.actions).groupby("symbol", sort=False)))
    share = ~panel.is_index[:, 0]
    for symbol, rows in zip(panel.symbols[share], panel.row[share], strict=True):
        session = np.flatnonzero(rows >= 0)
        row = rows[session]
        if len(row):
            yield SymbolHistory(
                str(symbol),
                panel.sessions[session].astype("datetime64[D]"),
                *(column[row] for column in values),
                volume=volume[row],
                gap=np.diff(session, prepend=session[0] - 1),
                basis=str(basis[row[-1]]),
                actions=actions.get(symbol, given.actions.iloc[:0]),
                **{name: column[row] for name, column in zip(("adj_close", "dividend", "split"), said, strict=True)},
            )


def _stated(actions: pd.DataFrame) -> pd.DataFrame:
    """Leave out what this analysis inferred before: what it says must not depend on having said it.

    The factors of a day are those of all its actions together; what was inferred is taken out of them.
    """
    inferred = actions["origin"] == "inferred"
    if not inferred.any():
        return actions
    keys = ["symbol", "ex_date"]
    ratio = actions[inferred].groupby(keys)["ratio"].prod().rename("inferred")
    stated = actions[~inferred].join(ratio, on=keys)
    times = stated["inferred"].fillna(1.0)
    factors = {"price_factor": stated["price_factor"] * times, "share_ratio": stated["share_ratio"] / times}
    return stated.assign(**factors).drop(columns="inferred")


def _said(raw: pd.DataFrame, name: str, nothing: float) -> FloatArray:
    if name not in raw.columns:
        return np.full(len(raw), nothing)
    said = usable(raw[name].to_numpy(dtype=np.float64))
    return np.where(np.isfinite(said), said, nothing)
