"""An invented market: plausible, never real.

Belongs here: walking all shares through time, one session at a time, all shares at once. Does not belong here: what
Yahoo shows of it (`views.py`), how a day's bar forms (`paths.py`). Each session does, in order:
1. split, rights issue or dividend: the base price moves;
2. limits of the day from the base price, on the tick grid;
3. open, close, high, low: shares move together, volatility comes in clusters, some days are locked at a limit;
4. volume, larger on large moves; nothing where trading is halted.
Every session draws from a generator of its own, so that a longer market begins with the shorter one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import product
from string import ascii_uppercase

import numpy as np
import numpy.typing as npt

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.core.calendar import load_calendar
from bist_pipeline.simulator.errors import SimulatorError
from bist_pipeline.simulator.events import Dividend, MarketEvent, Orders, Rename, Rights, Split, check_orders
from bist_pipeline.simulator.shares import Action, Share
from bist_pipeline.simulator.ticks import limits, on_grid

# Every market is walked from here and cut afterwards: a restart on another day must not change history.
GENESIS = date(2020, 1, 2)

_MEAN_LOG_VOLATILITY = np.log(0.022)  # a usual share moves 2 to 3 % a day
_PERSISTENCE, _VOLATILITY_SHOCK = 0.96, 0.12  # of log volatility from session to session
_DRIFT, _TOGETHER = 0.0006, 0.6
_SPLIT, _DEAR_SPLIT, _DEAR_TRY, _RIGHTS = 0.0003, 0.004, 400.0, 0.00015  # chances per session
_SPLIT_RATIOS = np.array([2.0, 2.0, 3.0, 1.5, 5.0, 10.0, 4 / 3, 7.5])
_DIVIDEND, _DIVIDEND_MONTHS = 0.006, (3, 4, 5, 6)
_HALT, _LOCKED = 0.0003, 0.0015
_LATE_LISTINGS, _LISTINGS_FROM, _LISTINGS_UNTIL = 0.06, date(2021, 2, 1), date(2025, 12, 31)
_RENAMED, _RENAMED_ON, _SMALLEST_WITH_RENAME = 3, date(2025, 3, 3), 100

_SECTORS = ("Banking", "Industry", "Holding", "Retail", "Energy", "Technology", "Transport", "Real Estate")
Known = tuple[date, date]


def symbol_codes(count: int) -> list[str]:
    """Return the first `count` invented codes, which no listed share has, in sorted order."""
    codes = ("ZZ" + "".join(letters) for letters in product(ascii_uppercase, repeat=3))
    return [code for code, _ in zip(codes, range(count), strict=False)]


def invent(
    symbols: int, seed: int, first: date, last: date, events: Sequence[MarketEvent]
) -> list[tuple[str, Share, Known]]:
    """Return code, share and the days between which the code means it."""
    if not 1 <= symbols <= 26**3:
        raise SimulatorError(f"{symbols} symbols: expected 1 to {26**3}")
    codes = symbol_codes(symbols)
    if symbols >= _SMALLEST_WITH_RENAME and not any(isinstance(e, Rename) for e in events):
        events = [*events, Rename(codes[_RENAMED], "ZY" + codes[_RENAMED][2:], _RENAMED_ON)]
    orders = check_orders(events, frozenset(codes))
    days = load_calendar().sessions(min(first, GENESIS), last)
    shown = days >= np.datetime64(first)
    if not shown.any():
        raise SimulatorError(f"no session between {first} and {last}: nothing to invent")
    walk = _Walk.begin(codes, seed, orders)
    rows = np.array([walk.step(day) for day in days.astype(object)])
    return list(_shares(walk, days, shown, rows))


def _shares(
    walk: "_Walk", days: np.ndarray, shown: npt.NDArray[np.bool_], rows: FloatArray
) -> Iterator[tuple[str, Share, Known]]:
    for column, code in enumerate(walk.codes):
        until = walk.orders.delistings.get(code, date.max)
        new, renamed = walk.orders.renames.get(code, (code, date.max))
        kept = shown & (days >= np.datetime64(walk.listed[column]))
        if until != date.max:
            kept &= days < np.datetime64(until)
        if not kept.any():
            continue
        begun = days[kept][0].astype(date)
        share = Share(
            code, f"SIMULATED {code}", f"SIMULATED {_SECTORS[column % len(_SECTORS)]}", walk.seed, days[kept],
            *(np.ascontiguousarray(rows[kept, field_, column]) for field_ in range(5)),
            actions=tuple(action for action in walk.actions[column] if action.day > begun),
            is_invented=True, first_trades=walk.orders.first_trades(code),
        )  # fmt: skip
        yield code, share, (date.min, min(until, renamed))
        if new != code:
            yield new, share, (renamed, until)


@dataclass
class _Walk:
    """Where every share stands; one column per share."""

    codes: Sequence[str]
    seed: int
    orders: Orders
    close: FloatArray
    base_volume: FloatArray
    log_volatility: FloatArray
    listed: Sequence[date]
    halted: npt.NDArray[np.int64]
    actions: list[list[Action]] = field(default_factory=list)

    @classmethod
    def begin(cls, codes: Sequence[str], seed: int, orders: Orders) -> "_Walk":
        """Draw prices, volumes and late listings."""
        rng, count = np.random.default_rng(seed), len(codes)
        close = on_grid(np.exp(rng.uniform(np.log(2.0), np.log(200.0), count)), GENESIS)
        volume = np.exp(rng.normal(14.0, 1.2, count))
        late = rng.random(count) < _LATE_LISTINGS
        offsets = rng.integers((_LISTINGS_UNTIL - _LISTINGS_FROM).days, size=count)
        dates = [_LISTINGS_FROM + timedelta(days=int(o)) if f else date.min for f, o in zip(late, offsets, strict=True)]
        listed = [orders.listings.get(code, day) for code, day in zip(codes, dates, strict=True)]
        calm = np.full(count, _MEAN_LOG_VOLATILITY)
        return cls(codes, seed, orders, close, volume, calm, listed, np.zeros(count, np.int64), [[] for _ in codes])

    def step(self, day: date) -> FloatArray:
        """Trade one session; return open, high, low, close and volume, shape (5, shares)."""
        rng = np.random.default_rng([self.seed, day.toordinal()])
        chance, normal = rng.random((6, len(self.codes))), rng.standard_normal((6, len(self.codes)))
        together = rng.standard_normal()
        base = self._base(day, chance)
        shock = _VOLATILITY_SHOCK * normal[4]
        self.log_volatility = _MEAN_LOG_VOLATILITY + _PERSISTENCE * (self.log_volatility - _MEAN_LOG_VOLATILITY) + shock
        move = normal[1] + _TOGETHER * together
        prices = _prices(base, np.exp(self.log_volatility), move, normal, day)
        locked = chance[4] < _LOCKED
        floor, ceiling = limits(base, day)
        prices = np.where(locked, np.where(move > 0, ceiling, floor), prices)
        volume = np.round(self.base_volume * np.exp(0.5 * np.abs(move) + 0.45 * normal[5]) * np.where(locked, 0.05, 1))
        halted = self._halts(day, chance[5])
        prices = np.where(halted, base, prices)
        self.close = prices[3]
        return np.vstack([prices, np.where(halted, 0.0, np.maximum(volume, 1.0))])

    def _base(self, day: date, chance: FloatArray) -> FloatArray:
        """Carry the close over what happens at the open, and note it."""
        ratio, dividend = _drawn_actions(self.close, day, chance)
        for event in self.orders.at_open.get(day, ()):
            column = self.codes.index(event.symbol)
            if isinstance(event, Dividend):
                ratio[column], dividend[column] = 1.0, event.amount_try
            else:
                ratio[column], dividend[column] = _ratio(event, float(self.close[column])), 0.0
        for column in np.flatnonzero((ratio != 1) | (dividend > 0)).tolist():
            if dividend[column] >= self.close[column]:
                worth = f"{self.codes[column]} closed at {self.close[column]} before {day}"
                raise SimulatorError(f"{worth}: it cannot pay {dividend[column]}")
            self.actions[column].append(Action(day, float(ratio[column]), float(dividend[column])))
        self.base_volume = self.base_volume * ratio
        return on_grid((self.close - dividend) / ratio, day)

    def _halts(self, day: date, chance: FloatArray) -> npt.NDArray[np.bool_]:
        begins = (self.halted == 0) & (chance < _HALT)
        # The same chance says how long: one to four sessions.
        length = 1 + (chance / _HALT * 4).astype(np.int64)
        self.halted = np.where(begins, length, np.maximum(self.halted - 1, 0))
        halted = self.halted > 0
        for halt in self.orders.halts:
            if halt.first <= day <= halt.last:
                halted[self.codes.index(halt.symbol)] = True
        return halted


def _drawn_actions(close: FloatArray, day: date, chance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Draw ratios and dividends; a share has at most one of them a day."""
    often = np.where(close > _DEAR_TRY, _DEAR_SPLIT, _SPLIT)
    drawn = _SPLIT_RATIOS[(chance[1] * len(_SPLIT_RATIOS)).astype(np.int64)]
    ratio = np.where((chance[0] < often) & (close > 4 * drawn), drawn, 1.0)
    rights = (chance[0] > 1 - _RIGHTS) & (close > 4)
    for column in np.flatnonzero((ratio != 1) | rights).tolist():
        price = float(close[column])
        ratio[column] = (
            _theoretical(price, round(0.5 + float(chance[1, column]), 2), 1.0)
            if rights[column]
            else _seven(float(ratio[column]))
        )
    paying = (chance[2] < _DIVIDEND) & (day.month in _DIVIDEND_MONTHS) & (ratio == 1) & (close > 1)
    return ratio, np.where(paying, np.round(close * (0.005 + 0.04 * chance[3]), 2), 0.0)


def _ratio(event: Split | Rights, close: float) -> float:
    if isinstance(event, Split):
        return _seven(event.ratio)
    return _theoretical(close, event.ratio, event.price_try)


def _theoretical(close: float, ratio: float, price: float) -> float:
    """Return the split that a rights issue amounts to: old price over the price that leaves holders as rich."""
    return _seven(close * (1 + ratio) / (close + ratio * price))


def _seven(ratio: float) -> float:
    """Yahoo states ratios in single precision: 1.4285715 is ten for seven."""
    return float(str(np.float32(ratio)))


def _prices(base: FloatArray, volatility: FloatArray, move: FloatArray, normal: FloatArray, day: date) -> FloatArray:
    opened = base * np.exp(0.4 * volatility * normal[0])
    closed = opened * np.exp(_DRIFT + volatility * move)
    top = np.maximum(opened, closed) * np.exp(0.5 * volatility * np.abs(normal[2]))
    bottom = np.minimum(opened, closed) * np.exp(-0.5 * volatility * np.abs(normal[3]))
    floor, ceiling = limits(base, day)
    return np.clip(on_grid(np.vstack([opened, top, bottom, closed]), day), floor, ceiling)
