"""On-balance volume."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn


def _compute(close: FloatArray, volume: FloatArray) -> tuple[FloatArray, ...]:
    return (talib.OBV(close, volume),)


OBV = Indicator(
    name="obv",
    family="volume",
    version=1,
    inputs=("close", "volume"),
    columns=(
        IndicatorColumn(
            "obv", "shares", 0, "Volume summed with the sign of the close's change; its level depends on the first bar."
        ),
    ),
    compute=_compute,
    source="TA-Lib 0.8 OBV (J. Granville 1963): starts with the first bar's volume.",
)
