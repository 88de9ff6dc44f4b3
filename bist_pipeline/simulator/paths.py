"""The trades of one share in one session, so that a day's bar can form before one's eyes.

Belongs here: turning a day's bar into the trades it might have come from. Steps:
1. Draw the moments: opening auction, continuous trades, closing auction, trades at the closing price.
2. Lead the price from open to close through the high and the low, on the grid where there is one.
3. Let the volume grow to the day's.
The same bar of the same session always gives the same trades; a bar seen at a moment is their prefix.
"""

import zlib
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.simulator.hours import hours_of
from bist_pipeline.simulator.ticks import on_grid

_CONTINUOUS = 240  # trades between the auctions, about one in two minutes
_OPENING_SHARE, _CLOSING_SHARE = 0.04, 0.08  # of the day's volume, in the two auctions
_WIGGLE = 0.18  # of the day's range
_LATE, _LATEST_SECONDS = 0.02, 5400  # sparse shares: how often and how late the first trade may be
_AUCTION_SECONDS = (300, 420)  # after the close: the closing price is found at 18:05 to 18:07
_LAST_SECONDS = (480, 600)  # and trades at it end before 18:10


@dataclass(frozen=True, slots=True)
class DayBar:
    """One day's bar of one share, as the key of its path.

    Attributes:
        first_trade_at: Epoch second before which nothing trades, 0 where nobody ordered one.
        on_grid: Whether prices are as traded and lie on the tick grid.
    """

    seed: int
    symbol: str
    day: date
    open: float
    high: float
    low: float
    close: float
    volume: float
    first_trade_at: int = 0
    on_grid: bool = True


@dataclass(frozen=True, slots=True)
class Seen:
    """A bar as far as it has formed.

    Attributes:
        open, high, low, close: Prices in lira.
        volume: Shares.
        traded_at: Epoch second of the last trade in it.
    """

    open: float
    high: float
    low: float
    close: float
    volume: float
    traded_at: int


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """The trades of a session, all arrays of shape (trades,).

    Attributes:
        bar: The day's bar that they end in.
        moments: Epoch seconds, increasing.
        prices: Prices in lira.
        volumes: Shares traded so far.
    """

    bar: DayBar
    moments: npt.NDArray[np.int64]
    prices: FloatArray
    volumes: FloatArray

    def at(self, moment: int) -> Seen | None:
        """Return the bar at a moment, None before the first trade. The whole path is exactly the day's bar."""
        count = int(np.searchsorted(self.moments, moment, side="right"))
        if count == 0:
            return None
        bar, traded_at = self.bar, int(self.moments[count - 1])
        if count == len(self.moments):
            return Seen(bar.open, bar.high, bar.low, bar.close, bar.volume, traded_at)
        prices = self.prices[:count]
        high, low, close = float(prices.max()), float(prices.min()), float(prices[-1])
        return Seen(bar.open, high, low, close, float(self.volumes[count - 1]), traded_at)


@lru_cache(maxsize=4096)  # 6 kB each
def path_of(bar: DayBar) -> Path:
    """Return the trades of a day's bar; its volume must be above zero and its prices finite."""
    rng = np.random.default_rng([bar.seed, zlib.crc32(bar.symbol.encode()), bar.day.toordinal()])
    return Path(bar, _moments(bar, rng), _prices(bar, rng), _volumes(bar, rng))


def _moments(bar: DayBar, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    hours = hours_of(bar.day)
    first = hours.match_at
    late, by = rng.random(), int(rng.integers(_LATEST_SECONDS))
    if late < _LATE:
        first = hours.open_at + by
    first = min(max(first, bar.first_trade_at), hours.close_at - 60)
    inner = np.sort(rng.integers(max(first, hours.open_at), hours.close_at, size=_CONTINUOUS - 1))
    last = hours.close_at + np.array([rng.integers(*_AUCTION_SECONDS), rng.integers(*_LAST_SECONDS)])
    return np.concatenate([[first], inner, last])


def _prices(bar: DayBar, rng: np.random.Generator) -> FloatArray:
    low, high = min(bar.open, bar.high, bar.low, bar.close), max(bar.open, bar.high, bar.low, bar.close)
    turns = 1 + rng.choice(_CONTINUOUS - 1, size=2, replace=False)
    wiggles = rng.standard_normal(_CONTINUOUS) * _WIGGLE * (high - low)
    anchors = sorted([(0, bar.open), (int(turns[0]), high), (int(turns[1]), low), (_CONTINUOUS, bar.close)])
    where, what = zip(*anchors, strict=True)
    prices = np.clip(np.interp(np.arange(_CONTINUOUS), where, what) + wiggles, low, high)
    if bar.on_grid:
        prices = np.clip(on_grid(prices, bar.day), low, high)
    prices[list(where[:-1])] = what[:-1]
    return np.concatenate([prices, [bar.close, bar.close]])


def _volumes(bar: DayBar, rng: np.random.Generator) -> FloatArray:
    sizes = np.concatenate([rng.exponential(1.0, _CONTINUOUS - 1), [0.0, 0.0]])
    part = (1 - _OPENING_SHARE - _CLOSING_SHARE) * np.cumsum(sizes) / sizes.sum()
    part = np.concatenate([[0.0], part]) + _OPENING_SHARE
    part[-2:] = 1 - _CLOSING_SHARE / 4, 1.0
    return np.ceil(part * bar.volume)
