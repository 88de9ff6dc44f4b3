"""The rows of a range laid out as symbols by sessions.

Belongs here: the one arrangement in which checks compare a bar with its neighbours, by symbol or by session. The bar
of the previous session is the previous column, whether or not there is one: a gap never passes for a neighbour.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.quality.contract import CheckInput

_NO_ROW = -1


@dataclass(frozen=True, slots=True)
class Panel:
    """Where each symbol's row of each session stands in the raw rows.

    Attributes:
        raw: The rows of the range.
        symbols: Codes in order of appearance, shape (s,).
        sessions: The days of the range on which the exchange traded, ascending datetime64[us], shape (t,).
        row: Position in `raw`, -1 where there is no row, shape (s, t). Of several rows, the first occurrence.
    """

    raw: pd.DataFrame
    symbols: npt.NDArray[np.object_]
    sessions: npt.NDArray[np.datetime64]
    row: npt.NDArray[np.int64]

    @classmethod
    def of(cls, given: CheckInput) -> Self:
        """Lay out the rows that stand on sessions; rows on other days are `bars_on_closed_days`' matter."""
        codes, symbols = pd.factorize(given.raw["symbol"])
        sessions = trading_days(given.sessions)
        day = given.raw["session_date"].to_numpy(dtype="datetime64[us]")
        column = pd.DatetimeIndex(sessions).get_indexer(pd.DatetimeIndex(day))
        row = np.full((len(symbols), len(sessions)), _NO_ROW, dtype=np.int64)
        # Written from the last occurrence to the first, so that the first one stays.
        order = np.argsort(-given.raw["occurrence"].to_numpy(dtype=np.int64), kind="stable")
        order = order[(column[order] >= 0) & (codes[order] >= 0)]
        row[codes[order], column[order]] = order
        return cls(given.raw, np.asarray(symbols, dtype=object), sessions, row)

    def values(self, name: str) -> FloatArray:
        """Return one raw column as float64, NaN where there is no row, shape (s, t)."""
        return np.append(self.raw[name].to_numpy(dtype=np.float64), np.nan)[self.row]

    def at(self, hit: npt.NDArray[np.bool_], **columns: npt.NDArray[Any]) -> pd.DataFrame:
        """List the marked cells.

        Args:
            hit: Shape (s, t).
            **columns: Further columns, each of a shape that broadcasts to (s, t).

        Returns:
            Columns `symbol`, `session_date` and those given, one row per marked cell.
        """
        symbol, session = np.nonzero(hit)
        further = {name: np.broadcast_to(values, hit.shape)[hit] for name, values in columns.items()}
        return pd.DataFrame(
            {
                "symbol": pd.array(self.symbols[symbol], dtype="str"),
                "session_date": self.sessions[session],
                **further,
            }
        )


def previous(values: npt.NDArray[Any], *, gap: Any = np.nan) -> npt.NDArray[Any]:
    """Return each cell's value of the session before, `gap` in the first session, shape (s, t)."""
    before = np.full_like(values, gap)
    before[:, 1:] = values[:, :-1]
    return before


def trading_days(sessions: pd.DataFrame) -> npt.NDArray[np.datetime64]:
    """Return the days on which the exchange traded, ascending, without repetition."""
    days = sessions["session_date"].to_numpy(dtype="datetime64[us]")
    return np.unique(days[sessions["is_session"].to_numpy(dtype=bool)])
