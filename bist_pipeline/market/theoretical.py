"""What the actions of a day leave of a price: the exchange's theoretical price, and factors out of it.

Belongs here: `reference.action_factors`. Does not belong here: which actions are in force (`actions.py`), using the
factors (`factors.py`, `pipeline/point_in_time.py`).

All actions of one symbol and ex-date together, P being the last close before, as traded (Borsa İstanbul, base price
after capital increases and dividends):

    P' = (P + r_paid × K − D) / (1 + r_paid + r_bonus) / split

    share_ratio = split × (1 + r_paid + r_bonus)    shares after per share before
    split_factor = P' / P with D = 0                what splits, bonus and rights issues leave
    price_factor = P' / P                           what all of them leave

K and D are per share of before, as are the ratios r. A dividend that is not below the price it is paid out of is an
error of its source. Yahoo's are often stated undivided by a later split, or a hundred times too large: where dividing
by one of the two makes the ex-date's close a possible price, that amount is taken and told; else it is refused.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.core.price_limits import limit_on
from bist_pipeline.market.actions import KINDS, REFUSED_COLUMNS, paid

FACTOR_COLUMNS = (
    *("symbol", "ex_date", "base_close_try", "theoretical_try"),
    *("price_factor", "split_factor", "share_ratio", "kinds"),
)
SOLVED_COLUMNS = ("symbol", "ex_date", "kind", "amount_try", "reason")

_KEY = ["symbol", "ex_date"]
_HUNDREDFOLD = 100.0
# Prices are rounded to ticks, so that a move to the limit may miss it by one: 0.01 on 1 lira and below is 1 %.
_ROUNDING = 0.01


@dataclass(frozen=True, slots=True)
class ActionFactors:
    """What actions leave of prices, and what could not be used.

    Attributes:
        factors: Columns `FACTOR_COLUMNS`, one row per symbol and ex-date, sorted. Base and theoretical price are NaN
            where no close before is known; actions that need one are then left out: there is nothing to adjust.
        refused: Columns `REFUSED_COLUMNS`: dividends, or whole days, that would leave no price.
        solved: Columns `SOLVED_COLUMNS`: dividends of which another amount was taken, lira per share as traded.
    """

    factors: pd.DataFrame
    refused: pd.DataFrame
    solved: pd.DataFrame


def action_factors(actions: pd.DataFrame, closes: pd.DataFrame, until: date) -> ActionFactors:
    """Combine the actions of each symbol and day.

    Args:
        actions: `Resolved.actions`.
        closes: `symbol`, `session_date`, `close_try`: closes as traded, at least the last one before each ex-date and,
            to solve impossible dividends, the first one from it on.
        until: Actions with a later ex-date are not in force.
    """
    days = _days(actions[(actions["ex_date"] <= pd.Timestamp(until)) & (actions["kind"] != "rename")])
    days = _with_closes(days, closes)
    impossible = days["cash"] >= days["base_close_try"] + days["inflow"]
    corrected = _solve(days[impossible])
    days.loc[impossible, "cash"] = corrected["cash"].fillna(0.0)
    factors = _factors(days)
    usable = (factors["price_factor"] > 0) & np.isfinite(factors["price_factor"])
    # Without a close before, only what needs none has a factor; nothing lies before it that could be adjusted.
    founded = days["base_close_try"].notna() | ((days["cash"] == 0) & (days["inflow"] == 0))
    changing = (factors["price_factor"] != 1) | (factors["share_ratio"] != 1)
    whole = factors[founded & ~usable].rename(columns={"kinds": "kind"})
    refused = pd.concat([_refused(corrected[corrected["cash"].isna()]), _refused(whole)], ignore_index=True)
    return ActionFactors(
        factors.loc[founded & usable & changing, list(FACTOR_COLUMNS)].reset_index(drop=True),
        refused,
        _solved(corrected[corrected["cash"].notna()]),
    )


def _days(actions: pd.DataFrame) -> pd.DataFrame:
    """One row per symbol and ex-date with the parts of the formula, sorted."""
    kind = actions["kind"]
    ratio = actions["ratio"].to_numpy(dtype=np.float64)
    given = paid(actions)
    parts = pd.DataFrame(
        {
            "symbol": actions["symbol"].astype("object"),
            "ex_date": actions["ex_date"].astype("datetime64[us]"),
            "split": np.where(kind == "split", ratio, 1.0),
            "new": np.where(kind.isin(["bonus", "rights"]), ratio, 0.0),
            "inflow": np.where(kind == "rights", ratio * actions["subscription_try"], 0.0),
            "cash": np.where(kind == "dividend", given, 0.0),
            "scale": np.where(kind == "dividend", actions["share_scale"], 1.0),
            "rank": kind.map({name: place for place, name in enumerate(KINDS)}).astype("int64"),
            "kinds": kind.astype("object"),
        }
    ).sort_values([*_KEY, "rank"])
    how = {"split": "prod", "new": "sum", "inflow": "sum", "cash": "sum", "scale": "max", "kinds": ",".join}
    return parts.groupby(_KEY, sort=True).agg(how).reset_index()


def _with_closes(days: pd.DataFrame, closes: pd.DataFrame) -> pd.DataFrame:
    """Find the last close before each ex-date and the first one from it on."""
    known = closes.astype({"symbol": "object", "session_date": "datetime64[us]"}).dropna(subset="close_try")
    known = known[["symbol", "session_date", "close_try"]].sort_values("session_date")
    found = days.astype({"symbol": "object"}).sort_values("ex_date")
    before = pd.merge_asof(
        found, known, left_on="ex_date", right_on="session_date", by="symbol", allow_exact_matches=False
    )
    after = pd.merge_asof(found, known, left_on="ex_date", right_on="session_date", by="symbol", direction="forward")
    # Both keep the rows and their order.
    closes_found = {"base_close_try": before["close_try"], "next_close_try": after["close_try"]}
    found = found.reset_index(drop=True).assign(**{n: c.astype("float64") for n, c in closes_found.items()})
    return found.sort_values(_KEY).reset_index(drop=True)


def _factors(days: pd.DataFrame) -> pd.DataFrame:
    base, inflow, cash = (days[name].to_numpy(dtype=np.float64) for name in ("base_close_try", "inflow", "cash"))
    shares = days["split"].to_numpy(dtype=np.float64) * (1.0 + days["new"].to_numpy(dtype=np.float64))
    # Where no money flows the price does not matter: 1 / ratio keeps its bits whatever the close was.
    split = np.where(inflow == 0, 1.0, (base + inflow) / base) / shares
    price = np.where(cash == 0, split, (base + inflow - cash) / base / shares)
    return days.assign(
        symbol=days["symbol"].astype("str"),
        theoretical_try=base * price,
        price_factor=price,
        split_factor=split,
        share_ratio=shares,
        kinds=days["kinds"].astype("str"),
    )


def _solve(days: pd.DataFrame) -> pd.DataFrame:
    """Find another amount for impossible dividends: `cash` is it, NaN where there is none, and `why` says so."""
    found, why = np.full(len(days), np.nan), np.full(len(days), "", dtype=object)
    attempts = (("undivided by later splits", days["scale"]), ("a hundred times too large", _HUNDREDFOLD))
    for because, divisor in attempts:
        amount = (days["cash"] / divisor).to_numpy(dtype=np.float64)
        fits = np.isnan(found) & (np.asarray(divisor) != 1.0) & _is_possible(days, amount)
        found[fits], why[fits] = amount[fits], because
    return days.assign(stated=days["cash"], cash=found, why=why)


def _is_possible(days: pd.DataFrame, amount: FloatArray) -> FloatArray:
    """Whether the ex-date's close lies within the price limit of what the amount leaves."""
    left = _factors(days.assign(cash=amount))["theoretical_try"].to_numpy(dtype=np.float64)
    move = days["next_close_try"].to_numpy(dtype=np.float64) / np.where(left > 0, left, np.nan) - 1.0
    return np.abs(move) <= limit_on(days["ex_date"].to_numpy()) + _ROUNDING


def _refused(days: pd.DataFrame) -> pd.DataFrame:
    """Say why a dividend, or a whole day, is left out."""
    stated = days["stated"] if "stated" in days else days["cash"]
    kind = days["kind"] if "kind" in days else pd.Series("dividend", index=days.index)
    reasons = [
        f"{symbol} {str(day)[:10]}: {what} leaves no price: {paid:.6g} paid out of the close {base:.6g} before; "
        "state what happened in corporate_actions.csv"
        for symbol, day, what, paid, base in zip(
            days["symbol"], days["ex_date"], kind, stated, days["base_close_try"], strict=True
        )
    ]
    frame = days.assign(kind=kind, reason=pd.array(reasons, dtype="str"))
    return frame[list(REFUSED_COLUMNS)].astype({"symbol": "str", "kind": "str"}).reset_index(drop=True)


def _solved(days: pd.DataFrame) -> pd.DataFrame:
    reasons = [
        f"{paid:.6g} per share, not {stated:.6g} out of {base:.6g}: stated {why}"
        for paid, stated, base, why in zip(
            days["cash"], days["stated"], days["base_close_try"], days["why"], strict=True
        )
    ]
    frame = days.assign(kind="dividend", amount_try=days["cash"], reason=pd.array(reasons, dtype="str"))
    return frame[list(SOLVED_COLUMNS)].astype({"symbol": "str", "kind": "str"}).reset_index(drop=True)
