"""What a rule measures, in words, turned upside down.

Belongs here: which word says the opposite side. A description is written once, for the side that a pattern's functions
see; its mirror image must be told in words that are true of the chart. So descriptions name sides by these words alone,
and say a ratio as a share of something, never as something "over" something else.
"""

import re
from typing import Final

_PAIRS: Final = (
    ("upper line", "lower line"),
    ("peak", "trough"),
    ("peaks", "troughs"),
    ("top", "bottom"),
    ("tops", "bottoms"),
    ("high", "low"),
    ("highs", "lows"),
    ("higher", "lower"),
    ("highest", "lowest"),
    ("above", "below"),
    ("over", "under"),
    ("rise", "fall"),
    ("rises", "falls"),
    ("rising", "falling"),
    ("rose", "fell"),
    ("risen", "fallen"),
    ("up", "down"),
    ("upward", "downward"),
    ("upside", "downside"),
)
_OTHER: Final = {**dict(_PAIRS), **{second: first for first, second in _PAIRS}}
# "lower line" before "lower": it is the other side of the upper line, not of a higher one.
_SIDED: Final = re.compile(rf"\b({'|'.join(sorted(_OTHER, key=len, reverse=True))})\b", re.IGNORECASE)


def upside_down(text: str) -> str:
    """Swap every word that names a side with its opposite; done twice it is the text again."""
    return _SIDED.sub(_swapped, text)


def names_a_side(text: str) -> bool:
    """Whether a text speaks of a side at all."""
    return _SIDED.search(text) is not None


def _swapped(found: re.Match[str]) -> str:
    other = _OTHER[found[0].lower()]
    return other.capitalize() if found[0][0].isupper() else other
