"""Factors that take a price as traded to the basis of today: what a reader multiplies with.

Belongs here: `adjustment_factor` and `total_return_factor` of accepted bars. They are information of the time of
reading: nothing is computed from them, and a bar whose factors alone change is no changed bar.

    adjustment_factor of D    = Π 1 / ratio          over splits with ex-date > D
    total_return_factor of D  = the same × Π (P − d) / P   over dividends with ex-date > D

with P the last close before the ex-date and d the dividend, both per share of today.
"""

import numpy as np
import pandas as pd

from bist_pipeline.core.bars import DayArray, FloatArray
from bist_pipeline.market.splits import Actions, ratios_between

CLOSE_COLUMNS = ("symbol", "session_date", "close_try")


def with_factors(bars: pd.DataFrame, actions: Actions, closes: pd.DataFrame) -> pd.DataFrame:
    """Fill the factors of bars as traded; other bars keep theirs.

    Args:
        bars: `symbol`, `session_date`, `close_try`, `basis`, `adjustment_factor`, `total_return_factor`.
        actions: What is known of their symbols.
        closes: Columns `CLOSE_COLUMNS`: stored closes as traded that are not among the bars, at least the last one
            before each dividend.
    """
    traded = ((bars["basis"] == "as_traded") & bars["symbol"].isin(actions.frame["symbol"].unique())).to_numpy()
    if not traded.any():
        return bars
    rows = bars[traded]
    day = rows["session_date"].to_numpy(dtype="datetime64[D]")
    split = _split_factors(rows["symbol"], day, actions)
    paid = _dividend_factors(rows["symbol"], day, _shares_of(actions, pd.concat([closes, rows[list(CLOSE_COLUMNS)]])))
    adjustment, total = (bars[f"{name}_factor"].to_numpy(dtype=np.float64) for name in ("adjustment", "total_return"))
    adjustment, total = adjustment.copy(), total.copy()
    adjustment[traded], total[traded] = split, split * paid
    return bars.assign(adjustment_factor=adjustment, total_return_factor=total)


def _split_factors(symbol: pd.Series, day: DayArray, actions: Actions) -> FloatArray:
    until = np.full(len(day), np.datetime64(actions.today, "D"))
    return 1.0 / ratios_between(symbol, day, until, actions.of_kind("split")).ratio


def _shares_of(actions: Actions, closes: pd.DataFrame) -> pd.DataFrame:
    """What each dividend leaves of a price: `symbol`, `ex_date`, `ratio` (below 1), oldest first.

    One that is not below the price it is paid out of is an error of the source, and left out.
    """
    dividends = actions.of_kind("dividend").sort_values("ex_date")
    before = pd.merge_asof(
        dividends.astype({"symbol": "object", "ex_date": "datetime64[us]"}),
        closes.astype({"symbol": "object", "session_date": "datetime64[us]"}).sort_values("session_date"),
        left_on="ex_date",
        right_on="session_date",
        by="symbol",
        allow_exact_matches=False,
    )
    before = before[before["close_try"].notna()]
    price = before["close_try"] * _split_factors(before["symbol"], _days(before["session_date"]), actions)
    amount = before["amount_try"].to_numpy(dtype=np.float64)
    # An answer that adjusts its prices for splits adjusts its dividends too; one as traded states what was paid.
    own_shares = _split_factors(before["symbol"], _days(before["ex_date"]), actions)
    amount = amount * np.where(before["symbol"].isin(actions.stating), 1.0, own_shares)
    left = before.assign(ratio=(price - amount) / price)
    return left.loc[(left["ratio"] > 0) & (left["ratio"] < 1), ["symbol", "ex_date", "ratio"]]


def _dividend_factors(symbol: pd.Series, day: DayArray, left: pd.DataFrame) -> FloatArray:
    return ratios_between(symbol, day, np.full(len(day), np.datetime64("9999-12-31")), left).ratio


def _days(column: pd.Series) -> DayArray:
    return column.to_numpy(dtype="datetime64[D]")
