"""Point in time: the row of a session is computed on the history in that session's own shares and money.

Belongs here: expressing bars as traded in the basis of the sessions that are derived, one pass per segment between two
ex-dates, whatever is computed. Does not belong here: what is computed; what an action leaves of a price
(`market/theoretical.py`).

How it works, for a symbol with an action on X, be it a split, a bonus or rights issue, a dividend or several at once:

    rows before X         on the bars before X, as traded
    rows from X on        on all bars, prices before X multiplied by the price factor, volumes by the share ratio

so that a gap the exchange itself made is no breakdown.

1. Each symbol becomes one series per segment that reaches into the sessions asked for, under a name of its own: the
   bars up to the segment's end, in the segment's basis.
2. Whatever is computed is computed on these series, a bounded number of rows at a time: they share their histories, and
   a share with forty dividends has forty of them.
3. Of each series the rows of its own segment are kept, under the symbol's name.

So an action changes no row before its ex-date, and no row depends on which sessions are asked for: factors are
multiplied from the segment's own action back to the first, whichever segments are computed. Symbols without an action,
and those whose source cannot be undone, are computed on the bars as they are.
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

# Rows computed at once: their indicators take 100 MB. More would be no faster.
SERIES_ROWS = 250_000


@dataclass(frozen=True, slots=True)
class PointInTime:
    """The corporate actions that are known, ready to compute with.

    Attributes:
        factors: By symbol: `ex_date`, `price_factor` (what all actions of the day leave of a price) and `share_ratio`
            (shares after per share before), one row per ex-date, oldest first.
        series_rows: Rows of series that are computed at once, but never less than one series.
    """

    factors: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    series_rows: int = SERIES_ROWS

    def compute(self, function: Callable[[Bars, date], pd.DataFrame], bars: Bars, since: date) -> pd.DataFrame:
        """Compute the rows from `since` on, each on the history in its own session's basis.

        Args:
            function: Takes bars and a first session; returns rows with `symbol` and `session_date`, in the order of the
                bars. A row must depend on its symbol's bars up to its session alone.
            bars: Whole histories, as stored.
            since: First session of the answer.
        """
        series = list(self._series(bars, since))
        if all(one.price is None for one in series):
            return function(bars, since)
        parts = [_own_rows(function(_joined(bars, some), since), some) for some in _portions(series, self.series_rows)]
        return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)

    def in_last_shares(self, bars: Bars) -> Bars:
        """Express whole histories in the shares and money of each symbol's last bar: what a picture shows."""
        if not len(bars):
            return bars
        last = {one.symbol: one for one in self._series(bars, date.min)}
        found = _joined(bars, list(last.values()))
        return Bars(found.frame.assign(symbol=bars.frame["symbol"].to_numpy()))

    def _series(self, bars: Bars, since: date) -> Iterator["_Series"]:
        names = bars.frame["symbol"].take(bars.offsets[:-1]).tolist()
        for symbol, start, end in zip(names, bars.offsets[:-1].tolist(), bars.offsets[1:].tolist(), strict=True):
            if symbol in self.factors:
                days = bars.frame["session_date"].iloc[start:end].to_numpy().astype("datetime64[D]")
                yield from _segments(symbol, start, days, self.factors[symbol], since)
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
        price: What later actions leave of each bar's prices, shape (end - start,); None where the bars are taken as
            they are.
        shares: Shares of the segment that one share of each bar has become, likewise.
        own_from: First session of the segment, in days from 1970 on.
    """

    name: str
    symbol: str
    start: int
    end: int
    price: FloatArray | None = None
    shares: FloatArray | None = None
    own_from: int = -(10**6)


def _segments(symbol: str, start: int, days: DayArray, factors: pd.DataFrame, since: date) -> Iterator[_Series]:
    """Cut one symbol at the ex-dates between its bars; segments that end before `since` are left out."""
    ex_dates = factors["ex_date"].to_numpy().astype("datetime64[D]")
    inside = (ex_dates > days[0]) & (ex_dates <= days[-1])
    if not inside.any():
        yield _Series(symbol, symbol, start, start + len(days))
        return
    steps = factors.loc[inside, ["price_factor", "share_ratio"]].to_numpy(dtype=np.float64)
    edges = [0, *np.searchsorted(days, ex_dates[inside]).tolist(), len(days)]
    for number, (begin, end) in enumerate(itertools.pairwise(edges)):
        # Two actions with no bar in between leave an empty segment.
        if begin < end and days[end - 1] >= np.datetime64(since):
            products = np.ones((end, 2))
            for cut in range(number, 0, -1):
                products[: edges[cut]] *= steps[cut - 1]
            first = int(days[begin].astype(np.int64))
            yield _Series(f"{symbol}{_SEPARATOR}{number}", symbol, start, start + end, *products.T, own_from=first)


def _portions(series: list[_Series], most: int) -> Iterator[list[_Series]]:
    """Group neighbours so that no group but one of a single series has more than `most` rows."""
    portion: list[_Series] = []
    rows = 0
    for one in series:
        if portion and rows + one.end - one.start > most:
            yield portion
            portion, rows = [], 0
        portion.append(one)
        rows += one.end - one.start
    yield portion


def _joined(bars: Bars, series: list[_Series]) -> Bars:
    """Lay the series one after the other, each in its own basis."""
    rows = np.concatenate([np.arange(one.start, one.end) for one in series])
    lengths = [one.end - one.start for one in series]
    price, shares = (
        np.concatenate([np.ones(size) if part is None else part for part, size in zip(parts, lengths, strict=True)])
        for parts in ([one.price for one in series], [one.shares for one in series])
    )
    frame = bars.frame.take(rows).reset_index(drop=True)
    # Multiplying by 1 keeps every bit.
    columns = {name: frame[name].to_numpy(dtype=np.float64) * price for name in PRICE_COLUMNS}
    volume = frame["volume_shares"].to_numpy(dtype=np.float64) * shares
    names = pd.array([one.name for one in series], dtype="str").repeat(lengths)
    return Bars(frame.assign(symbol=names, **columns, volume_shares=volume))


def _own_rows(computed: pd.DataFrame, series: list[_Series]) -> pd.DataFrame:
    codes = pd.Index([one.name for one in series]).get_indexer(pd.Index(computed["symbol"]))
    own_from = np.array([one.own_from for one in series], dtype=np.int64)
    kept = computed["session_date"].to_numpy().astype("datetime64[D]").astype(np.int64) >= own_from[codes]
    symbols = pd.array([one.symbol for one in series], dtype="str").take(codes[kept])
    return computed[kept].reset_index(drop=True).assign(symbol=symbols)


def read_point_in_time(database: Database) -> PointInTime:
    """Read what actions leave of prices, for every symbol whose bars are as traded, and what adjusted bars still lack.

    The first bar tells: a symbol's history stands on one basis, and that bar is never a live one.
    """
    frame = database.frame(
        """SELECT f.symbol, f.ex_date, f.price_factor, f.share_ratio FROM reference.action_factors AS f
        WHERE (f.price_factor <> 1 OR f.share_ratio <> 1) AND (f.kinds = 'residual' OR 'as_traded' = (
            SELECT p.basis FROM market.daily_prices AS p WHERE p.symbol = f.symbol ORDER BY p.session_date LIMIT 1))
        ORDER BY f.symbol, f.ex_date"""
    )
    return PointInTime({str(symbol): own for symbol, own in frame.groupby("symbol")})
