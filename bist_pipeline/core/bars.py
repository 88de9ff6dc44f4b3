"""Bars as arrays: the shape in which prices travel between rooms.

Belongs here: the column names and the array container that indicators, patterns and signals compute on. Does not
belong here: reading them (`storage/`) or repairing them (`market/`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.float64]
DayArray = npt.NDArray[np.datetime64]

PRICE_COLUMNS = ("open_try", "high_try", "low_try", "close_try")
BAR_COLUMNS = ("symbol", "session_date", *PRICE_COLUMNS, "volume_shares", "is_final")


@dataclass(frozen=True, slots=True)
class SymbolBars:
    """The clean bars of one symbol in session order, without gaps filled.

    Attributes:
        symbol: Borsa Istanbul code.
        session_date: datetime64[D], strictly increasing, shape (n,).
        open, high, low, close: Prices in lira, float64, finite, shape (n,).
        volume: Shares, float64, finite, shape (n,).
        is_final: False where the session was still trading when the bar was fetched, shape (n,).
    """

    symbol: str
    session_date: DayArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    is_final: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.session_date)

    def until(self, count: int) -> Self:
        """Return the first `count` bars."""
        return type(self)(
            self.symbol,
            *(
                getattr(self, name)[:count]
                for name in ("session_date", "open", "high", "low", "close", "volume", "is_final")
            ),
        )


@dataclass(frozen=True)
class Bars:
    """The clean bars of many symbols, as flat columns sorted by symbol and session.

    Attributes:
        frame: Columns `BAR_COLUMNS`; `session_date` is datetime64, prices and volume float64 without NaN.
    """

    frame: pd.DataFrame

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> Self:
        """Sort `frame` by symbol and session and refuse what would poison a computation.

        Raises:
            ValueError: A symbol, session or flag is missing, a price or volume is not finite, a session is a moment
                rather than a day, or a symbol-session occurs twice.
        """
        if getattr(frame["session_date"].dtype, "tz", None) is not None:
            raise ValueError("session_date has a time zone: a session is a day in Istanbul, and no moment of it in UTC")
        ordered, keys = _sorted(frame.loc[:, list(BAR_COLUMNS)])
        numbers = ordered[[*PRICE_COLUMNS, "volume_shares"]].to_numpy(dtype=np.float64)
        sessions = ordered["session_date"].to_numpy().astype("datetime64[us]")
        # A missing flag would turn into True, and a time of day make two bars of one session look like two sessions.
        _refuse(ordered, ordered[["symbol", "session_date", "is_final"]].isna().any(axis=1), "lacks a key or its flag")
        _refuse(ordered, ~np.isfinite(numbers).all(axis=1), "holds a number that is not finite")
        _refuse(ordered, sessions != sessions.astype("datetime64[D]"), "has a time of day in session_date")
        _refuse(ordered, np.diff(keys, prepend=keys[:1] - 1) == 0, "occurs twice")
        return cls(ordered)

    def __len__(self) -> int:
        return len(self.frame)

    @cached_property
    def offsets(self) -> npt.NDArray[np.int64]:
        """Where each symbol's rows start, plus the end: shape (symbols + 1,)."""
        # As numbers: 534 k texts as objects take as long as reading them.
        codes, _ = pd.factorize(self.frame["symbol"])
        starts = np.flatnonzero(codes[1:] != codes[:-1]) + 1 if len(codes) else np.array([], dtype=np.int64)
        edges = [0, *starts.tolist(), len(codes)] if len(codes) else [0]
        return np.asarray(edges, dtype=np.int64)

    @cached_property
    def _columns(self) -> dict[str, np.ndarray]:
        columns = {name: self.frame[name].to_numpy(dtype=np.float64) for name in (*PRICE_COLUMNS, "volume_shares")}
        columns["session_date"] = self.frame["session_date"].to_numpy().astype("datetime64[D]")
        columns["is_final"] = self.frame["is_final"].to_numpy(dtype=bool)
        return columns

    def __iter__(self) -> Iterator[SymbolBars]:
        """Yield each symbol's bars, as views without a copy."""
        names = ("session_date", *PRICE_COLUMNS, "volume_shares", "is_final")
        symbols = self.frame["symbol"].take(self.offsets[:-1])
        for symbol, start, end in zip(symbols, self.offsets[:-1], self.offsets[1:], strict=True):
            yield SymbolBars(str(symbol), *(self._columns[name][start:end] for name in names))


# A day counted from 1970 lies within ±2²² from the year −9500 on, so that (symbol, day) fits one int64.
_DAYS = 1 << 23


def _sorted(frame: pd.DataFrame) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """Sort by symbol and session, by one number per row: sorting texts takes ten times as long.

    Returns:
        The frame and, per row, a number that is equal for the same symbol and day alone; rows that lack one of both
        have any number.
    """
    codes, symbols = pd.factorize(frame["symbol"])
    rank = np.argsort(np.argsort(np.asarray(symbols, dtype=object))) if len(symbols) else np.empty(0, dtype=np.int64)
    days = frame["session_date"].to_numpy().astype("datetime64[D]").astype(np.int64)
    keys = np.append(rank, -1)[codes] * _DAYS + days  # code −1, a missing symbol, reads the last entry
    if (np.diff(keys) < 0).any():
        order = np.argsort(keys, kind="stable")
        return frame.take(order).reset_index(drop=True), keys[order]
    return frame.reset_index(drop=True), keys


def _refuse(frame: pd.DataFrame, is_bad: npt.ArrayLike, fault: str) -> None:
    rows = np.flatnonzero(is_bad)
    if len(rows):
        bad = frame.loc[int(rows[0]), ["symbol", "session_date"]]
        raise ValueError(f"bar of {bad['symbol']} on {str(bad['session_date'])[:10]} {fault}")
