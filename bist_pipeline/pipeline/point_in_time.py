"""Point in time: the row of a session is computed on the history in that session's own shares.

Belongs here: expressing bars as traded in the basis of the sessions that are derived, one pass per segment between two
splits, whatever is computed. Does not belong here: what is computed; and dividends, which are not taken into account
yet: prices before an ex-date stay as they were traded.

How it works, for a symbol with a split on X:

    rows before X         on the bars before X, as traded
    rows from X on        on all bars, those before X divided by the ratio, their volumes multiplied by it

1. Each symbol becomes one series per segment that reaches into the sessions asked for, under a name of its own: the
   bars up to the segment's end, in the segment's shares.
2. Whatever is computed is computed on these series.
3. Of each series the rows of its own segment are kept, under the symbol's name.

So a split changes no row before its ex-date, and no row depends on which sessions are asked for. Symbols without a
split, and those whose source cannot be undone, are computed on the bars as they are.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from bist_pipeline.core.bars import PRICE_COLUMNS, Bars, DayArray, FloatArray
from bist_pipeline.storage.database import Database

# Between a symbol and the number of its segment; no symbol contains it.
_SEPARATOR = "#"


@dataclass(frozen=True, slots=True)
class PointInTime:
    """The splits that are known, ready to compute with.

    Attributes:
        splits: By symbol: `ex_date` and `ratio` (new shares per old share), oldest first.
    """

    splits: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    def compute(self, function: Callable[[Bars, date], pd.DataFrame], bars: Bars, since: date) -> pd.DataFrame:
        """Compute the rows from `since` on, each on the history in its own session's shares.

        Args:
            function: Takes bars and a first session; returns rows with `symbol` and `session_date`, in the order of the
                bars. A row must depend on its symbol's bars up to its session alone.
            bars: Whole histories, as stored.
            since: First session of the answer.
        """
        series = list(self._series(bars, since))
        if all(one.ratio is None for one in series):
            return function(bars, since)
        return _own_rows(function(_joined(bars, series), since), series)

    def _series(self, bars: Bars, since: date) -> Iterator["_Series"]:
        names = bars.frame["symbol"].take(bars.offsets[:-1]).tolist()
        for symbol, start, end in zip(names, bars.offsets[:-1].tolist(), bars.offsets[1:].tolist(), strict=True):
            if symbol in self.splits:
                days = bars.frame["session_date"].iloc[start:end].to_numpy().astype("datetime64[D]")
                yield from _segments(symbol, start, days, self.splits[symbol], since)
            else:
                yield _Series(symbol, symbol, start, end)


@dataclass(frozen=True, slots=True)
class _Series:
    """One segment of a symbol's history, with all that came before it.

    Attributes:
        name: Under which it is computed.
        symbol: Whose it is.
        start: Row of the symbol's first bar.
        end: Row after the segment's last bar.
        ratio: Shares of the segment that one share of each bar has become, shape (end - start,); None where the bars
            are taken as they are.
        own_from: First session of the segment, in days from 1970 on.
    """

    name: str
    symbol: str
    start: int
    end: int
    ratio: FloatArray | None = None
    own_from: int = -(10**6)


def _segments(symbol: str, start: int, days: DayArray, splits: pd.DataFrame, since: date) -> Iterator[_Series]:
    """Cut one symbol at the splits between its bars; segments that end before `since` are left out."""
    ex_dates = splits["ex_date"].to_numpy().astype("datetime64[D]")
    inside = (ex_dates > days[0]) & (ex_dates <= days[-1])
    if not inside.any():
        yield _Series(symbol, symbol, start, start + len(days))
        return
    ex_dates, ratios = ex_dates[inside], splits["ratio"].to_numpy(dtype=np.float64)[inside]
    edges = [0, *np.searchsorted(days, ex_dates).tolist(), len(days)]
    for number, (begin, end) in enumerate(itertools.pairwise(edges)):
        # Two splits with no bar in between leave an empty segment.
        if begin < end and days[end - 1] >= np.datetime64(since):
            ratio = np.ones(end)
            for cut in range(number, 0, -1):
                ratio[: edges[cut]] *= ratios[cut - 1]
            first = int(days[begin].astype(np.int64))
            yield _Series(f"{symbol}{_SEPARATOR}{number}", symbol, start, start + end, ratio, first)


def _joined(bars: Bars, series: list[_Series]) -> Bars:
    """Lay the series one after the other, each in its own shares."""
    rows = np.concatenate([np.arange(one.start, one.end) for one in series])
    ratio = np.concatenate([np.ones(one.end - one.start) if one.ratio is None else one.ratio for one in series])
    frame = bars.frame.take(rows).reset_index(drop=True)
    # Dividing and multiplying by 1 keeps every bit.
    columns = {name: frame[name].to_numpy(dtype=np.float64) / ratio for name in PRICE_COLUMNS}
    volume = frame["volume_shares"].to_numpy(dtype=np.float64) * ratio
    lengths = [one.end - one.start for one in series]
    names = pd.array([one.name for one in series], dtype="str").repeat(lengths)
    return Bars(frame.assign(symbol=names, **columns, volume_shares=volume))


def _own_rows(computed: pd.DataFrame, series: list[_Series]) -> pd.DataFrame:
    codes = pd.Index([one.name for one in series]).get_indexer(pd.Index(computed["symbol"]))
    own_from = np.array([one.own_from for one in series], dtype=np.int64)
    kept = computed["session_date"].to_numpy().astype("datetime64[D]").astype(np.int64) >= own_from[codes]
    symbols = pd.array([one.symbol for one in series], dtype="str").take(codes[kept])
    return computed[kept].reset_index(drop=True).assign(symbol=symbols)


def read_point_in_time(database: Database) -> PointInTime:
    """Read the splits of every symbol whose bars are as traded.

    The first bar tells: a symbol's history stands on one basis, and that bar is never a live one.
    """
    frame = database.frame(
        """SELECT a.symbol, a.ex_date, a.ratio FROM reference.corporate_actions AS a
        WHERE a.kind = 'split' AND a.ratio <> 1 AND 'as_traded' = (
            SELECT p.basis FROM market.daily_prices AS p WHERE p.symbol = a.symbol ORDER BY p.session_date LIMIT 1)
        ORDER BY a.symbol, a.ex_date"""
    )
    return PointInTime({str(symbol): own for symbol, own in frame.groupby("symbol")})
