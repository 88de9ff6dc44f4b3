"""How far each close is from the one before, and how far it may be.

Belongs here: the moves of a history, net of what known actions took out of the price. Does not belong here: what a
move beyond the limit means.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.quality.breaks._thresholds import ORDINARY_MOVE, TICK_ALLOWANCE
from bist_pipeline.quality.breaks.contract import Exchange, SymbolHistory

# A price of few ticks may fall to one: what is left of it is above nothing.
_LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class Moves:
    """The moves between usable bars, those with a close.

    Attributes:
        bar: Number of each usable bar in the history, shape (m,).
        close: Its close, shape (m,).
        move: Close over the close before, divided by what known actions left of the price; 1 for the first, shape (m,).
        lowest, highest: What the limit allows of it, compounded over the sessions between; where the exchange has
            none, an ordinary move, shape (m,).
        known: What known actions and dividends left of the price on the way here, shape (m,).
        has_limit: Whether the exchange has a limit.
    """

    bar: npt.NDArray[np.int64]
    close: FloatArray
    move: FloatArray
    lowest: FloatArray
    highest: FloatArray
    known: FloatArray
    has_limit: bool

    @property
    def beyond(self) -> npt.NDArray[np.bool_]:
        """Whether a move is beyond what is allowed; the first bar has none."""
        return (self.move < self.lowest) | (self.move > self.highest)

    def allows(self, position: int, move: float) -> bool:
        """Whether `move` on the way to usable bar `position` is allowed."""
        return bool(self.lowest[position] <= move <= self.highest[position])


def moves_of(history: SymbolHistory, exchange: Exchange) -> Moves:
    """Measure the moves of a history."""
    bar = np.flatnonzero(np.isfinite(history.close) & (history.close > 0))
    close = history.close[bar]
    known = _known(history)
    known = np.diff(np.log(known[bar]), prepend=0.0) if len(bar) else np.empty(0)
    known = np.exp(known)
    move = np.ones(len(bar))
    move[1:] = close[1:] / close[:-1] / known[1:]
    paid = _paid(history, bar, close, move)
    move, known = move / paid, known * paid
    sessions = np.diff(np.cumsum(history.gap)[bar], prepend=0).astype(np.float64)
    limit = np.full(len(bar), ORDINARY_MOVE) if exchange.limit is None else exchange.limit(history.day[bar])
    steps = np.maximum(sessions, 1.0) if exchange.limit is not None else np.ones(len(bar))
    # A price as traded may always move by a tick; the base that an action leaves is rounded to one besides.
    tick = _tick_share(history, exchange, bar, close, known)
    allowance = TICK_ALLOWANCE + np.where(known != 1, tick, 0.0)
    return Moves(
        bar=bar,
        close=close,
        move=move,
        lowest=np.maximum(np.minimum((1 - limit) ** steps, 1 - steps * tick) - allowance, _LEAST),
        highest=np.maximum((1 + limit) ** steps, 1 + steps * tick) + allowance,
        known=known,
        has_limit=exchange.limit is not None,
    )


def _tick_share(
    history: SymbolHistory, exchange: Exchange, bar: npt.NDArray[np.int64], close: FloatArray, known: FloatArray
) -> FloatArray:
    """Return a tick as a share of the price that each move starts from, shape (m,); 0 where none is known."""
    if exchange.tick is None or history.basis != "as_traded":
        return np.zeros(len(bar))
    base = np.append(close[:1], close[:-1]) * known
    return exchange.tick(base, history.day[bar]) / base


def price_factors(history: SymbolHistory) -> FloatArray:
    """Return what each known action leaves of a price of this history's basis, in the order of `actions`."""
    actions = history.actions
    price = actions["price_factor"].to_numpy(dtype=np.float64)
    shares = actions["share_ratio"].to_numpy(dtype=np.float64)
    if history.basis == "as_traded":
        factor = price
    elif history.basis == "split_adjusted":
        factor = price * shares
    else:
        factor = np.ones(len(actions))
    return np.where(np.isfinite(factor) & (factor > 0), factor, 1.0)


def _paid(history: SymbolHistory, bar: npt.NDArray[np.int64], close: FloatArray, move: FloatArray) -> FloatArray:
    """Return what the dividends that the provider states on the bars leave of the closes before, shape (m,).

    Only on the basis that has them in its prices and states them alike; and only where it brings the move nearer to
    none, for an amount may be wrong itself and is `_dividends.py`'s matter.
    """
    if history.basis != "split_adjusted" or len(bar) == 0:
        return np.ones(len(bar))
    until = np.cumsum(history.dividend)[bar]
    share = np.zeros(len(bar))
    share[1:] = np.diff(until) / close[:-1]
    left = np.where((share > 0) & (share < 1), 1 - share, 1.0)
    return np.where(np.abs(np.log(move / left)) < np.abs(np.log(move)), left, 1.0)


def _known(history: SymbolHistory) -> FloatArray:
    """Return the product of the factors of all actions up to each bar, shape (n,)."""
    level = np.zeros(len(history.day) + 1)
    if len(history.actions):
        # Both factors are of all actions of a day together: a day that has several is taken once.
        first = ~history.actions["ex_date"].duplicated().to_numpy()
        day = history.actions["ex_date"].to_numpy().astype("datetime64[D]")[first]
        np.add.at(level, np.searchsorted(history.day, day), np.log(price_factors(history)[first]))
    return np.exp(np.cumsum(level[:-1]))
