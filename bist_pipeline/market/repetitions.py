"""Rows that a provider delivers more than once.

Belongs here: finding the rows that share a symbol and a day, and whether they agree. Does not belong here: what
becomes of them (`rules.py`).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

RAW_VALUES = ("open_raw", "high_raw", "low_raw", "close_raw", "adj_close_raw", "volume_raw")


@dataclass(frozen=True, slots=True)
class Repetitions:
    """How each row relates to the first row of its symbol and day; arrays of shape (n,).

    Attributes:
        first: Position of that first row (by occurrence, then source row); its own position where it is the only one.
        repeats: Whether the row is a later one that equals the first in every value (missing equals missing).
        disputed: Whether any row of its symbol and day differs from the first.
    """

    first: npt.NDArray[np.int64]
    repeats: npt.NDArray[np.bool_]
    disputed: npt.NDArray[np.bool_]


def find_repetitions(raw: pd.DataFrame) -> Repetitions:
    """Compare the rows of `raw` that share a symbol and a day.

    Args:
        raw: Columns `symbol`, `session_date`, `occurrence`, `source_row` and `RAW_VALUES`.
    """
    first = np.arange(len(raw), dtype=np.int64)
    repeats, disputed = np.zeros((2, len(raw)), dtype=bool)
    bar = symbol_day_codes(raw)
    shared = np.flatnonzero(pd.Series(bar).duplicated(keep=False).to_numpy())
    if len(shared):
        rows = raw.iloc[shared]
        order = np.lexsort((shared, rows["source_row"], rows["occurrence"], bar[shared]))
        shared, bars = shared[order], bar[shared][order]
        group_start = np.searchsorted(bars, bars)
        first[shared] = shared[group_start]
        values = raw[list(RAW_VALUES)].iloc[shared].to_numpy(dtype=np.float64)
        same = _equal(values, values[group_start])
        repeats[shared] = same & (group_start != np.arange(len(shared)))
        disputed[shared] = np.isin(bars, bars[~same])
    return Repetitions(first, repeats, disputed)


def symbol_day_codes(raw: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Number each row's symbol and day, the same number for the same pair, shape (n,)."""
    symbols, _ = pd.factorize(raw["symbol"], use_na_sentinel=False)
    days, known = pd.factorize(raw["session_date"], use_na_sentinel=False)
    return symbols.astype(np.int64) * len(known) + days


def _equal(left: npt.NDArray[np.float64], right: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    return ((left == right) | (np.isnan(left) & np.isnan(right))).all(axis=1)
