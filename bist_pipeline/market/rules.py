"""The rules that withhold a delivered row, in order.

Belongs here: what makes one row unusable, one declared `Rule` each, and what a rule may look at (`Evidence`). Does not
belong here: filling what is missing (`cleaning.py`), and doubts about a row that is usable (`quality/`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bist_pipeline.core.bars import DayArray, FloatArray
from bist_pipeline.core.calendar import OPENING_MATCH, ORIGIN
from bist_pipeline.schemas.market import ORDER_TOLERANCE

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the rules look at: every delivered row, as arrays of shape (n,), missing numbers NaN.

    Attributes:
        day: Session that the provider states.
        as_of: The provider's own time, UTC.
        open, high, low, close, adj_close: The provider's prices.
        volume: The provider's volume.
        is_session: Whether the schedule knows the day and the exchange traded on it.
        open_at: When that session opens, UTC; NaT where there is none.
        repeats: Whether the row is a later row of its symbol and day, equal in every value to the first one.
        disputed: Whether the rows of its symbol and day differ from one another.
    """

    day: DayArray
    as_of: DayArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    adj_close: FloatArray
    volume: FloatArray
    is_session: BoolArray
    open_at: DayArray
    repeats: BoolArray
    disputed: BoolArray

    @property
    def prices(self) -> tuple[FloatArray, ...]:
        """The prices a bar is made of; the adjusted close is kept as delivered and nothing is computed from it."""
        return self.open, self.high, self.low, self.close


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason to withhold a row.

    Attributes:
        name: Stored with the row; a storage contract.
        says: What the rule forbids, for people.
        broken_by: Which rows break it. A missing number breaks no rule that compares it.
        because: The numbers of one row, a template over its raw columns and `closure` (why its day is closed),
            `first_row` (source row of the first row of its day).
    """

    name: str
    says: str
    broken_by: Callable[[Evidence], BoolArray]
    because: str


def _above(left: FloatArray, right: FloatArray) -> BoolArray:
    """Whether `left` exceeds `right` by more than adjusting a price with floating-point factors leaves behind."""
    return left > right * (1 + ORDER_TOLERANCE)


def _any(found: tuple[Any, ...]) -> BoolArray:
    return np.logical_or.reduce(found)


RULES: tuple[Rule, ...] = (
    Rule(
        "before_origin",
        f"No row before {ORIGIN}, where the history kept here begins.",
        lambda rows: rows.day < np.datetime64(ORIGIN, "us"),
        f"the history kept here begins on {ORIGIN}",
    ),
    Rule(
        "closed_day",
        "No row on a day on which the exchange did not trade, whatever its volume.",
        lambda rows: ~rows.is_session,
        "no session was held on this day ({closure}), yet a bar was delivered (close {close_raw}, volume {volume_raw})",
    ),
    Rule(
        "future_session",
        "No row of a session that had not begun when the provider spoke.",
        lambda rows: rows.open_at - np.timedelta64(OPENING_MATCH) > rows.as_of,
        "the session opens at {open_at:%Y-%m-%d %H:%M} UTC, but the answer is as of {as_of:%Y-%m-%d %H:%M} UTC",
    ),
    Rule(
        "duplicate_row",
        "Of several equal rows of one symbol and day, the first stays and the repetitions go.",
        lambda rows: rows.repeats,
        "row {source_row} repeats row {first_row} value for value",
    ),
    Rule(
        "conflicting_duplicates",
        "Where the rows of one symbol and day differ, all go: nobody knows which is right.",
        lambda rows: rows.disputed,
        "the rows of this session differ and nobody knows which is right; row {source_row} says open {open_raw}, "
        "high {high_raw}, low {low_raw}, close {close_raw}, adjusted close {adj_close_raw}, volume {volume_raw}",
    ),
    Rule(
        "no_close",
        "No row without a close: there is nothing to fill it from.",
        lambda rows: np.isnan(rows.close),
        "the close is missing (open {open_raw}, high {high_raw}, low {low_raw}, volume {volume_raw})",
    ),
    Rule(
        "not_finite",
        "No infinite price or volume.",
        lambda rows: _any((*map(np.isinf, rows.prices), np.isinf(rows.adj_close), np.isinf(rows.volume))),
        "a number is infinite (open {open_raw}, high {high_raw}, low {low_raw}, close {close_raw}, "
        "adjusted close {adj_close_raw}, volume {volume_raw})",
    ),
    Rule(
        "not_positive",
        "No price of zero or below. The adjusted close may be: large dividends push it there.",
        lambda rows: _any(tuple(price <= 0 for price in rows.prices)),
        "a price is zero or below (open {open_raw}, high {high_raw}, low {low_raw}, close {close_raw})",
    ),
    Rule(
        "negative_volume",
        "No volume below zero.",
        lambda rows: rows.volume < 0,
        "the volume {volume_raw} is below zero",
    ),
    Rule(
        "high_below_low",
        "The high is not below the low.",
        lambda rows: _above(rows.low, rows.high),
        "the high {high_raw} is below the low {low_raw}",
    ),
    Rule(
        "high_below_body",
        "The high is not below the open or the close.",
        lambda rows: _above(np.fmax(rows.open, rows.close), rows.high),
        "the high {high_raw} is below the body (open {open_raw}, close {close_raw})",
    ),
    Rule(
        "low_above_body",
        "The low is not above the open or the close.",
        lambda rows: _above(rows.low, np.fmin(rows.open, rows.close)),
        "the low {low_raw} is above the body (open {open_raw}, close {close_raw})",
    ),
)
