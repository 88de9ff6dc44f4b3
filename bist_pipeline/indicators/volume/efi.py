"""Elder's force index."""

import talib

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.indicators.contract import Indicator, IndicatorColumn

PERIOD = 13


def _compute(close: FloatArray, volume: FloatArray) -> tuple[FloatArray, ...]:
    return (talib.EFI(close, volume, timeperiod=PERIOD),)


EFI = Indicator(
    name="efi",
    family="volume",
    version=1,
    inputs=("close", "volume"),
    columns=(IndicatorColumn("efi_13", "try_shares", PERIOD, "EMA(13) of the close's change times volume."),),
    compute=_compute,
    source="TA-Lib 0.8 EFI (A. Elder 1993).",
)
