"""Double top and double bottom.

Belongs here: two extremes at one level with a deep turn between them, and the rise (or fall) that leads into them.
"""

from types import MappingProxyType

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.structures.contract import Candidates, ChartPattern, Life, Outline, Rule, mirrored
from bist_pipeline.patterns.structures.outlines import level, outline
from bist_pipeline.patterns.structures.swings import FIRST_TURN, PEAK, swings

_P = MappingProxyType(
    {
        "level_log": 0.03,
        "level_atr": 1.0,
        "depth_log": 0.10,
        "depth_atr": 4.0,
        "least_bars": 10,
        "most_bars": 60,
        "wait_bars_share": 1.0,
    }
)

# The peak and the trough before the pattern (the trend), then E1, E2, E3.
_BEFORE, _TROUGH, _LEFT, _VALLEY, _RIGHT = range(5)


def _apart(c: Candidates) -> FloatArray:
    return np.abs(c.price(_LEFT) - c.price(_RIGHT)) / np.maximum(_P["level_log"], _P["level_atr"] * c.atr)


def _height(c: Candidates) -> FloatArray:
    return (c.price(_LEFT) + c.price(_RIGHT)) / 2 - c.price(_VALLEY)


RULES = (
    Rule("tops_level", "tolerances", "first top against second (3 % or 1 ATR)", _apart, most=1.0),
    Rule(
        "valley_deep",
        "least depths",
        "mean of the tops over the trough between them, in what is asked (10 % or 4 ATR)",
        lambda c: _height(c) / np.maximum(_P["depth_log"], _P["depth_atr"] * c.atr),
        least=1.0,
    ),
    Rule(
        "tops_spaced",
        "bars",
        "from the first top to the second",
        lambda c: (c.row(_RIGHT) - c.row(_LEFT)).astype(np.float64),
        least=_P["least_bars"],
        most=_P["most_bars"],
    ),
    Rule(
        "rise_before",
        "ATR",
        "how far the peak and the trough before lie below the first top and the trough after it",
        lambda c: np.minimum(c.price(_LEFT) - c.price(_BEFORE), c.price(_VALLEY) - c.price(_TROUGH)) / c.atr,
        least=1e-9,
    ),
)


def _outline(c: Candidates) -> Outline:
    span = c.row(_RIGHT) - c.row(_LEFT)
    tops = np.maximum(c.price(_LEFT), c.price(_RIGHT))
    sides = np.minimum(c.row(_VALLEY) - c.row(_LEFT), c.row(_RIGHT) - c.row(_VALLEY))
    return outline(
        c,
        height=_height(c),
        wait_bars=np.ceil(span * _P["wait_bars_share"]).astype(np.int64),
        upper=level(c, tops),
        lower=level(c, c.price(_VALLEY)),
        stop_down=tops,
        top=tops,
        bottom=c.price(_VALLEY),
        touches=np.full(len(c), 3),
        ideal_touches=3,
        fit=1 - _apart(c),
        structure=sides * 2 / span,
        drawn_from=c.row(_LEFT),
        span_from=c.row(_LEFT),
    )


DOUBLE_TOP = ChartPattern(
    name="double_top",
    version=1,
    direction="bearish",
    mirror="double_bottom",
    title="Double top",
    meaning="Two peaks at one level after a rise, with a deep valley between them; a close below the valley is said to "
    "end the rise.",
    aims="Target: as far below the trough between as the mean of the tops lies above it. Stop: the higher top.",
    source="Bulkowski (depth, spacing, confirmation by a close beyond the middle extreme), Lo, Mamaysky & Wang 2000 "
    "(level), Osler 1998 (a peak and a trough before it that are lower: the trend that it ends, which she asks of head "
    "and shoulders); ours: that a double top needs such a trend, tolerances in ATR.",
    parameters=_P,
    # The two points before the tops, the tops, and the bar that confirms the second.
    warm_up=FIRST_TURN + 2 + int(_P["least_bars"]) + 1,
    candidates=lambda view: swings(view, 5, PEAK),
    rules=RULES,
    outline=_outline,
    life=Life(breaks="down", margin_atr=0.0),
    line_names=("", "neckline"),
)

DOUBLE_BOTTOM = mirrored(
    DOUBLE_TOP,
    title="Double bottom",
    meaning="Two troughs at one level after a fall, with a high peak between them; a close above the peak is said to "
    "end the fall.",
)
