"""Each close against the one before it: the step, what the price limit allows, what actions in between take away.

Belongs here: the arithmetic that three checks share. Does not belong here: what is told about a step.

1. The close before is the last usable one of the symbol, however many sessions back. A bar on another basis than the
   symbol's others (one that was withheld, so that nothing was undone) is none.
2. The limit holds from session to session, so over a gap it is compounded over the sessions of the gap.
3. An action with ex-date after the session before, and not after this one, multiplies the price that the step starts
   from: by its whole factor where prices are as traded, by what dividends take where splits are adjusted for, by
   nothing where both are.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.core.price_limits import limit_on
from bist_pipeline.core.ticks import tick_size
from bist_pipeline.quality._panel import Panel, usable
from bist_pipeline.quality._thresholds import TICK_ALLOWANCE


@dataclass(frozen=True, slots=True)
class Moves:
    """Steps from close to close, all of shape (s, t) and NaN, or 0, where there is no close or none before it.

    Attributes:
        close, before: Lira.
        move: `close / before`.
        gap: Sessions between them: 1 for neighbours.
        lowest, highest: What the limit allows of `move / factor`.
        factor: What the actions in between leave of a price on this basis; 1 where there is none.
        stated: What they would leave of a price as traded.
        has_action: Whether there is one whose factor is known.
    """

    close: FloatArray
    before: FloatArray
    move: FloatArray
    gap: npt.NDArray[np.int64]
    lowest: FloatArray
    highest: FloatArray
    factor: FloatArray
    stated: FloatArray
    has_action: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, panel: Panel, actions: pd.DataFrame) -> Self:
        """Compare the closes of a panel."""
        close = np.where(panel.is_comparable, usable(panel.values("close_try")), np.nan)
        since = _last_before(np.isfinite(close))
        start = np.maximum(since, 0)
        before = np.where(since >= 0, np.take_along_axis(close, start, axis=1), np.nan)
        gap = np.where(since >= 0, np.arange(close.shape[1]) - since, 0)
        price, shares, counted = (_between(steps, start) for steps in _action_steps(panel, actions))
        price, shares, has_action = np.exp(price), np.exp(shares), counted > 0
        factor = np.where(
            panel.is_basis("as_traded"), price, np.where(panel.is_basis("split_adjusted"), price / shares, 1)
        )
        tick = _tick_share(panel, before * factor)
        allowance = TICK_ALLOWANCE + np.where(has_action, tick, 0.0)
        # A price as traded may always move by a tick a session.
        room = gap * np.where(panel.is_basis("as_traded"), tick, 0.0)
        highest = np.maximum(_compounded(panel, 1.0, start), 1 + room)
        lowest = np.minimum(_compounded(panel, -1.0, start), 1 - room)
        return cls(
            *(close, before, close / before, gap, lowest - allowance, highest + allowance, factor, price),
            has_action,
        )

    def within(self, factor: FloatArray | float) -> npt.NDArray[np.bool_]:
        """Return where the step lies within the limit around a base that an action took `factor` of, shape (s, t)."""
        rest = self.move / factor
        return (rest <= self.highest) & (rest >= self.lowest)

    @property
    def judged(self) -> npt.NDArray[np.bool_]:
        """Where there is a step, shape (s, t)."""
        return np.isfinite(self.move)


def _last_before(has_close: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return the column of the last close before each close, -1 where there is none or no close."""
    own = np.where(has_close, np.arange(has_close.shape[1]), -1)
    latest = np.full_like(own, -1)
    latest[:, 1:] = np.maximum.accumulate(own, axis=1)[:, :-1]
    return np.where(has_close, latest, -1)


def _between(steps: FloatArray, start: npt.NDArray[np.int64]) -> FloatArray:
    """Return the sum of each cell's steps after the start, its own included."""
    total = np.cumsum(steps, axis=1)
    return total - np.take_along_axis(total, start, axis=1)


def _compounded(panel: Panel, sign: float, start: npt.NDArray[np.int64]) -> FloatArray:
    steps = np.log1p(sign * limit_on(panel.sessions))
    return np.exp(_between(np.broadcast_to(steps, start.shape), start))


def _tick_share(panel: Panel, base: FloatArray) -> FloatArray:
    """Return a tick as a share of the base: the least that a price may move by."""
    return np.nan_to_num(tick_size(base, np.broadcast_to(panel.sessions, base.shape)) / base)


def _action_steps(panel: Panel, actions: pd.DataFrame) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return ln of the price factor, ln of the factor of the shares alone, and 1, in the cell of each action's ex-date.

    An ex-date on which the exchange did not trade counts for the next session.
    """
    shape = (len(panel.symbols), len(panel.sessions))
    price, shares, counted = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    rows = actions.drop_duplicates(["symbol", "ex_date"])
    row = pd.Index(panel.symbols).get_indexer(pd.Index(rows["symbol"]).astype(object))
    column = np.searchsorted(panel.sessions, rows["ex_date"].to_numpy(dtype="datetime64[us]"))
    factor, ratio = (rows[name].to_numpy(dtype=np.float64) for name in ("price_factor", "share_ratio"))
    known = (row >= 0) & (column < shape[1]) & np.isfinite(factor) & (factor > 0) & (factor != 1)
    ratio = np.where(np.isfinite(ratio) & (ratio > 0), ratio, 1.0)
    at = (row[known], column[known])
    np.add.at(price, at, np.log(factor[known]))
    np.add.at(shares, at, -np.log(ratio[known]))
    np.add.at(counted, at, 1.0)
    return price, shares, counted
