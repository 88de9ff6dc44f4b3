"""Factors that take a price as traded to the basis of a later day: what a reader multiplies with.

Belongs here: `adjustment_factor` and `total_return_factor` of accepted bars, and series in the basis of any day. They
are information of the time of reading: nothing is computed from them, and a bar whose factors alone change is no
changed bar. Does not belong here: what one day's actions leave of a price (`theoretical.py`).

    adjustment_factor of D    = Π split_factor   over actions with ex-date > D
    total_return_factor of D  = Π price_factor   over the same
"""

from collections.abc import Collection
from datetime import date

import numpy as np
import pandas as pd

from bist_pipeline.core.bars import PRICE_COLUMNS, DayArray
from bist_pipeline.market.splits import ratios_between

CLOSE_COLUMNS = ("symbol", "session_date", "close_try")

# In `kinds`: no action of its own, but what a provider's adjusting for one still lacks.
RESIDUAL = "residual"


def with_residuals(factors: pd.DataFrame, residuals: pd.DataFrame, traded: Collection[str]) -> pd.DataFrame:
    """Keep the factors of symbols whose bars are as traded; of the others, what adjusting them still lacks.

    Args:
        factors: `ActionFactors.factors`.
        residuals: `symbol`, `ex_date`, `price_factor`, `share_ratio`.
        traded: Symbols whose bars are as traded.

    Returns:
        The same columns, sorted by symbol and ex-date; `kinds` of a residual is `residual`.
    """
    left = residuals[~residuals["symbol"].isin(list(traded))]
    told = left[["symbol", "ex_date", "price_factor", "share_ratio"]].assign(
        split_factor=left["price_factor"], base_close_try=np.nan, theoretical_try=np.nan, kinds=RESIDUAL
    )
    both = [
        frame for frame in (factors[factors["symbol"].isin(list(traded))], told[list(factors.columns)]) if len(frame)
    ]
    if not both:
        return factors.iloc[:0]
    return pd.concat([frame.astype(factors.dtypes.to_dict()) for frame in both]).sort_values(["symbol", "ex_date"])


def with_action_factors(bars: pd.DataFrame, factors: pd.DataFrame) -> pd.DataFrame:
    """Fill the factors of bars; those of symbols without any keep theirs.

    Args:
        bars: `symbol`, `session_date`, `adjustment_factor`, `total_return_factor`.
        factors: From `with_residuals`.
    """
    mine = bars["symbol"].isin(factors["symbol"].unique()).to_numpy(dtype=bool)
    if not mine.any():
        return bars
    until = np.datetime64("9999-12-31")
    columns = {}
    for name, part in (("adjustment_factor", "split_factor"), ("total_return_factor", "price_factor")):
        columns[name] = bars[name].to_numpy(dtype=np.float64, copy=True)
        columns[name][mine] = _product(bars[mine], factors, part, until)
    return bars.assign(**columns)


def adjusted(bars: pd.DataFrame, factors: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Bars as traded in the shares of a day: splits, bonus and rights issues up to it are taken out.

    Args:
        bars: `symbol`, `session_date`, `PRICE_COLUMNS`, `volume_shares`, as traded.
        factors: `ActionFactors.factors`.
        as_of: The day; later actions are not known yet.
    """
    return _in_the_basis_of(bars, factors, "split_factor", as_of)


def total_return(bars: pd.DataFrame, factors: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """The same with dividends: what a holder who put them back into the share would have gained is a price's change."""
    return _in_the_basis_of(bars, factors, "price_factor", as_of)


def _in_the_basis_of(bars: pd.DataFrame, factors: pd.DataFrame, part: str, as_of: date) -> pd.DataFrame:
    until = np.datetime64(as_of, "D")
    price, shares = (_product(bars, factors, name, until) for name in (part, "share_ratio"))
    columns = {name: bars[name].to_numpy(dtype=np.float64) * price for name in PRICE_COLUMNS}
    return bars.assign(**columns, volume_shares=bars["volume_shares"].to_numpy(dtype=np.float64) * shares)


def _product(rows: pd.DataFrame, factors: pd.DataFrame, part: str, until: np.datetime64) -> np.ndarray:
    """Multiply a part of the factors after each row's session and up to a day."""
    day: DayArray = rows["session_date"].to_numpy(dtype="datetime64[D]")
    steps = factors[["symbol", "ex_date"]].assign(ratio=factors[part])
    return ratios_between(rows["symbol"], day, np.full(len(day), until), steps).ratio
