"""How a TA-Lib candlestick function becomes a part.

Belongs here: the one constructor that the declarations share, and the two usual presumptions. Does not belong here: a
pattern, or a rule of our own; a pattern that TA-Lib lacks fills in `Candlestick` itself.

TA-Lib measures "long", "short", "doji" and the like against the mean of the candles before (usually ten), so the
answers do not depend on the price level. It looks at no trend: `presumes` says what its own comments and the textbooks
ask for.
"""

from functools import partial

import talib

from bist_pipeline.patterns.contract import Candlestick, Trend

Presumption = tuple[Trend | None, Trend | None]

# (what a bullish one asks for, what a bearish one asks for)
REVERSAL: Presumption = ("down", "up")
CONTINUATION: Presumption = ("up", "down")
NO_TREND: Presumption = (None, None)


def talib_candlestick(
    function: str,
    *,
    bars: int,
    title: str,
    meaning: str,
    presumes: Presumption = NO_TREND,
    directional: bool = True,
    confirmed_within: int = 0,
    **parameters: float,
) -> Candlestick:
    """Declare the pattern of a TA-Lib function.

    Args:
        function: TA-Lib's name, `CDL…`.
        bars: See `Candlestick`, as the arguments that follow.
        title: As there.
        meaning: As there.
        presumes: As there.
        directional: As there.
        confirmed_within: As there.
        **parameters: TA-Lib's optional inputs, stated although they are its defaults.
    """
    return Candlestick(
        name=function.removeprefix("CDL").lower(),
        version=1,
        bars=bars,
        directional=directional,
        presumes=presumes,
        title=title,
        meaning=meaning,
        source=f"TA-Lib 0.8 {function}",
        compute=partial(getattr(talib, function), **parameters),
        confirmed_within=confirmed_within,
    )
