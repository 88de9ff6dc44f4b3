"""Patterns of two candles.

Belongs here: shapes that two consecutive bars make. Patterns with one sign alone presume nothing for the other.
"""

from bist_pipeline.patterns.candlestick._talib import CONTINUATION, REVERSAL, talib_candlestick

COUNTERATTACK = talib_candlestick(
    "CDLCOUNTERATTACK",
    bars=2,
    presumes=REVERSAL,
    title="Counterattack",
    meaning="Two long candles of opposite colours that close at one price; it is said to turn the trend.",
)

DARK_CLOUD_COVER = talib_candlestick(
    "CDLDARKCLOUDCOVER",
    bars=2,
    presumes=(None, "up"),
    penetration=0.5,
    title="Dark cloud cover",
    meaning="A black candle opens above a long white one and closes deep inside its body; it is said to end a rise.",
)

DOJI_STAR = talib_candlestick(
    "CDLDOJISTAR",
    bars=2,
    presumes=REVERSAL,
    title="Doji star",
    meaning="A doji gaps away from a long candle; it is said to warn that the trend may turn.",
)

ENGULFING = talib_candlestick(
    "CDLENGULFING",
    bars=2,
    presumes=REVERSAL,
    title="Engulfing pattern",
    meaning="A body swallows the opposite body before it; it is said to turn the trend.",
)

HARAMI = talib_candlestick(
    "CDLHARAMI",
    bars=2,
    presumes=REVERSAL,
    title="Harami",
    meaning="A short body inside the long body before it; it is said to end the trend.",
)

HARAMI_CROSS = talib_candlestick(
    "CDLHARAMICROSS",
    bars=2,
    presumes=REVERSAL,
    title="Harami cross",
    meaning="A doji inside the long body before it; it is said to end the trend.",
)

HOMING_PIGEON = talib_candlestick(
    "CDLHOMINGPIGEON",
    bars=2,
    presumes=("down", None),
    title="Homing pigeon",
    meaning="A short black body inside a long black one; it is said to end a fall.",
)

IN_NECK = talib_candlestick(
    "CDLINNECK",
    bars=2,
    presumes=(None, "down"),
    title="In-neck pattern",
    meaning="A white candle opens below a long black one and closes barely inside its body; the fall is said to go on.",
)

KICKING = talib_candlestick(
    "CDLKICKING",
    bars=2,
    title="Kicking",
    meaning="Two marubozu of opposite colours with a gap between them; the second is said to set the direction.",
)

KICKING_BY_LENGTH = talib_candlestick(
    "CDLKICKINGBYLENGTH",
    bars=2,
    title="Kicking, by the longer marubozu",
    meaning="Kicking; the longer of the two marubozu is said to set the direction.",
)

MATCHING_LOW = talib_candlestick(
    "CDLMATCHINGLOW",
    bars=2,
    presumes=("down", None),
    title="Matching low",
    meaning="Two black candles close at one price; it is said to end a fall.",
)

ON_NECK = talib_candlestick(
    "CDLONNECK",
    bars=2,
    presumes=(None, "down"),
    title="On-neck pattern",
    meaning="A white candle opens below a long black one and closes at its low; the fall is said to go on.",
)

PIERCING = talib_candlestick(
    "CDLPIERCING",
    bars=2,
    presumes=("down", None),
    title="Piercing pattern",
    meaning="A white candle opens below a long black one and closes past its middle; it is said to end a fall.",
)

SEPARATING_LINES = talib_candlestick(
    "CDLSEPARATINGLINES",
    bars=2,
    presumes=CONTINUATION,
    title="Separating lines",
    meaning="Two candles of opposite colours open at one price; the direction of the second is said to go on.",
)

THRUSTING = talib_candlestick(
    "CDLTHRUSTING",
    bars=2,
    presumes=(None, "down"),
    title="Thrusting pattern",
    meaning="A white candle opens below a long black one and closes inside its lower half; the fall is said to go on.",
)
