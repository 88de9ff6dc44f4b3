"""Patterns of one candle.

Belongs here: shapes of a single bar, even where TA-Lib also compares it with the bar before. A shape of indecision
whose sign is only the colour of its body, or is always +100, is not directional: TA-Lib's own comments say of such a
sign that it "does not mean it is bullish".
"""

from bist_pipeline.patterns.candlestick._talib import REVERSAL, talib_candlestick

BELT_HOLD = talib_candlestick(
    "CDLBELTHOLD",
    bars=1,
    presumes=REVERSAL,
    title="Belt hold",
    meaning="A long body that opens at its extreme; against the trend it is said to turn it.",
)

CLOSING_MARUBOZU = talib_candlestick(
    "CDLCLOSINGMARUBOZU",
    bars=1,
    title="Closing marubozu",
    meaning="A long body that closes at its extreme; it is said to go on in the direction of its colour.",
)

DOJI = talib_candlestick(
    "CDLDOJI",
    bars=1,
    directional=False,
    title="Doji",
    meaning="Open and close nearly equal; it is said to show indecision.",
)

DRAGONFLY_DOJI = talib_candlestick(
    "CDLDRAGONFLYDOJI",
    bars=1,
    directional=False,
    title="Dragonfly doji",
    meaning="A doji at the top of its bar; what it is said to mean depends on the trend before.",
)

GRAVESTONE_DOJI = talib_candlestick(
    "CDLGRAVESTONEDOJI",
    bars=1,
    directional=False,
    title="Gravestone doji",
    meaning="A doji at the bottom of its bar; what it is said to mean depends on the trend before.",
)

HAMMER = talib_candlestick(
    "CDLHAMMER",
    bars=1,
    presumes=("down", None),
    title="Hammer",
    meaning="A small body on a long lower shadow near the last lows; it is said to end a fall.",
)

HANGING_MAN = talib_candlestick(
    "CDLHANGINGMAN",
    bars=1,
    presumes=(None, "up"),
    title="Hanging man",
    meaning="A small body on a long lower shadow near the last highs; it is said to end a rise.",
)

HIGH_WAVE = talib_candlestick(
    "CDLHIGHWAVE",
    bars=1,
    directional=False,
    title="High-wave candle",
    meaning="A short body between very long shadows; it is said to show indecision.",
)

INVERTED_HAMMER = talib_candlestick(
    "CDLINVERTEDHAMMER",
    bars=1,
    presumes=("down", None),
    title="Inverted hammer",
    meaning="A small body below a long upper shadow after a gap down; it is said to end a fall.",
)

LONG_LEGGED_DOJI = talib_candlestick(
    "CDLLONGLEGGEDDOJI",
    bars=1,
    directional=False,
    title="Long-legged doji",
    meaning="A doji with at least one long shadow; it is said to show indecision.",
)

LONG_LINE = talib_candlestick(
    "CDLLONGLINE",
    bars=1,
    title="Long line candle",
    meaning="A long body between short shadows; it is said to go on in the direction of its colour.",
)

MARUBOZU = talib_candlestick(
    "CDLMARUBOZU",
    bars=1,
    title="Marubozu",
    meaning="A long body without shadows; it is said to go on in the direction of its colour.",
)

RICKSHAW_MAN = talib_candlestick(
    "CDLRICKSHAWMAN",
    bars=1,
    directional=False,
    title="Rickshaw man",
    meaning="A doji in the middle of two long shadows; it is said to show indecision.",
)

SHOOTING_STAR = talib_candlestick(
    "CDLSHOOTINGSTAR",
    bars=1,
    presumes=(None, "up"),
    title="Shooting star",
    meaning="A small body below a long upper shadow after a gap up; it is said to end a rise.",
)

SHORT_LINE = talib_candlestick(
    "CDLSHORTLINE",
    bars=1,
    directional=False,
    title="Short line candle",
    meaning="A short body between short shadows; it is said to show a pause.",
)

SPINNING_TOP = talib_candlestick(
    "CDLSPINNINGTOP",
    bars=1,
    directional=False,
    title="Spinning top",
    meaning="A short body between longer shadows; it is said to show indecision.",
)

TAKURI = talib_candlestick(
    "CDLTAKURI",
    bars=1,
    directional=False,
    title="Takuri line",
    meaning="A dragonfly doji with a very long lower shadow; what it is said to mean depends on the trend before.",
)
