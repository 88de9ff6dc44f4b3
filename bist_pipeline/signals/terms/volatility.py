"""Terms of the sub-signal volatility: where the close stands in channels that are as wide as the price is restless.

Two follow the side of the channel, one (`bollinger_stretch`) speaks against a close outside its bands. The width itself
has no direction and is no term; it scales the others.
"""

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.signals.contract import Term
from bist_pipeline.signals.terms._shapes import against, beyond, position, saturate

_KELTNER_EDGE_ATR = 2.0
_BAND_DEVIATIONS = 2.0
_STRETCHED_DEVIATIONS = 3.0


def _donchian_position(close: FloatArray, upper: FloatArray, lower: FloatArray) -> FloatArray:
    return np.clip(position(close, upper, lower), -1.0, 1.0)


def _keltner_position(close: FloatArray, ema_20: FloatArray, atr: FloatArray) -> FloatArray:
    return saturate(close - ema_20, _KELTNER_EDGE_ATR * atr)


def _bollinger_stretch(close: FloatArray, upper: FloatArray, lower: FloatArray) -> FloatArray:
    return against(beyond(position(close, upper, lower), 1.0, _STRETCHED_DEVIATIONS / _BAND_DEVIATIONS))


DONCHIAN_POSITION = Term(
    name="donchian_position",
    sub_signal="volatility",
    version=1,
    weight=0.40,
    inputs=("close_try", "donchian_upper_20", "donchian_lower_20"),
    description="Close between the 20-session low (−1) and high (+1).",
    source="Donchian's channel breakout; the position in place of the break is ours.",
    compute=_donchian_position,
    rises_with=("close_try",),
)

KELTNER_POSITION = Term(
    name="keltner_position",
    sub_signal="volatility",
    version=1,
    weight=0.35,
    inputs=("close_try", "ema_20", "atr_14"),
    description="Close above its 20-session exponential average, in ATR; ±0.71 at 2 ATR, a Keltner channel's edge.",
    source="Keltner channel in Raschke's form (EMA and ATR of the close); ATR(14) and the saturation are ours.",
    compute=_keltner_position,
    rises_with=("close_try",),
    falls_with=("ema_20",),
)

BOLLINGER_STRETCH = Term(
    name="bollinger_stretch",
    sub_signal="volatility",
    version=1,
    weight=0.25,
    inputs=("close_try", "bb_upper_20_2", "bb_lower_20_2"),
    description="Against a close outside its Bollinger bands: 0 inside, −1 at three deviations above, +1 below.",
    source="Bollinger's bands read as reversion; he himself asks for confirmation, hence the small weight.",
    compute=_bollinger_stretch,
    falls_with=("close_try",),
)
