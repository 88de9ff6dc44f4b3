"""Patterns of three candles.

Belongs here: shapes that three consecutive bars make, and Hikkake with its later confirmation.
"""

from bist_pipeline.patterns.candlestick._talib import CONTINUATION, REVERSAL, talib_candlestick

TWO_CROWS = talib_candlestick(
    "CDL2CROWS",
    bars=3,
    presumes=(None, "up"),
    title="Two crows",
    meaning="A black candle gaps up from a long white one, a second falls into its body; it is said to end a rise.",
)

THREE_BLACK_CROWS = talib_candlestick(
    "CDL3BLACKCROWS",
    bars=3,
    presumes=(None, "up"),
    title="Three black crows",
    meaning="Three falling black candles without lower shadows after a white one; it is said to end a rise.",
)

THREE_INSIDE = talib_candlestick(
    "CDL3INSIDE",
    bars=3,
    presumes=REVERSAL,
    title="Three inside up or down",
    meaning="A harami, then a close beyond its first open; it is said to turn the trend.",
)

THREE_OUTSIDE = talib_candlestick(
    "CDL3OUTSIDE",
    bars=3,
    presumes=REVERSAL,
    title="Three outside up or down",
    meaning="An engulfing pattern, then a close further on; it is said to turn the trend.",
)

THREE_STARS_IN_THE_SOUTH = talib_candlestick(
    "CDL3STARSINSOUTH",
    bars=3,
    presumes=("down", None),
    title="Three stars in the south",
    meaning="Three black candles that shrink, each holding above the low before; it is said to end a fall.",
)

THREE_WHITE_SOLDIERS = talib_candlestick(
    "CDL3WHITESOLDIERS",
    bars=3,
    presumes=("down", None),
    title="Three advancing white soldiers",
    meaning="Three rising white candles without upper shadows; it is said to end a fall.",
)

ABANDONED_BABY = talib_candlestick(
    "CDLABANDONEDBABY",
    bars=3,
    presumes=REVERSAL,
    penetration=0.3,
    title="Abandoned baby",
    meaning="A doji cut off by gaps on both sides; it is said to turn the trend.",
)

ADVANCE_BLOCK = talib_candlestick(
    "CDLADVANCEBLOCK",
    bars=3,
    presumes=(None, "up"),
    title="Advance block",
    meaning="Three white candles that lose strength; it is said to end a rise.",
)

EVENING_DOJI_STAR = talib_candlestick(
    "CDLEVENINGDOJISTAR",
    bars=3,
    presumes=(None, "up"),
    penetration=0.3,
    title="Evening doji star",
    meaning="A long white candle, a doji above it, a black candle deep into the white body; it is said to end a rise.",
)

EVENING_STAR = talib_candlestick(
    "CDLEVENINGSTAR",
    bars=3,
    presumes=(None, "up"),
    penetration=0.3,
    title="Evening star",
    meaning="A long white candle, a short one above, a black one deep into the white body; it is said to end a rise.",
)

GAP_SIDE_BY_SIDE_WHITE = talib_candlestick(
    "CDLGAPSIDESIDEWHITE",
    bars=3,
    presumes=CONTINUATION,
    title="Gapping side-by-side white lines",
    meaning="A gap, then two alike white candles that leave it open; the direction of the gap is said to go on.",
)

HIKKAKE = talib_candlestick(
    "CDLHIKKAKE",
    bars=3,
    confirmed_within=3,
    title="Hikkake",
    meaning="An inside bar and a false break out of it; it is said to go the other way, ±200 once a close confirms it.",
)

IDENTICAL_THREE_CROWS = talib_candlestick(
    "CDLIDENTICAL3CROWS",
    bars=3,
    presumes=(None, "up"),
    title="Identical three crows",
    meaning="Three falling black candles, each opening at the close before; it is said to end a rise.",
)

MORNING_DOJI_STAR = talib_candlestick(
    "CDLMORNINGDOJISTAR",
    bars=3,
    presumes=("down", None),
    penetration=0.3,
    title="Morning doji star",
    meaning="A long black candle, a doji below it, a white candle deep into the black body; it is said to end a fall.",
)

MORNING_STAR = talib_candlestick(
    "CDLMORNINGSTAR",
    bars=3,
    presumes=("down", None),
    penetration=0.3,
    title="Morning star",
    meaning="A long black candle, a short one below, a white one deep into the black body; it is said to end a fall.",
)

STALLED_PATTERN = talib_candlestick(
    "CDLSTALLEDPATTERN",
    bars=3,
    presumes=(None, "up"),
    title="Stalled pattern",
    meaning="Two long white candles, then a small one at their top; it is said to end a rise.",
)

STICK_SANDWICH = talib_candlestick(
    "CDLSTICKSANDWICH",
    bars=3,
    presumes=("down", None),
    title="Stick sandwich",
    meaning="A white candle between two black ones that close at one price; it is said to end a fall.",
)

TASUKI_GAP = talib_candlestick(
    "CDLTASUKIGAP",
    bars=3,
    presumes=CONTINUATION,
    title="Tasuki gap",
    meaning="A gap that the opposite candle after it does not close; the direction of the gap is said to go on.",
)

TRISTAR = talib_candlestick(
    "CDLTRISTAR",
    bars=3,
    presumes=REVERSAL,
    title="Tristar",
    meaning="Three dojis, the middle one off by a gap; it is said to turn the trend.",
)

UNIQUE_THREE_RIVER = talib_candlestick(
    "CDLUNIQUE3RIVER",
    bars=3,
    presumes=("down", None),
    title="Unique three river",
    meaning="A long black candle, a black harami with a new low, a small white one below it; it is said to end a fall.",
)

UPSIDE_GAP_TWO_CROWS = talib_candlestick(
    "CDLUPSIDEGAP2CROWS",
    bars=3,
    presumes=(None, "up"),
    title="Upside gap two crows",
    meaning="A long white candle, a gap up, two black ones, the second around the first; it is said to end a rise.",
)

X_SIDE_GAP_THREE_METHODS = talib_candlestick(
    "CDLXSIDEGAP3METHODS",
    bars=3,
    presumes=CONTINUATION,
    title="Upside or downside gap three methods",
    meaning="A gap between two candles of one colour that the third fills; the direction of the gap is said to go on.",
)
