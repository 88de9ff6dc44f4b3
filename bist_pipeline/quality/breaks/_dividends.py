"""The adjusted close against the dividends that the provider states.

Belongs here: dividends without effect, with the effect of another amount, and those stated twice. Does not belong
here: prices, which none of this says anything against.

At an ex-date the quotient of adjusted close and close steps by `1 − D / P`, with P the close before. The step and the
dividend are two statements about one amount; where they differ, a simple ratio between them tells which is wrong.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.quality.breaks._rules import DIVIDEND
from bist_pipeline.quality.breaks._thresholds import (
    LARGEST_DIVIDEND,
    LEAST_DIVIDEND,
    SAME_DIVIDEND,
    SAME_DIVIDEND_DAYS,
    STEP_AGREES,
    STEP_RATIO,
    STEP_ROUNDING,
    UNIT,
)
from bist_pipeline.quality.breaks._told import NOTHING, Misadjusted, Told, Verdict
from bist_pipeline.quality.breaks.contract import SymbolHistory


@dataclass(frozen=True, slots=True)
class _Payment:
    """A dividend and what was made of it.

    Attributes:
        bar: Number of the bar of the ex-date.
        amount: What the provider says.
        stated: The share of the close before that it is.
        adjusted: The share by which the adjusted close steps.
        move: Close over the close before.
        split: Shares after per share before of a split of the same day.
    """

    bar: int
    amount: float
    stated: float
    adjusted: float
    move: float
    split: float


def dividend_faults(history: SymbolHistory) -> Told:
    """Hold every dividend against the step of the adjusted close.

    Only for histories on the basis that the adjusted close starts from: split-adjusted.
    """
    if history.basis != "split_adjusted" or not (history.dividend > 0).any():
        return NOTHING
    told, payments = NOTHING, _payments(history)
    phantoms = _phantoms(history, payments)
    for payment in payments:
        told += _phantom(payment) if payment.bar in phantoms else _judged(payment)
    return told


def _payments(history: SymbolHistory) -> list[_Payment]:
    usable = np.isfinite(history.close) & (history.close > 0) & np.isfinite(history.adj_close)
    share = np.where(usable, history.adj_close / np.where(usable, history.close, 1.0), np.nan)
    found = []
    for bar in np.flatnonzero(history.dividend > 0):
        before, after = np.flatnonzero(usable[:bar])[-1:], bar + np.flatnonzero(usable[bar:])[:1]
        if len(before) and len(after) and share[after[0]] > 0:
            found.append(_payment(history, share, int(bar), int(before[0]), int(after[0])))
    return found


def _payment(history: SymbolHistory, share: FloatArray, bar: int, before: int, after: int) -> _Payment:
    close, amount = float(history.close[before]), float(history.dividend[bar])
    return _Payment(
        bar=bar,
        amount=amount,
        stated=amount / close,
        adjusted=float(1 - share[before] / share[after]),
        move=float(history.close[after]) / close,
        split=float(history.split[bar]),
    )


def _phantoms(history: SymbolHistory, payments: list[_Payment]) -> set[int]:
    """Return the bars of those payments that repeat their neighbour and left less of a mark in the price."""
    bars = set()
    for one, other in pairwise(payments):
        days = (history.day[other.bar] - history.day[one.bar]) / np.timedelta64(1, "D")
        if days <= SAME_DIVIDEND_DAYS and abs(one.amount / other.amount - 1) <= SAME_DIVIDEND:
            bars.add(max((one, other), key=lambda payment: payment.move).bar)
    return bars


def _phantom(payment: _Payment) -> Told:
    reason = (
        f"dividend {payment.amount:g} is stated twice within {SAME_DIVIDEND_DAYS} days; here the price did not fall"
    )
    told = _wrong(payment, payment.bar, payment.bar + 1, column="dividend", factor=0.0, reason=reason)
    if payment.adjusted > STEP_ROUNDING:
        told += _wrong(payment, 0, payment.bar, column="adj_close", factor=1 / (1 - payment.adjusted), reason=reason)
    return replace(told, verdicts=told.verdicts[:1])


def _judged(payment: _Payment) -> Told:
    stated, adjusted = payment.stated, payment.adjusted
    if abs(stated - adjusted) <= max(STEP_AGREES * stated, STEP_ROUNDING):
        return NOTHING
    ratio = adjusted / stated
    text = (
        f"dividend {payment.amount:g} is {stated:.4%} of the close before, the adjusted close steps by {adjusted:.4%}"
    )
    if payment.split != 1 and _near(ratio, 1 / payment.split):
        reason = f"{text}: the dividend was not adjusted for the split of the day"
        return _wrong(payment, payment.bar, payment.bar + 1, column="dividend", factor=1 / payment.split, reason=reason)
    hundred = next((times for times in (UNIT, 1 / UNIT) if _near(ratio, times)), None)
    if hundred is not None and _likelier(payment, stated * hundred):
        reason = f"{text}: the dividend is {1 / hundred:g} times what was paid"
        return _wrong(payment, payment.bar, payment.bar + 1, column="dividend", factor=hundred, reason=reason)
    if hundred is None and abs(adjusted) > max(STEP_AGREES * stated, STEP_ROUNDING):
        return Told((Verdict(payment.bar, DIVIDEND, "none", "fault", f"{text}: which is right is not known"),))
    if stated >= 1:
        return Told((Verdict(payment.bar, DIVIDEND, "none", "fault", f"{text}: more than the price"),))
    reason = f"{text}: earlier adjusted closes " + ("lack it" if hundred is None else f"have {hundred:g} times of it")
    return _wrong(payment, 0, payment.bar, column="adj_close", factor=(1 - stated) / (1 - adjusted), reason=reason)


def _near(ratio: float, wanted: float) -> bool:
    return abs(ratio / wanted - 1) <= STEP_RATIO


def _likelier(payment: _Payment, other: float) -> bool:
    """Whether a dividend of the share `other` is likelier than the one stated: by size, else by the price's fall."""
    fits = [LEAST_DIVIDEND <= share <= LARGEST_DIVIDEND for share in (payment.stated, other)]
    if fits[0] != fits[1]:
        return fits[1]
    return abs(payment.move - (1 - other)) < abs(payment.move - (1 - payment.stated))


def _wrong(payment: _Payment, start: int, stop: int, *, column: str, factor: float, reason: str) -> Told:
    return Told(
        verdicts=(Verdict(payment.bar, DIVIDEND, "none", "fault", reason),),
        misadjusted=(Misadjusted(start, stop, column, factor, DIVIDEND, reason),) if stop > start else (),
    )
