"""Divergences from the histogram of moving average convergence and divergence.

Belongs here: the histogram and its thresholds.
"""

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.chart._bars import by_symbol
from bist_pipeline.patterns.chart.divergences._pairs import Oscillator, both_sides, prices, upright
from bist_pipeline.patterns.structures.view import View

FAST, SLOW, SIGNAL = 12, 26, 9


def _series(view: View) -> FloatArray:
    import talib

    def one(close: FloatArray) -> FloatArray:
        return talib.MACD(close, fastperiod=FAST, slowperiod=SLOW, signalperiod=SIGNAL)[2]

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
    periods={"fast_bars": FAST, "slow_bars": SLOW, "signal_bars": SIGNAL},
    series=_series,
)

REGULAR_BEARISH, REGULAR_BULLISH = both_sides(MACD, "regular")
HIDDEN_BEARISH, HIDDEN_BULLISH = both_sides(MACD, "hidden")
