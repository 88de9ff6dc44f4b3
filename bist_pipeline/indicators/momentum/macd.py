"""Moving average convergence and divergence."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

FAST, SLOW, SIGNAL = 12, 26, 9
# All three wait for the signal line, although the first could be known eight sessions earlier.
_WARM_UP = SLOW - 1 + SIGNAL - 1


def _compute(close: FloatArray) -> tuple[FloatArray, ...]:
    macd, signal, histogram = talib.MACD(close, fastperiod=FAST, slowperiod=SLOW, signalperiod=SIGNAL)
    return macd, signal, histogram


MACD = Indicator(
    name="macd",
    family="momentum",
    version=1,
    inputs=("close",),
    columns=(
        IndicatorColumn("macd_12_26_9", "try", _WARM_UP, "EMA(12) less EMA(26) of the close."),
        IndicatorColumn("macd_signal_12_26_9", "try", _WARM_UP, "EMA(9) of macd_12_26_9."),
        IndicatorColumn("macd_hist_12_26_9", "try", _WARM_UP, "macd_12_26_9 less its signal."),
    ),
    compute=_compute,
    # Hence macd_12_26_9 is not ema_12 − ema_26 to the last digit until both seeds have faded.
    source="TA-Lib 0.8 MACD (G. Appel): the fast EMA is seeded late, with the mean of closes 15 to 26.",
)
