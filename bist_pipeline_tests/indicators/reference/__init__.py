"""Every indicator written a second time, from its definition, in plain Python and NumPy.

Belongs here: formulas as the literature and TA-Lib's documentation state them, seeds included, without a thought for
speed and without TA-Lib. Does not belong here: anything from the package under test.

Each function takes open, high, low, close, volume and returns one array per column; NaN before the first value.
"""

from collections.abc import Callable

from bist_pipeline_tests.indicators.reference import momentum, statistics, trend, volatility, volume
from bist_pipeline_tests.indicators.reference._tools import A

REFERENCES: dict[str, Callable[[A, A, A, A, A], tuple[A, ...]]] = {
    "sma": trend.sma_columns,
    "ema": trend.ema_columns,
    "wma": trend.wma_20,
    "dema": trend.dema_20,
    "tema": trend.tema_20,
    "t3": trend.t3_5,
    "kama": trend.kama_10,
    "hma": trend.hma_20,
    "vwma": trend.vwma_20,
    "sar": trend.sar,
    "supertrend": trend.supertrend_10_3,
    "adx": trend.adx_14,
    "aroon": trend.aroon_25,
    "vortex": trend.vortex_14,
    "macd": momentum.macd_12_26_9,
    "rsi": momentum.rsi_14,
    "stoch": momentum.stoch_14_3_3,
    "cci": momentum.cci_20,
    "willr": momentum.willr_14,
    "roc": momentum.roc_10,
    "mom": momentum.mom_10,
    "ppo": momentum.ppo_12_26,
    "trix": momentum.trix_15,
    "ultosc": momentum.ultosc_7_14_28,
    "tsi": momentum.tsi_25_13,
    "bbands": volatility.bbands_20_2,
    "atr": volatility.atr_14,
    "natr": volatility.natr_14,
    "keltner": volatility.keltner_20_2,
    "donchian": volatility.donchian_20,
    "obv": volume.obv,
    "ad": volume.ad,
    "adosc": volume.adosc_3_10,
    "cmf": volume.cmf_20,
    "mfi": volume.mfi_14,
    "efi": volume.efi_13,
    "pvo": volume.pvo_12_26,
    "rvol": volume.rvol_20,
    "stddev": statistics.stddev_20,
    "linearreg": statistics.linearreg_14,
    "linearreg_slope": statistics.linearreg_slope_20,
    "tsf": statistics.tsf_14,
    "percentrank": statistics.percentrank_100,
    "range_252": statistics.range_252,
}
