"""Every column of the indicator view as a person would ask TA-Lib for it, independent of the package.

Belongs here: one call of TA-Lib per column, with the parameters that the column's name states. Does not belong here:
anything from `bist_pipeline`.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import talib
from talib import MA_Type


class Series(NamedTuple):
    """One symbol's bars in session order, float64 of shape (n,)."""

    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray


Column = Callable[[Series], np.ndarray]


def _means() -> Iterator[tuple[str, Column]]:
    for period in (5, 10, 20, 50, 100, 200):
        yield f"sma_{period}", lambda s, n=period: talib.SMA(s.close, n)
    for period in (5, 10, 12, 20, 26, 50, 100, 200):
        yield f"ema_{period}", lambda s, n=period: talib.EMA(s.close, n)


def _known(direction: np.ndarray) -> np.ndarray:
    return np.where(direction == 0, np.nan, direction.astype(np.float64))


COLUMNS: dict[str, Column] = {
    **dict(_means()),
    "wma_20": lambda s: talib.WMA(s.close, 20),
    "dema_20": lambda s: talib.DEMA(s.close, 20),
    "tema_20": lambda s: talib.TEMA(s.close, 20),
    "t3_5": lambda s: talib.T3(s.close, 5, 0.7),
    "kama_10": lambda s: talib.KAMA(s.close, 10),
    "hma_20": lambda s: talib.HMA(s.close, 20),
    "vwma_20": lambda s: talib.VWMA(s.close, s.volume, 20),
    "sar": lambda s: talib.SAR(s.high, s.low, 0.02, 0.2),
    "supertrend_10_3": lambda s: talib.SUPERTREND(s.high, s.low, s.close, 10, 3)[0],
    "supertrend_direction_10_3": lambda s: _known(talib.SUPERTREND(s.high, s.low, s.close, 10, 3)[1]),
    "adx_14": lambda s: talib.ADX(s.high, s.low, s.close, 14),
    "plus_di_14": lambda s: talib.PLUS_DI(s.high, s.low, s.close, 14),
    "minus_di_14": lambda s: talib.MINUS_DI(s.high, s.low, s.close, 14),
    "aroon_up_25": lambda s: talib.AROON(s.high, s.low, 25)[1],
    "aroon_down_25": lambda s: talib.AROON(s.high, s.low, 25)[0],
    "vortex_plus_14": lambda s: talib.VORTEX(s.high, s.low, s.close, 14)[0],
    "vortex_minus_14": lambda s: talib.VORTEX(s.high, s.low, s.close, 14)[1],
    "macd_12_26_9": lambda s: talib.MACD(s.close, 12, 26, 9)[0],
    "macd_signal_12_26_9": lambda s: talib.MACD(s.close, 12, 26, 9)[1],
    "macd_hist_12_26_9": lambda s: talib.MACD(s.close, 12, 26, 9)[2],
    "rsi_14": lambda s: talib.RSI(s.close, 14),
    "stoch_k_14_3_3": lambda s: talib.STOCH(s.high, s.low, s.close, 14, 3, MA_Type.SMA, 3, MA_Type.SMA)[0],
    "stoch_d_14_3_3": lambda s: talib.STOCH(s.high, s.low, s.close, 14, 3, MA_Type.SMA, 3, MA_Type.SMA)[1],
    "cci_20": lambda s: talib.CCI(s.high, s.low, s.close, 20),
    "willr_14": lambda s: talib.WILLR(s.high, s.low, s.close, 14),
    "roc_10": lambda s: talib.ROC(s.close, 10),
    "mom_10": lambda s: talib.MOM(s.close, 10),
    "ppo_12_26": lambda s: talib.PPO(s.close, 12, 26, MA_Type.EMA),
    "trix_15": lambda s: talib.TRIX(s.close, 15),
    "ultosc_7_14_28": lambda s: talib.ULTOSC(s.high, s.low, s.close, 7, 14, 28),
    "tsi_25_13": lambda s: talib.TSI(s.close, 25, 13),
    "bb_upper_20_2": lambda s: talib.BBANDS(s.close, 20, 2, 2, MA_Type.SMA)[0],
    "bb_middle_20_2": lambda s: talib.BBANDS(s.close, 20, 2, 2, MA_Type.SMA)[1],
    "bb_lower_20_2": lambda s: talib.BBANDS(s.close, 20, 2, 2, MA_Type.SMA)[2],
    "atr_14": lambda s: talib.ATR(s.high, s.low, s.close, 14),
    "natr_14": lambda s: talib.NATR(s.high, s.low, s.close, 14),
    "kc_upper_20_2": lambda s: talib.KC(s.high, s.low, s.close, 20, 10, 2)[0],
    "kc_middle_20_2": lambda s: talib.KC(s.high, s.low, s.close, 20, 10, 2)[1],
    "kc_lower_20_2": lambda s: talib.KC(s.high, s.low, s.close, 20, 10, 2)[2],
    "donchian_upper_20": lambda s: talib.DONCHIAN(s.high, s.low, 20)[0],
    "donchian_middle_20": lambda s: talib.DONCHIAN(s.high, s.low, 20)[1],
    "donchian_lower_20": lambda s: talib.DONCHIAN(s.high, s.low, 20)[2],
    "obv": lambda s: talib.OBV(s.close, s.volume),
    "ad": lambda s: talib.AD(s.high, s.low, s.close, s.volume),
    "adosc_3_10": lambda s: talib.ADOSC(s.high, s.low, s.close, s.volume, 3, 10),
    "cmf_20": lambda s: talib.CMF(s.high, s.low, s.close, s.volume, 20),
    "mfi_14": lambda s: talib.MFI(s.high, s.low, s.close, s.volume, 14),
    "efi_13": lambda s: talib.EFI(s.close, s.volume, 13),
    "pvo_12_26": lambda s: talib.PVO(s.volume, 12, 26, 1),
    "rvol_20": lambda s: talib.RVOL(s.volume, 20),
    "stddev_20": lambda s: talib.STDDEV(s.close, 20, 1),
    "linearreg_14": lambda s: talib.LINEARREG(s.close, 14),
    "linearreg_slope_20": lambda s: talib.LINEARREG_SLOPE(s.close, 20),
    "tsf_14": lambda s: talib.TSF(s.close, 14),
    "percentrank_100": lambda s: talib.PERCENTRANK(s.close, 100),
    "high_252_distance": lambda s: s.close / talib.MAX(s.high, 252) - 1,
    "low_252_distance": lambda s: s.close / talib.MIN(s.low, 252) - 1,
}

CANDLESTICKS: tuple[str, ...] = tuple(talib.get_function_groups()["Pattern Recognition"])


def candlestick_events(series: Series) -> dict[tuple[int, str], int]:
    """Row and pattern (TA-Lib's name without `CDL`, lower case) of every answer that is not zero."""
    found = {}
    for function in CANDLESTICKS:
        answer = getattr(talib, function)(series.open, series.high, series.low, series.close)
        found |= {(int(row), function[3:].lower()): int(answer[row]) for row in np.flatnonzero(answer)}
    return found
