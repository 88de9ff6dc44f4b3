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
from bist_pipeline.quality._range import as_traded, is_judged, trading_days
from bist_pipeline.quality._thresholds import COMPUTABLE
from bist_pipeline.quality.contract import CheckInput
from bist_pipeline.schemas.market import BASES

_NO_ROW = -1


@dataclass(frozen=True, slots=True)
class Panel:
    """Where each symbol's row of each session stands in the rows given.

    Attributes:
        raw: The rows given, in the provider's values.
        bars: The same rows as traded, as far as that is known: `BAR_VALUES` and `basis`.
        symbols: Codes in order of appearance, shape (s,).
        sessions: The days of the range on which the exchange traded, ascending datetime64[us], shape (t,).
        judged: Which of the sessions are judged rather than there to compare with, shape (t,).
        row: Position in `raw`, -1 where there is no row, shape (s, t). Of several rows, the first occurrence.
    """

    raw: pd.DataFrame
    bars: pd.DataFrame
    symbols: npt.NDArray[np.object_]
    sessions: npt.NDArray[np.datetime64]
    judged: npt.NDArray[np.bool_]
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
        names = np.asarray(symbols, dtype=object)
        return cls(given.raw, as_traded(given), names, sessions, is_judged(given, sessions), row)

    @property
    def is_index(self) -> npt.NDArray[np.bool_]:
        """Which symbols are indices rather than shares, shape (s, 1): they have no tick and no price limit."""
        return np.array([str(symbol).startswith("X") for symbol in self.symbols], dtype=bool)[:, None]

    def values(self, name: str) -> FloatArray:
        """Return one column of `raw` or `bars` as float64, NaN where there is no row, shape (s, t)."""
        column = (self.raw if name in self.raw else self.bars)[name]
        return np.append(column.to_numpy(dtype=np.float64), np.nan)[self.row]

    def is_basis(self, basis: str) -> npt.NDArray[np.bool_]:
        """Return where `bars` are of a basis, shape (s, t)."""
        return np.append((self.bars["basis"] == basis).to_numpy(dtype=bool), False)[self.row]

    @property
    def is_comparable(self) -> npt.NDArray[np.bool_]:
        """Where a row is of the basis of most rows of its symbol: rows of two bases are no neighbours, shape (s, t)."""
        bases = np.stack([self.is_basis(basis) for basis in BASES])
        most = bases.sum(axis=2).argmax(axis=0)
        return np.take_along_axis(bases, most[None, :, None], axis=0)[0]

    def at(self, hit: npt.NDArray[np.bool_], **columns: npt.NDArray[Any]) -> pd.DataFrame:
        """List the marked cells of the sessions that are judged.

        Args:
            hit: Shape (s, t).
            **columns: Further columns, each of a shape that broadcasts to (s, t).

        Returns:
            Columns `symbol`, `session_date` and those given, one row per marked cell.
        """
        hit = hit & self.judged
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


def usable(numbers: FloatArray) -> FloatArray:
    """Return the prices and volumes above zero that can be divided by another without overflow, NaN elsewhere."""
    smallest, largest = COMPUTABLE
    return np.where((numbers >= smallest) & (numbers <= largest), numbers, np.nan)
