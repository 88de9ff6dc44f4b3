"""Divergences from the histogram of moving average convergence and divergence.

Belongs here: the histogram and its thresholds.
"""

from types import MappingProxyType

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.chart._bars import by_symbol
from bist_pipeline.patterns.chart.divergences._pairs import Oscillator, all_kinds, prices, upright
from bist_pipeline.patterns.structures.view import View

_PERIODS = MappingProxyType({"fast_bars": 12, "slow_bars": 26, "signal_bars": 9})


def _series(view: View) -> FloatArray:
    import talib

    periods = (_PERIODS["fast_bars"], _PERIODS["slow_bars"], _PERIODS["signal_bars"])

    def one(close: FloatArray) -> FloatArray:
        return talib.MACD(close, *periods)[2]

    return upright(view, by_symbol(view, one, prices(view)))


MACD = Oscillator(
    name="macd",
    title="MACD histogram",
    unit="deviations",
    move=0.3,
    unit_bars=60,
    first_level=None,
    warm_up=33,
    source="MACD(12, 26, 9) histogram of closes. Ours: 0.3 of its standard deviation over 60 bars, which is what 3 "
    "points are of RSI's.",
    periods=_PERIODS,
    series=_series,
)

REGULAR_BEARISH, REGULAR_BULLISH, HIDDEN_BEARISH, HIDDEN_BULLISH = all_kinds(MACD)
