"""Divergences from the relative strength index.

Belongs here: the index and its thresholds.
"""

from types import MappingProxyType

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.chart._bars import by_symbol
from bist_pipeline.patterns.chart.divergences._pairs import Oscillator, all_kinds, prices, upright
from bist_pipeline.patterns.structures.view import View

_PERIODS = MappingProxyType({"rsi_bars": 14})
MIDDLE = 50.0
DECIMALS = 9


def _series(view: View) -> FloatArray:
    """RSI(14) less 50: upside down its sign turns, and no bit else.

    While the price stands still RSI does too, but for its rounding, which would make peaks.
    """
    import talib

    rsi = by_symbol(view, lambda close: talib.RSI(close, timeperiod=_PERIODS["rsi_bars"]), prices(view))
    return upright(view, np.round(rsi - MIDDLE, DECIMALS))


RSI = Oscillator(
    name="rsi",
    title="RSI",
    unit="points",
    move=3.0,
    unit_bars=0,
    first_level=15.0,
    warm_up=14,
    source="RSI(14), Wilder's, of closes. Ours: 3 points, regular kinds begin above 65 or below 35 (15 from 50).",
    periods=_PERIODS,
    series=_series,
)

REGULAR_BEARISH, REGULAR_BULLISH, HIDDEN_BEARISH, HIDDEN_BULLISH = all_kinds(RSI)
