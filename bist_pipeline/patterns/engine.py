"""From bars to the frame of candlestick events.

Belongs here: calling every candlestick for every symbol and assembling what they found. Does not belong here: any rule
of a pattern, any score, what lies around a candlestick in the share's whole history (`level_context.py`).

1. For each symbol, call each candlestick with that symbol's whole history and write the answers side by side, sessions
   down and patterns (sorted by name) across, so that the places that are not 0 come out in the order of the answer.
2. Look up, for all events at once, the slope at the bar before the pattern's first candle (`prior_trend.py`).
3. Compare it with what the textbook presumes for the event's direction.
"""

from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.bars import Bars, FloatArray, SymbolBars
from bist_pipeline.patterns.contract import Candlestick, Direction
from bist_pipeline.patterns.prior_trend import TRENDS, UNKNOWN, trend_codes, trend_slopes
from bist_pipeline.patterns.registry import registered_candlesticks

# Which position of `Candlestick.presumes` each direction reads.
DIRECTIONS: tuple[Direction, ...] = ("bullish", "bearish", "neutral")
_BULLISH, _BEARISH, _NEUTRAL = range(3)

_CONFIRMATION = 200  # TA-Lib's strength of a confirmation

_Ints = npt.NDArray[np.int64]


class _Events(NamedTuple):
    """Flat arrays, one item an event: its bar's row, its pattern's position, TA-Lib's integer."""

    row: _Ints
    pattern: _Ints
    strength: _Ints


def detect_candlesticks(bars: Bars, since: date | None = None) -> pd.DataFrame:
    """Find every registered candlestick pattern that ends at a bar from `since` on.

    Args:
        bars: Each symbol's history from its origin.
        since: First session of the answer; None for all. It changes no row.

    Returns:
        One row per event, sorted by symbol, session and pattern:

        * `symbol` (dtype as in `bars`), `session_date` (datetime64[us]): the bar at which the pattern is complete.
        * `pattern` (str): registered name.
        * `strength` (int64): TA-Lib's integer, never 0; ±200 is the later confirmation of a Hikkake.
        * `direction` (str): bullish or bearish by its sign; neutral where the pattern only marks a shape.
        * `trend_before` (str, missing where unknown): up, down or flat.
        * `trend_slope_atr` (float64, NaN where unknown): slope, in ATR(14) a session, of the 10 closes that end at the
          bar before the pattern's first candle. A confirmation counts from its earliest possible first candle.
        * `fits_trend` (boolean): whether `trend_before` is what the textbook presumes for the direction; missing where
          it presumes nothing or the trend is unknown.
        * `is_final` (bool): False while the bar is forming.
    """
    parts = tuple(registered_candlesticks().values())
    events = _find(parts, bars, since)
    direction = _directions(parts, events)
    slopes = _slopes_before(parts, bars, events)
    trends = trend_codes(slopes)
    keys = bars.frame.loc[:, ["symbol", "session_date", "is_final"]].take(events.row).reset_index(drop=True)
    return pd.DataFrame(
        {
            "symbol": keys["symbol"],
            "session_date": keys["session_date"].astype("datetime64[us]"),
            "pattern": _texts([part.name for part in parts], events.pattern),
            "strength": events.strength,
            "direction": _texts(DIRECTIONS, direction),
            "trend_before": _texts(TRENDS, trends),
            "trend_slope_atr": slopes,
            "fits_trend": _fits(parts, events, direction, trends),
            "is_final": keys["is_final"].astype(bool),
        }
    )


def _find(parts: tuple[Candlestick, ...], bars: Bars, since: date | None) -> _Events:
    found = [_Events(*(np.empty(0, dtype=np.int64) for _ in _Events._fields))]
    for symbol_bars, start in zip(bars, bars.offsets, strict=False):
        skipped = 0 if since is None else int(np.searchsorted(symbol_bars.session_date, np.datetime64(since, "D")))
        if skipped < len(symbol_bars):
            grid = _grid(parts, symbol_bars, skipped)
            places = np.flatnonzero(grid)
            row, pattern = np.divmod(places, len(parts))
            found.append(_Events(row + start + skipped, pattern, grid.ravel()[places].astype(np.int64)))
    return _Events(*(np.concatenate(arrays) for arrays in zip(*found, strict=True)))


def _grid(parts: tuple[Candlestick, ...], bars: SymbolBars, skipped: int) -> npt.NDArray[np.int16]:
    """TA-Lib's integers (at most ±200), shape (sessions kept, patterns)."""
    grid = np.empty((len(bars) - skipped, len(parts)), dtype=np.int16)
    for column, part in enumerate(parts):
        grid[:, column] = part.compute(bars.open, bars.high, bars.low, bars.close)[skipped:]
    return grid


def _directions(parts: tuple[Candlestick, ...], events: _Events) -> _Ints:
    """Positions in `DIRECTIONS`."""
    directional = np.array([part.directional for part in parts])[events.pattern]
    return np.where(directional, np.where(events.strength > 0, _BULLISH, _BEARISH), _NEUTRAL)


def _slopes_before(parts: tuple[Candlestick, ...], bars: Bars, events: _Events) -> FloatArray:
    span = np.array([part.bars for part in parts])[events.pattern]
    wait = np.array([part.confirmed_within for part in parts])[events.pattern]
    # TA-Lib does not say how long a confirmation took. Counting the longest keeps the pattern out of its own trend.
    before = events.row - span - np.where(np.abs(events.strength) == _CONFIRMATION, wait, 0)
    first_row = np.repeat(bars.offsets[:-1], np.diff(bars.offsets))[events.row]
    known = before >= first_row
    return np.where(known, trend_slopes(bars)[np.where(known, before, 0)], np.nan)


def _fits(parts: tuple[Candlestick, ...], events: _Events, direction: _Ints, trends: _Ints) -> pd.arrays.BooleanArray:
    presumed = np.array([[*map(_trend_code, part.presumes), UNKNOWN] for part in parts], dtype=np.int64)
    asked = presumed[events.pattern, direction]
    return pd.arrays.BooleanArray(asked == trends, mask=(asked == UNKNOWN) | (trends == UNKNOWN))


def _trend_code(trend: str | None) -> int:
    return UNKNOWN if trend is None else TRENDS.index(trend)


def _texts(texts: tuple[str, ...] | list[str], positions: _Ints) -> pd.api.extensions.ExtensionArray:
    """Spell positions out; −1 is missing."""
    return pd.array(texts, dtype="str").take(positions, allow_fill=True)
