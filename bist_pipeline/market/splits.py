"""Prices as they were traded, out of prices that a provider divided by later splits.

Belongs here: the ratio between the two, undoing it, and what is left of the provider's rounding. Does not belong here:
which rows are accepted (`cleaning.py`), factors for readers (`factors.py`), dividends: a split-adjusted price holds
none.

How exact an undone price is. Yahoo's prices are float32 numbers: one half of their last bit is 2⁻²⁴ of the price. Each
split adds as much for dividing and rounding the stored price anew, and twice as much for its ratio, a float32 number
too (10/7 is stated as 1.4285715) which the provider writes in the fewest digits that lead back to it. So

    |undone − traded| ≤ traded × 2⁻²⁴ × (1 + 3 × splits)

which is below 0.001 tick for most prices (2,500 ticks each), and is added to the 0.01 tick within which a price counts
as lying on the grid. It matters for dear shares of the older table alone, whose prices have 100,000 ticks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.bars import DayArray, FloatArray
from bist_pipeline.core.calendar import ISTANBUL
from bist_pipeline.core.symbols import symbol_kind
from bist_pipeline.core.ticks import ON_GRID, snap, tick_size

ACTION_COLUMNS = ("symbol", "ex_date", "kind", "ratio", "amount_try")
TRADED_VALUES = ("open_raw", "high_raw", "low_raw", "close_raw")

_HALF_BIT = 2.0**-24
_HALF_BITS_PER_SPLIT = 3
# Beyond this the grid says nothing any more: half a tick away is as far as any price can be.
_LOOSEST = 0.25

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Actions:
    """What is known of the corporate actions of some symbols.

    Attributes:
        frame: Columns `ACTION_COLUMNS`, as in `reference.corporate_actions`.
        stating: Symbols whose answer states every split behind its prices, so that they can be undone. Its dividends
            are divided by later splits like its prices.
        today: Actions with a later ex-date are not in force.
    """

    frame: pd.DataFrame
    stating: frozenset[str]
    today: date

    def of_kind(self, kind: str) -> pd.DataFrame:
        """The actions of one kind that are in force, oldest first."""
        frame = self.frame[(self.frame["kind"] == kind) & (self.frame["ex_date"] <= pd.Timestamp(self.today))]
        return frame.sort_values(["symbol", "ex_date"])


def no_actions() -> Actions:
    """Nothing is known, and nothing can be undone."""
    return Actions(pd.DataFrame(columns=list(ACTION_COLUMNS)), frozenset(), date.max)


@dataclass(frozen=True)
class Ratios:
    """How many shares of a later day one share of a row's day has become; arrays of shape (n,).

    Attributes:
        ratio: Product of the ratios of the splits in between; 1 where there is none.
        splits: How many they are.
    """

    ratio: FloatArray
    splits: npt.NDArray[np.int64]


def ratios_between(symbol: pd.Series, day: DayArray, until: DayArray, splits: pd.DataFrame) -> Ratios:
    """Multiply the splits of each row's symbol with `day < ex_date ≤ until`, the newest first.

    Args:
        symbol: Of each row.
        day: Of each row.
        until: Of each row.
        splits: `symbol`, `ex_date`, `ratio`.
    """
    ratio, count = np.ones(len(symbol)), np.zeros(len(symbol), dtype=np.int64)
    for rows, own in _by_symbol(symbol, splits):
        for ex_date, number in _newest_first(own):
            between = rows[(day[rows] < ex_date) & (ex_date <= until[rows])]
            ratio[between] *= number
            count[between] += 1
    return Ratios(ratio, count)


def _by_symbol(symbol: pd.Series, splits: pd.DataFrame) -> Iterator[tuple[npt.NDArray[np.int64], pd.DataFrame]]:
    """Yield the rows of each symbol that has splits, and the splits."""
    concerned = np.flatnonzero(symbol.isin(splits["symbol"].unique()).to_numpy())
    for name, places in pd.Series(concerned).groupby(symbol.to_numpy()[concerned]):
        yield places.to_numpy(), splits[splits["symbol"] == name]


def _newest_first(splits: pd.DataFrame) -> list[tuple[np.datetime64, float]]:
    ordered = splits.sort_values("ex_date", ascending=False)
    days = ordered["ex_date"].to_numpy().astype("datetime64[D]")
    return list(zip(days, ordered["ratio"].to_numpy(dtype=np.float64), strict=True))


def is_undoable(rows: pd.DataFrame, actions: Actions) -> BoolArray:
    """Which rows of `market.raw_prices` are split-adjusted by splits that are all known; shape (n,)."""
    if not actions.stating:
        return np.zeros(len(rows), dtype=bool)
    return ((rows["basis"] == "split_adjusted") & rows["symbol"].isin(actions.stating)).to_numpy(dtype=bool)


def undo_splits(rows: pd.DataFrame, actions: Actions) -> tuple[pd.DataFrame, BoolArray]:
    """Express rows in the basis in which they were traded.

    A split counts where its ex-date lies after the row's session and not after the day (in Istanbul) on which the row
    was fetched as it is: what it was not divided by then must not be multiplied with. The provider's own time would be
    that of the last trade, which on the morning of a split is the day before, and the prices are divided already.

    Args:
        rows: Rows of `market.raw_prices`, all of them undoable, or as traded and yet to be put on the grid.
        actions: What is known of their symbols.

    Returns:
        The rows with their prices, whole volumes and basis as traded, in the same order; and which of them are
        doubtful, since a price lies off the grid on which shares trade. Such a price keeps the bits of the
        multiplication. Indices have no grid.
    """
    day = rows["session_date"].to_numpy(dtype="datetime64[D]")
    ratios = ratios_between(rows["symbol"], day, istanbul_days(rows["fetched_at"]), actions.of_kind("split"))
    columns, doubtful = {}, np.zeros(len(rows), dtype=bool)
    has_grid = _has_grid(rows["symbol"])
    for name in TRADED_VALUES:
        values = rows[name].to_numpy(dtype=np.float64) * ratios.ratio
        snapped, is_price = on_grid(values, day, ratios.splits)
        columns[name] = np.where(has_grid & is_price, snapped, values)
        doubtful |= has_grid & ~is_price & ~np.isnan(values)
    volume = np.rint(rows["volume_raw"].to_numpy(dtype=np.float64) / ratios.ratio)
    return rows.assign(**columns, volume_raw=volume, basis="as_traded").astype({"basis": "str"}), doubtful


def istanbul_days(moments: pd.Series) -> DayArray:
    """The day in Istanbul of each moment (UTC)."""
    return moments.dt.tz_convert(ISTANBUL).dt.tz_localize(None).to_numpy(dtype="datetime64[D]")


def _has_grid(symbol: pd.Series) -> BoolArray:
    shares = [name for name in symbol.unique() if symbol_kind(name) == "share"]
    return symbol.isin(shares).to_numpy(dtype=bool)


def on_grid(values: FloatArray, day: DayArray, steps: npt.NDArray[np.int64]) -> tuple[FloatArray, BoolArray]:
    """Move undone prices onto the grid.

    Args:
        values: Lira, shape (n,) or (n, k).
        day: Their sessions; shapes broadcast.
        steps: How many splits, or dividends, were undone.

    Returns:
        The nearest prices of the grid, and which values are such a price up to 0.01 tick and the provider's rounding.
    """
    snapped, residual = snap(values, day)
    ticks = np.abs(values) / tick_size(values, day)
    explained = ticks * (_HALF_BIT * (1 + _HALF_BITS_PER_SPLIT * steps))
    return snapped, residual <= np.minimum(ON_GRID + explained, _LOOSEST)
