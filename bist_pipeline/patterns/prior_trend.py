"""The trend before a pattern, which the textbooks presume and TA-Lib does not look at.

Belongs here: the one definition of up, down and flat that all candlesticks share. Does not belong here: what a pattern
presumes (its declaration says so).

The slope at bar t is that of the least-squares line through the 10 closes that end at t, divided by ATR(14) at t: how
many average bars the line climbs a session. It looks back only, and a share at 2 lira and one at 2,000 get the same
number for the same shape.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from bist_pipeline.core.bars import Bars, FloatArray, SymbolBars
from bist_pipeline.patterns.contract import Trend

SLOPE_SESSIONS = 10  # two weeks: what the candlestick books call the short-term trend
ATR_SESSIONS = 14

# Across its nine steps the line then climbs about one average bar. On a random walk a third of all slopes are then
# flat, a third up, a third down (measured 32, 34, 34 %; 92 Borsa Istanbul shares 2021 to 2026: 31, 39, 30 %), so that
# no presumption is met by default.
FLAT_BELOW: Final = 0.1

# Wilder's mean of a share that has stopped moving fades but never ends. The rounding of the slope is about 1e-15 of the
# price, so below this share of the price their quotient says nothing. A tick is never less than a millionth of a price.
_LEAST_ATR_OF_PRICE = 1e-9

# `trend_codes` answers with positions in this tuple, −1 for unknown.
TRENDS: Final[tuple[Trend, ...]] = ("down", "flat", "up")
UNKNOWN: Final = -1


def trend_slopes(bars: Bars) -> FloatArray:
    """Return the slope at every bar, in ATR a session, shape (bars,).

    NaN for a symbol's first 14 bars (ATR is not known) and where the price has stopped moving.
    """
    slopes = np.empty(len(bars))
    for symbol_bars, start, end in zip(bars, bars.offsets[:-1], bars.offsets[1:], strict=True):
        slopes[start:end] = _slope(symbol_bars)
    return slopes


def trend_codes(slopes: FloatArray) -> npt.NDArray[np.int64]:
    """Return the position in `TRENDS` of each slope, `UNKNOWN` for NaN: up from 0.1, down to −0.1, else flat."""
    codes = 1 + (slopes >= FLAT_BELOW).astype(np.int64) - (slopes <= -FLAT_BELOW)
    return np.where(np.isnan(slopes), UNKNOWN, codes)


def _slope(bars: SymbolBars) -> FloatArray:
    import talib

    atr = talib.ATR(bars.high, bars.low, bars.close, timeperiod=ATR_SESSIONS)
    slope = np.full(len(bars), np.nan)
    moving = atr > _LEAST_ATR_OF_PRICE * bars.close  # False where ATR is still NaN
    np.divide(talib.LINEARREG_SLOPE(bars.close, timeperiod=SLOPE_SESSIONS), atr, out=slope, where=moving)
    return slope
