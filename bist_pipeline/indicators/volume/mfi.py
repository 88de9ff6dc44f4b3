"""Money flow index: RSI weighted by turnover."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 14


def _compute(high: FloatArray, low: FloatArray, close: FloatArray, volume: FloatArray) -> tuple[FloatArray, ...]:
    return (talib.MFI(high, low, close, volume, timeperiod=PERIOD),)


MFI = Indicator(
    name="mfi",
    family="volume",
    version=1,
    inputs=("high", "low", "close", "volume"),
    columns=(
        IndicatorColumn(
            "mfi_14", "index", PERIOD, "Share of turnover on rising typical prices, 0 to 100; 0 without any."
        ),
    ),
    compute=_compute,
    source="TA-Lib 0.8 MFI (G. Quong, A. Soudack 1989); 0 where no turnover moved the typical price.",
)
