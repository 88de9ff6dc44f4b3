"""Repairs: runs of delivered bars whose values are multiplied with factors, so that they stand on their own basis.

Belongs here: applying them, and what is then said of each bar. Does not belong here: finding what to repair
(`quality/breaks/`), and undoing actions that a provider states (`undo.py`).
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.market.splits import TRADED_VALUES

# One row per run of bars of one symbol; runs do not overlap.
REPAIR_COLUMNS = ("symbol", "first_session", "last_session", "price_factor", "volume_factor", "rule")


def repair(rows: pd.DataFrame, repairs: pd.DataFrame) -> tuple[pd.DataFrame, npt.NDArray[np.object_]]:
    """Multiply what is to be repaired.

    Args:
        rows: Rows of `market.raw_prices`, as traded as far as they could be undone.
        repairs: `REPAIR_COLUMNS`.

    Returns:
        The rows, and of each what was repaired (`rule: price factor`; empty where nothing was), shape (n,).
    """
    told = np.full(len(rows), "", dtype=object)
    which = _run_of(rows, repairs)
    if not (which >= 0).any():
        return rows, told
    price, volume = (_factor(repairs[name], which) for name in ("price_factor", "volume_factor"))
    texts = np.array(
        [f"{rule}: ×{factor:.10g}" for rule, factor in zip(repairs["rule"], repairs["price_factor"], strict=True)],
        dtype=object,
    )
    told[which >= 0] = texts[which[which >= 0]]
    columns = {name: rows[name].to_numpy(dtype=np.float64) * price for name in TRADED_VALUES}
    shares = rows["volume_raw"].to_numpy(dtype=np.float64)
    columns["volume_raw"] = np.where(which >= 0, np.rint(shares * volume), shares)
    return rows.assign(**columns), told


def _run_of(rows: pd.DataFrame, repairs: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Position of the repair that covers each row, -1 where none does. Repairs are few: one pass each."""
    which = np.full(len(rows), -1, dtype=np.int64)
    concerned = np.flatnonzero(rows["symbol"].isin(repairs["symbol"]).to_numpy())
    symbol, day = rows["symbol"].to_numpy()[concerned], rows["session_date"].to_numpy()[concerned]
    for position, (name, first, last) in enumerate(
        zip(repairs["symbol"], repairs["first_session"], repairs["last_session"], strict=True)
    ):
        covered = (symbol == name) & (day >= np.datetime64(first)) & (day <= np.datetime64(last))
        which[concerned[covered]] = position
    return which


def _factor(column: pd.Series, which: npt.NDArray[np.int64]) -> FloatArray:
    return np.append(column.to_numpy(dtype=np.float64), 1.0)[which]
