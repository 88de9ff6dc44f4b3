"""Patterns of four and five candles.

Belongs here: shapes that four or five consecutive bars make, and the modified Hikkake with its later confirmation.
"""

from bist_pipeline.patterns.candlestick._talib import CONTINUATION, REVERSAL, talib_candlestick

THREE_LINE_STRIKE = talib_candlestick(
    "CDL3LINESTRIKE",
    bars=4,
    presumes=CONTINUATION,
    title="Three-line strike",
    meaning="Three candles of one colour, then one that undoes them all; the direction of the three is said to go on.",
)

BREAKAWAY = talib_candlestick(
    "CDLBREAKAWAY",
    bars=5,
    presumes=REVERSAL,
    title="Breakaway",
    meaning="A gap and three candles on with the trend, then one back into the gap; it is said to turn the trend.",
)

CONCEALING_BABY_SWALLOW = talib_candlestick(
    "CDLCONCEALBABYSWALL",
    bars=4,
    presumes=("down", None),
    title="Concealing baby swallow",
    meaning="Two black marubozu, a gap with a shadow back, a black candle around it; it is said to end a fall.",
)

HIKKAKE_MODIFIED = talib_candlestick(
    "CDLHIKKAKEMOD",
    bars=4,
    presumes=REVERSAL,
    confirmed_within=3,
    title="Modified hikkake",
    meaning="A hikkake after a close near the extreme; it is said to turn the trend, ±200 once a close confirms it.",
)

LADDER_BOTTOM = talib_candlestick(
    "CDLLADDERBOTTOM",
    bars=5,
    presumes=("down", None),
    title="Ladder bottom",
    meaning="Three falling black candles, one with an upper shadow, a white one above it; it is said to end a fall.",
)

MAT_HOLD = talib_candlestick(
    "CDLMATHOLD",
    bars=5,
    presumes=("up", None),
    penetration=0.5,
    title="Mat hold",
    meaning="A long white candle, a gap, three small ones that hold, a new high; the rise is said to go on.",
)

RISE_FALL_THREE_METHODS = talib_candlestick(
    "CDLRISEFALL3METHODS",
    bars=5,
    presumes=CONTINUATION,
    title="Rising or falling three methods",
    meaning="Three small candles against a long one inside its range, then a long one on; the trend is said to go on.",
)
