"""What a pattern detector is and what it reports.

Belongs here: the types that a new pattern's file fills in. A detector sees one symbol's whole clean history as arrays;
it knows nothing of symbols, databases or Dagster, and its answer for bar i depends on bars 0…i only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy.typing as npt

Direction = Literal["bullish", "bearish", "neutral"]
Trend = Literal["up", "down", "flat"]


@dataclass(frozen=True, slots=True)
class Candlestick:
    """One candlestick pattern: its declaration and its function.

    Attributes:
        name: Registered name, unique over the room; a storage contract. TA-Lib's name in lower case without `cdl`; of
            others words in lower case, with underscores.
        version: Raised when the rules change.
        bars: How many bars the pattern spans, the bar of the event included.
        directional: Whether the sign of `compute` says bullish or bearish; False where it only marks a shape (doji).
        presumes: The trend before the pattern that its textbook definition asks for, per sign: (bullish, bearish);
            None where the textbook asks for none. TA-Lib itself does not look at it.
        title: The pattern's usual name.
        meaning: One sentence: what it looks like and what it is said to mean.
        source: Where the definition stands.
        compute: Takes open, high, low, close (float64, no NaN, shape (n,)), returns int32 of shape (n,), 0 where
            there is no pattern.
        confirmed_within: How many bars after the pattern a confirmation may come, which TA-Lib reports at the
            confirming bar as ±200; 0 where the pattern knows none.
    """

    name: str
    version: int
    bars: int
    directional: bool
    presumes: tuple[Trend | None, Trend | None]
    title: str
    meaning: str
    source: str
    compute: Callable[..., npt.NDArray[Any]]
    confirmed_within: int = 0
