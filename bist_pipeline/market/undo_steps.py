"""By which steps a provider adjusted one history, found by undoing them one after the other.

Belongs here: one symbol's rows, its events, and the tick grid as the judge of both. Does not belong here: many symbols,
and rows of a part of the history (`undo.py`).

How it works, newest event first:

1. a split multiplies all earlier prices by its ratio;
2. a dividend of d leaves (c − d) / c of all earlier prices, c being the close before. With a the adjusted close, freed
   of all later steps, c = a + d and earlier prices are multiplied by (a + d) / a. All are in the provider's shares;
3. c times the later splits is a price as traded. Where it lies on the grid up to rounding it is moved onto it, so that
   rounded amounts do not add up over the years;
4. where the bars between this dividend and the event before it are off the grid, other amounts are tried: within the
   rounding of what was stated, undivided by later splits or divided once too often, a hundred times too large or too
   small, none at all. One that puts them on the grid is taken: the history is `solved`;
5. in the end all four prices of all bars are counted. Less than 90 % on the grid: the steps are not those that the
   provider took, and the history keeps its basis (`refused`). Of fewer, the bars are doubted one by one.

A dividend above the price left prices below zero. They come back all the same: (c − d) / c is undone whatever its sign.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.bars import DayArray, FloatArray
from bist_pipeline.core.symbols import symbol_kind
from bist_pipeline.market.amounts import possible_amounts
from bist_pipeline.market.splits import TRADED_VALUES, istanbul_days, on_grid

VERDICT_COLUMNS = ("symbol", "state", "is_trusted", "prices", "off_grid", "reason")

# Of all prices: real ones all lie on the grid but for a provider's own bad bars; by chance 2 in 100 do.
TRUSTED_SHARE = 0.99
# Of a whole history: below it a step is wrong, which leaves nearly everything before it off the grid. Some bad bars of
# sixteen years must not cost a share its basis.
UNDONE_SHARE = 0.90
# Prices that decide between amounts: eight on the grid by chance are one case in 10¹³.
_ENOUGH_PRICES = 8


@dataclass(frozen=True, slots=True)
class Event:
    """What a provider says happened.

    Attributes:
        ex_date: First session without the right, datetime64[D].
        kind: split or dividend.
        value: Shares after per share before, or lira per share of the provider's basis.
        before: The ex-date of the event before it.
    """

    ex_date: np.datetime64
    kind: str
    value: float
    before: np.datetime64


@dataclass(frozen=True, slots=True)
class Step:
    """How the provider adjusted for it.

    Attributes:
        ex_date: First session that was not adjusted.
        kind: split or dividend.
        ratio: What adjusted prices of before must be multiplied with.
        amount: The dividend that was adjusted for, NaN of a split.
        is_solved: Whether it is another amount than the one stated.
    """

    ex_date: np.datetime64
    kind: str
    ratio: float
    amount: float = np.nan
    is_solved: bool = False


def events(actions: pd.DataFrame | None, dividends_are_in: bool) -> Iterator[Event]:
    """The events that a history is adjusted for, newest first; a split before a dividend of the same day."""
    if actions is None:
        return
    counts = (actions["kind"] == "split") | ((actions["kind"] == "dividend") & dividends_are_in)
    own = actions[counts].sort_values(["ex_date", "kind"], ascending=False)
    days = own["ex_date"].to_numpy(dtype="datetime64[D]")
    values = np.where(own["kind"] == "split", own["ratio"], own["amount_try"]).astype(np.float64)
    for place, (day, kind, value) in enumerate(zip(days, own["kind"], values, strict=True)):
        earlier = days[place + 1 :][days[place + 1 :] < day]
        yield Event(day, kind, float(value), earlier[0] if len(earlier) else np.datetime64("0001-01-01"))


@dataclass(slots=True)
class History:
    """One symbol's rows in session order, and what has been undone of them so far.

    Attributes:
        symbol: Code.
        dividends_are_in: Whether the prices are adjusted for dividends too.
        day: Sessions, shape (n,).
        until: The day on which each row was fetched as it is: later events are not in it, shape (n,).
        prices: As delivered, shape (n, 4), the close last.
        money, shares: What each row is to be multiplied with for dividends and for splits, shape (n,).
        steps: How many events each of these products holds, shape (n,).
        is_lost: Whether some bars stayed off the grid: nothing earlier can be solved then.
    """

    symbol: str
    dividends_are_in: bool
    day: DayArray
    until: DayArray
    prices: FloatArray
    money: FloatArray
    shares: FloatArray
    steps: npt.NDArray[np.int64]
    is_lost: bool = False

    @classmethod
    def of(cls, symbol: str, rows: pd.DataFrame) -> "History":
        """Take one symbol's rows of `market.raw_prices`, in session order."""
        ones = np.ones(len(rows))
        return cls(
            symbol,
            rows["basis"].iloc[0] == "fully_adjusted",
            rows["session_date"].to_numpy(dtype="datetime64[D]"),
            istanbul_days(rows["fetched_at"]),
            rows[list(TRADED_VALUES)].to_numpy(dtype=np.float64),
            ones.copy(),
            ones.copy(),
            np.zeros(len(rows), dtype=np.int64),
        )

    def undo(self, event: Event) -> Step:
        """Take one event out of all earlier rows that hold it."""
        step = Step(event.ex_date, "split", event.value) if event.kind == "split" else self._dividend(event)
        self._apply(step)
        return step

    def _apply(self, step: Step) -> None:
        held = (self.day < step.ex_date) & (step.ex_date <= self.until)
        product = self.shares if step.kind == "split" else self.money
        product[held] *= step.ratio
        self.steps[held] += 1

    def _dividend(self, event: Event) -> Step:
        before = np.flatnonzero((self.day < event.ex_date) & np.isfinite(self.prices[:, 3]))
        base = int(before[-1]) if len(before) else -1
        if base < 0 or self.prices[base, 3] == 0 or event.ex_date > self.until[base]:
            return Step(event.ex_date, "dividend", 1.0, event.value)  # nothing before it holds it
        left = float(self.prices[base, 3] * self.money[base])  # the close less the dividend, in the provider's shares
        ratio = (left + self._on_grid_at(base, left, event.value)) / left
        stated = Step(event.ex_date, "dividend", ratio, event.value)
        if self.is_lost or self._fits(event, ratio):
            return stated
        solved = self._solved(event, base, left)
        self.is_lost = solved is None
        return solved or stated

    def _on_grid_at(self, base: int, left: float, amount: float) -> float:
        """The amount that makes the close before exactly a price of the grid, where it is one up to rounding."""
        value = np.array([(left + amount) * self.shares[base]])
        snapped, is_price = on_grid(value, self.day[base : base + 1], self.steps[base : base + 1] + 1)
        return float(snapped[0] / self.shares[base] - left) if is_price[0] and self._has_grid else amount

    def _solved(self, event: Event, base: int, left: float) -> Step | None:
        """Try other amounts, the nearest to what was stated first."""
        if not self._has_grid:
            return None
        for amount in possible_amounts(event.value, left, float(self.shares[base]), self.day[base]):
            ratio = (left + amount) / left
            if ratio != 0 and self._fits(event, ratio, decides=True):
                return Step(event.ex_date, "dividend", ratio, float(amount), is_solved=True)
        return None

    def _fits(self, event: Event, ratio: float, *, decides: bool = False) -> bool:
        """Whether the bars between the event before and this one lie on the grid once it is undone.

        Args:
            event: The event.
            ratio: What they are multiplied with for it.
            decides: Whether they must be enough to choose by, rather than not contradict.
        """
        rows = (self.day >= event.before) & (self.day < event.ex_date) & (event.ex_date <= self.until)
        values = self.prices[rows] * (self.money[rows] * self.shares[rows] * ratio)[:, None]
        known = np.isfinite(values)
        if not self._has_grid or known.sum() < _ENOUGH_PRICES:
            return not decides
        _, is_price = on_grid(values, self.day[rows][:, None], (self.steps[rows] + 1)[:, None])
        return bool((is_price & (values > 0))[known].mean() >= TRUSTED_SHARE)

    @property
    def _has_grid(self) -> bool:
        return symbol_kind(self.symbol) == "share"

    def verdict(self, done: list[Step]) -> dict[str, object]:
        """Count the prices off the grid, now that everything is undone."""
        values = self.prices * (self.money * self.shares)[:, None]
        known = np.isfinite(values)
        _, is_price = on_grid(values, self.day[:, None], self.steps[:, None])
        off = int((known & ~(is_price & (values > 0))).sum()) if self._has_grid else int((values[known] <= 0).sum())
        count = int(known.sum())
        is_trusted = off <= (1 - UNDONE_SHARE) * count
        solved = [one for one in done if one.is_solved]
        reason = "; ".join(
            f"the dividend of {one.ex_date} was adjusted for as {one.amount:.6g} per share" for one in solved
        )
        if not is_trusted:
            off_grid = f"{off} of {count} prices are off the grid once {len(done)} stated actions are undone"
            reason = f"{self.symbol}: {off_grid}: the basis is kept"
        state = "refused" if not is_trusted else "solved" if solved else "undone"
        return dict(zip(VERDICT_COLUMNS, (self.symbol, state, is_trusted, count, off, reason), strict=True))
