"""Prices as they were traded, out of prices that a provider multiplied by what later dividends and splits left.

Belongs here: planning it for many symbols, and undoing it in any part of their rows. Does not belong here: finding the
steps of one history (`undo_steps.py`), splits alone (`splits.py`), which statement is true (`actions.py`): a provider
adjusts by what it says itself, right or wrong, and that is what must be undone.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bist_pipeline.core.symbols import symbol_kind
from bist_pipeline.market.splits import (
    TRADED_VALUES,
    Actions,
    BoolArray,
    istanbul_days,
    on_grid,
    ratios_between,
)
from bist_pipeline.market.undo_steps import VERDICT_COLUMNS, History, events

STEP_COLUMNS = ("symbol", "ex_date", "kind", "ratio")


@dataclass(frozen=True, slots=True)
class Undoing:
    """How to undo what providers did to the prices of some symbols.

    Attributes:
        steps: Columns `STEP_COLUMNS`: what prices before the ex-date are multiplied with; a split's `ratio` divides
            volumes too. Those of untrusted symbols are left out.
        verdicts: Columns `VERDICT_COLUMNS`, one row per symbol: `state` undone, solved or refused; how many prices it
            has and how many are off the grid once undone.
        amounts: `symbol`, `ex_date`, `amount_try`: dividends by which a provider adjusted otherwise than it states.
    """

    steps: pd.DataFrame
    verdicts: pd.DataFrame
    amounts: pd.DataFrame

    @property
    def trusted(self) -> frozenset[str]:
        """Symbols whose rows can be undone."""
        return frozenset(self.verdicts.loc[self.verdicts["is_trusted"], "symbol"])


def plan_undoing(rows: pd.DataFrame, actions: Actions) -> Undoing:
    """Find the steps by which the rows of each symbol were adjusted.

    Args:
        rows: Rows of `market.raw_prices`, whole histories, on the basis `split_adjusted` or `fully_adjusted`.
        actions: What the provider says; only symbols that it states the actions of are dealt with.
    """
    steps, verdicts, amounts = [], [], []
    mine = rows[rows["symbol"].isin(actions.stating) & (rows["basis"] != "as_traded")]
    known = dict(iter(actions.frame[actions.frame["ex_date"] <= pd.Timestamp(actions.today)].groupby("symbol")))
    for symbol, own in mine.sort_values(["symbol", "session_date"], kind="stable").groupby("symbol"):
        history = History.of(str(symbol), own)
        done = [history.undo(event) for event in events(known.get(symbol), history.dividends_are_in)]
        verdict = history.verdict(done)
        verdicts.append(verdict)
        if verdict["is_trusted"]:
            steps += [(symbol, one.ex_date, one.kind, one.ratio) for one in done]
        amounts += [(symbol, one.ex_date, one.amount) for one in done if one.is_solved]
    return Undoing(
        _frame(steps, STEP_COLUMNS, ("str", "datetime64[us]", "str", "float64")),
        pd.DataFrame(verdicts, columns=list(VERDICT_COLUMNS)).astype({"is_trusted": bool, "symbol": "str"}),
        _frame(amounts, ("symbol", "ex_date", "amount_try"), ("str", "datetime64[us]", "float64")),
    )


def undo_adjustments(rows: pd.DataFrame, undoing: Undoing) -> tuple[pd.DataFrame, BoolArray]:
    """Express rows in the basis in which they were traded, where the steps are trusted.

    A step counts where its ex-date lies after the row's session and not after the day (in Istanbul) on which the row
    was fetched as it is.

    Args:
        rows: Rows of `market.raw_prices`, any part of the histories that were planned for.
        undoing: From `plan_undoing`.

    Returns:
        The rows with prices, whole volumes and basis as traded in the same order, those of other symbols unchanged;
        and which of them are doubtful, since a price lies off the grid. Such a price keeps the bits of the
        multiplication.
    """
    mine = (rows["symbol"].isin(undoing.trusted) & (rows["basis"] != "as_traded")).to_numpy(dtype=bool)
    doubtful = np.zeros(len(rows), dtype=bool)
    if not mine.any():
        return rows, doubtful
    own = rows[mine]
    day, until = own["session_date"].to_numpy(dtype="datetime64[D]"), istanbul_days(own["fetched_at"])
    splits = undoing.steps[undoing.steps["kind"] == "split"]
    paid = own["basis"].to_numpy(dtype=object) == "fully_adjusted"
    shares = ratios_between(own["symbol"], day, until, splits)
    money = ratios_between(own["symbol"], day, until, undoing.steps[undoing.steps["kind"] == "dividend"])
    ratio = shares.ratio * np.where(paid, money.ratio, 1.0)
    steps = shares.splits + np.where(paid, money.splits, 0)
    has_grid = own["symbol"].map({name: symbol_kind(name) == "share" for name in own["symbol"].unique()}).to_numpy(bool)
    columns = {name: rows[name].to_numpy(dtype=np.float64, copy=True) for name in (*TRADED_VALUES, "volume_raw")}
    for name in TRADED_VALUES:
        values = columns[name][mine] * ratio
        snapped, is_price = on_grid(values, day, steps)
        columns[name][mine] = np.where(has_grid & is_price, snapped, values)
        doubtful[mine] |= has_grid & ~is_price & ~np.isnan(values)
    columns["volume_raw"][mine] = np.rint(columns["volume_raw"][mine] / shares.ratio)
    basis = pd.array(np.where(mine, "as_traded", rows["basis"].to_numpy(dtype=object)), dtype="str")
    return rows.assign(**columns, basis=basis), doubtful


def with_solved_amounts(delivered: Actions, undoing: Undoing) -> Actions:
    """What providers say, with the amounts that they adjusted by in place of misstated ones.

    A dividend that was not adjusted for at all stays as stated: it may have been paid all the same.

    Args:
        delivered: What was planned with.
        undoing: From `plan_undoing`.

    Returns:
        The same with a column `reason` that says what was stated.
    """
    found = undoing.amounts[undoing.amounts["amount_try"] > 0].assign(kind="dividend")
    keys = ["symbol", "ex_date", "kind"]
    frame = delivered.frame.reset_index(drop=True)
    place = pd.MultiIndex.from_frame(found[keys]).get_indexer(pd.MultiIndex.from_frame(frame[keys]))
    amount, reason = frame["amount_try"].to_numpy(dtype=np.float64, copy=True), np.full(len(frame), "", dtype=object)
    for row in np.flatnonzero(place >= 0):
        stated, amount[row] = amount[row], found["amount_try"].iloc[place[row]]
        reason[row] = f"stated as {stated:.6g} per share, adjusted for as {amount[row]:.6g}"
    return replace(delivered, frame=frame.assign(amount_try=amount, reason=pd.array(reason, dtype="str")))


def _frame(rows: list[tuple], columns: tuple[str, ...], types: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(columns)).astype(dict(zip(columns, types, strict=True)))
