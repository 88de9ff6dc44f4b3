"""Two sources bar by bar, as flat arrays by symbol and session.

Belongs here: the arrangement. Does not belong here: any judgement.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.bars import DayArray, FloatArray
from bist_pipeline.quality.comparison.contract import TAIL_BARS

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

PRICES = ("open_try", "high_try", "low_try", "close_try")
CLOSE = 3  # position of the close among them

_DAYS = 1 << 23  # a day from 1970 on lies within ±2²², so that symbol and day fit one number


@dataclass(frozen=True, slots=True)
class Side:
    """One source's values on the rows of `Pairs`; NaN where it has none.

    Attributes:
        prices: Open, high, low, close; shape (4, n).
        volume: As the source counts it, shape (n,).
        basis: Shape (n,); empty where there is no row.
    """

    prices: FloatArray
    volume: FloatArray
    basis: npt.NDArray[np.object_]

    @property
    def close(self) -> FloatArray:
        """The closes, shape (n,)."""
        return self.prices[CLOSE]

    @property
    def is_traded(self) -> BoolArray:
        """Which rows are as traded, shape (n,)."""
        return self.basis == "as_traded"

    @property
    def typical(self) -> FloatArray:
        """(high + low + close) / 3, the close where high or low is missing; shape (n,)."""
        whole = self.prices[1:].mean(axis=0)
        return np.where(np.isfinite(whole), whole, self.close)

    def take(self, rows: IntArray) -> "Side":
        """The values on some rows."""
        return Side(self.prices[:, rows], self.volume[rows], self.basis[rows])


@dataclass(frozen=True, slots=True)
class Pairs:
    """The bars of two sources, sorted by symbol and session.

    Attributes:
        symbols: Codes, sorted, shape (s,).
        code: Which symbol, shape (n,).
        day: Session, datetime64[D], shape (n,).
        place: Counts the sessions, so that neighbours differ by one, shape (n,).
        first, second: The values.
    """

    symbols: npt.NDArray[np.object_]
    code: IntArray
    day: DayArray
    place: IntArray
    first: Side
    second: Side

    def __len__(self) -> int:
        return len(self.code)

    def take(self, rows: IntArray) -> "Pairs":
        """Some of the rows, in their order."""
        return Pairs(
            *(self.symbols, self.code[rows], self.day[rows], self.place[rows]),
            *(self.first.take(rows), self.second.take(rows)),
        )


def pair(first: pd.DataFrame, second: pd.DataFrame, sessions: DayArray | None) -> Pairs:
    """Lay out what two sources tell of the symbols that both have, on sessions.

    Args:
        first: `INPUT_COLUMNS`; at most one row per symbol and session.
        second: The same of the other source.
        sessions: Days on which the exchange traded; None where every day told counts.
    """
    symbols = np.array(sorted(set(first["symbol"]) & set(second["symbol"])), dtype=object)
    sides = [_keyed(frame, symbols, sessions) for frame in (first, second)]
    keys = np.union1d(sides[0][0], sides[1][0])
    keys = keys[_in_common_time(keys, *(keys_ for keys_, _ in sides))]
    code, day = keys // _DAYS, (keys % _DAYS - _DAYS // 2).astype("datetime64[D]")
    known = np.unique(day) if sessions is None else np.unique(sessions)
    return Pairs(
        *(symbols, code, day, np.searchsorted(known, day).astype(np.int64)),
        *(_side(keys, keys_, rows) for keys_, rows in sides),
    )


def _keyed(
    frame: pd.DataFrame, symbols: npt.NDArray[np.object_], sessions: DayArray | None
) -> tuple[IntArray, pd.DataFrame]:
    """Return one number per usable row, ascending, and the rows in that order."""
    code = pd.Index(symbols).get_indexer(pd.Index(frame["symbol"]))
    day = frame["session_date"].to_numpy(dtype="datetime64[D]")
    close = frame["close_try"].to_numpy(dtype=np.float64)
    kept = (code >= 0) & np.isfinite(close) & (close > 0)
    if sessions is not None:
        kept &= np.isin(day, sessions)
    rows = np.flatnonzero(kept)
    keys = code[rows] * _DAYS + day[rows].astype(np.int64) + _DAYS // 2
    keys, places = np.unique(keys, return_index=True)
    return keys, frame.iloc[rows[places]]


def _in_common_time(keys: IntArray, left: IntArray, right: IntArray) -> BoolArray:
    """Return which keys lie within the time that both tell of, or few bars after it."""
    code = keys // _DAYS
    low, high = np.zeros(len(keys), dtype=bool), np.zeros(len(keys), dtype=bool)
    names = np.unique(code)
    starts, ends = _borders(left, right, names, last=False), _borders(left, right, names, last=True)
    where = np.searchsorted(names, code)
    low[:] = keys >= np.maximum(*starts)[where]
    end = np.minimum(*ends)[where]
    beyond = keys > end
    # How many bars beyond the end: counted from the first of them on.
    count = np.cumsum(beyond)
    base = np.zeros(len(names), dtype=np.int64)
    np.maximum.at(base, where, np.where(beyond, 0, count))
    high[:] = ~beyond | (count - base[where] <= TAIL_BARS)
    return low & high


def _borders(left: IntArray, right: IntArray, names: IntArray, *, last: bool) -> tuple[IntArray, IntArray]:
    """First or last key of each symbol in both; a symbol that one lacks has no time in common."""
    found = []
    for keys in (left, right):
        at = np.searchsorted(keys, (names + last) * _DAYS) - last
        inside = (at >= 0) & (at < len(keys))
        key = keys[np.clip(at, 0, max(len(keys) - 1, 0))] if len(keys) else np.full(len(names), -1)
        own = inside & (key // _DAYS == names)
        found.append(np.where(own, key, -1 if last else np.iinfo(np.int64).max))
    return found[0], found[1]


def _side(keys: IntArray, own: IntArray, rows: pd.DataFrame) -> Side:
    at = np.searchsorted(own, keys)
    inside = at < len(own)
    at = np.where(inside, at, 0)
    there = inside & (own[at] == keys) if len(own) else np.zeros(len(keys), dtype=bool)
    place = np.where(there, at, len(own))
    prices = np.vstack([np.append(rows[name].to_numpy(dtype=np.float64), np.nan)[place] for name in PRICES])
    volume = np.append(rows["volume_shares"].to_numpy(dtype=np.float64), np.nan)[place]
    basis = np.append(rows["basis"].to_numpy(dtype=object), "")[place]
    return Side(np.where(np.isfinite(prices) & (prices > 0), prices, np.nan), volume, basis)
