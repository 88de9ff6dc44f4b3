"""Chaikin's accumulation and distribution line."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn


def _compute(high: FloatArray, low: FloatArray, close: FloatArray, volume: FloatArray) -> tuple[FloatArray, ...]:
    return (talib.AD(high, low, close, volume),)


AD = Indicator(
    name="ad",
    family="volume",
    version=1,
    inputs=("high", "low", "close", "volume"),
    columns=(
        IndicatorColumn(
            "ad", "shares", 0, "Volume summed by the close's place in the bar; its level depends on the first bar."
        ),
    ),
    compute=_compute,
    source="TA-Lib 0.8 AD (M. Chaikin): Σ volume·((close − low) − (high − close))/(high − low); 0 if high = low.",
)
