"""What the rules say about one symbol, by bar number, and the frames that are made of it.

Belongs here: the records and their layout. Does not belong here: any decision.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
import pandas as pd

from bist_pipeline.quality.breaks.contract import (
    INFERRED_COLUMNS,
    MISADJUSTED_COLUMNS,
    REPAIR_COLUMNS,
    RESIDUAL_COLUMNS,
    VERDICT_COLUMNS,
    Breaks,
    SymbolHistory,
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One bar: what is wrong with it or what it begins."""

    bar: int
    rule: str
    effect: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class Repair:
    """Bars `start` to `stop` (exclusive) are to be multiplied."""

    start: int
    stop: int
    price_factor: float
    volume_factor: float
    rule: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class Inferred:
    """An action on bar `bar`: `ratio` shares after per share before."""

    bar: int
    ratio: float
    reason: str


@dataclass(frozen=True, slots=True)
class Residual:
    """What an action on bar `bar` leaves of earlier prices and shares that were adjusted wrongly, or not at all."""

    bar: int
    price_factor: float
    share_ratio: float
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Misadjusted:
    """Bars `start` to `stop` (exclusive) whose `column` is to be multiplied with `factor`."""

    start: int
    stop: int
    column: str
    factor: float
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Told:
    """Everything said about one symbol."""

    verdicts: tuple[Verdict, ...] = ()
    repairs: tuple[Repair, ...] = ()
    actions: tuple[Inferred, ...] = ()
    residuals: tuple[Residual, ...] = ()
    misadjusted: tuple[Misadjusted, ...] = ()

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.verdicts + other.verdicts,
            self.repairs + other.repairs,
            self.actions + other.actions,
            self.residuals + other.residuals,
            self.misadjusted + other.misadjusted,
        )


NOTHING = Told()


def to_breaks(told: Iterable[tuple[SymbolHistory, Told]]) -> Breaks:
    """Lay out what was said of each symbol as frames, in session order, the repairs cut so that none overlap.

    What a rule says of a bar more than once, as two breaks begin on it or before it, is told once.
    """
    verdicts, repairs, actions, residuals, wrong = [], [], [], [], []
    for history, one in told:
        symbol, day = history.symbol, history.day
        for v in sorted(_once(one.verdicts), key=lambda v: v.bar):
            verdicts.append((symbol, day[v.bar], v.rule, v.effect, v.kind, v.reason))
        for r in _cut(one.repairs):
            span = (day[r.start], day[r.stop - 1])
            repairs.append((symbol, *span, r.price_factor, r.volume_factor, r.rule, r.kind, r.reason))
        for a in sorted(one.actions, key=lambda a: a.bar):
            actions.append((symbol, day[a.bar], "split", a.ratio, np.nan, a.reason))
        for left in sorted(one.residuals, key=lambda left: left.bar):
            numbers = (left.price_factor, left.share_ratio)
            residuals.append((symbol, day[left.bar], *numbers, left.rule, left.reason))
        for m in sorted(one.misadjusted, key=lambda m: (m.start, m.column, m.stop)):
            wrong.append((symbol, day[m.start], day[m.stop - 1], m.column, m.factor, m.rule, m.reason))
    return Breaks(
        _frame(verdicts, VERDICT_COLUMNS),
        _frame(repairs, REPAIR_COLUMNS),
        _frame(actions, INFERRED_COLUMNS),
        _frame(residuals, RESIDUAL_COLUMNS),
        _frame(wrong, MISADJUSTED_COLUMNS),
    )


# Factors that cancel leave this much of rounding.
_NO_CHANGE = 1e-9
_DAYS = ("session_date", "first_session", "last_session", "ex_date")
_NUMBERS = ("price_factor", "volume_factor", "share_ratio", "ratio", "amount_try", "factor")


def _frame(rows: list[tuple], columns: tuple[str, ...]) -> pd.DataFrame:
    dtypes = {name: "datetime64[us]" if name in _DAYS else "float64" if name in _NUMBERS else "str" for name in columns}
    return pd.DataFrame(rows, columns=list(columns)).astype(dtypes)


def _once(verdicts: tuple[Verdict, ...]) -> list[Verdict]:
    first: dict[tuple[int, str], Verdict] = {}
    for verdict in verdicts:
        first.setdefault((verdict.bar, verdict.rule), verdict)
    return list(first.values())


def _cut(repairs: tuple[Repair, ...]) -> list[Repair]:
    """Multiply repairs where they meet; a run carries the rule of the break next to it and every reason."""
    edges = sorted({edge for repair in repairs for edge in (repair.start, repair.stop)})
    runs = []
    for start, stop in pairwise(edges):
        mine = sorted((r for r in repairs if r.start <= start and stop <= r.stop), key=lambda r: r.stop)
        price = float(np.prod([r.price_factor for r in mine]))
        volume = float(np.prod([r.volume_factor for r in mine]))
        if mine and not np.allclose((price, volume), 1.0, rtol=_NO_CHANGE, atol=0.0):
            reason = "; ".join(r.reason for r in mine)
            runs.append(Repair(start, stop, price, volume, mine[0].rule, mine[0].kind, reason))
    return runs
