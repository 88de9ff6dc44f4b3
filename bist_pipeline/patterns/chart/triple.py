"""Triple top and triple bottom.

Belongs here: three extremes at one level. Where the middle one stands out it is a head and shoulders, not this.
"""

from types import MappingProxyType

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.structures.contract import Candidates, ChartPattern, Life, Outline, Rule, mirrored
from bist_pipeline.patterns.structures.outlines import level, outline
from bist_pipeline.patterns.structures.swings import FIRST_TURN, PEAK, swings

_P = MappingProxyType(
    {
        "level_log": 0.04,
        "level_atr": 1.5,
        "head_atr": 0.6,
        "depth_atr": 3.0,
        "least_bars": 20,
        "most_bars": 120,
        "wait_bars_share": 0.5,
    }
)

# The peak and the trough before the pattern (the trend), then E1 … E5.
_BEFORE, _TROUGH, _TOP_1, _VALLEY_1, _TOP_2, _VALLEY_2, _TOP_3 = range(7)
_TOPS = [_TOP_1, _TOP_2, _TOP_3]
_VALLEYS = [_VALLEY_1, _VALLEY_2]


def _apart(c: Candidates) -> FloatArray:
    spread = np.ptp(c.prices[:, _TOPS], axis=1)
    return spread / np.maximum(_P["level_log"], _P["level_atr"] * c.atr)


def _mean_top(c: Candidates) -> FloatArray:
    return c.prices[:, _TOPS].mean(axis=1)


def _floor(c: Candidates) -> FloatArray:
    return c.prices[:, _VALLEYS].min(axis=1)


def _height(c: Candidates) -> FloatArray:
    return _mean_top(c) - _floor(c)


RULES = (
    Rule("tops_level", "tolerances", "from the highest top to the lowest (4 % or 1.5 ATR)", _apart, most=1.0),
    Rule(
        "valleys_deep",
        "ATR",
        "mean of the tops over the higher trough between them",
        lambda c: (_mean_top(c) - c.prices[:, _VALLEYS].max(axis=1)) / c.atr,
        least=_P["depth_atr"],
    ),
    Rule(
        "no_head",
        "ATR",
        "middle top over the higher of the other two",
        lambda c: (c.price(_TOP_2) - np.maximum(c.price(_TOP_1), c.price(_TOP_3))) / c.atr,
        most=_P["head_atr"],
    ),
    Rule(
        "long_enough",
        "bars",
        "from the first top to the third",
        lambda c: (c.row(_TOP_3) - c.row(_TOP_1)).astype(np.float64),
        least=_P["least_bars"],
        most=_P["most_bars"],
    ),
    Rule(
        "rise_before",
        "ATR",
        "how far the peak and the trough before lie below the first top and the lower trough after it",
        lambda c: np.minimum(c.price(_TOP_1) - c.price(_BEFORE), _floor(c) - c.price(_TROUGH)) / c.atr,
        least=1e-9,
    ),
)


def _outline(c: Candidates) -> Outline:
    span = c.row(_TOP_3) - c.row(_TOP_1)
    tops = c.prices[:, _TOPS].max(axis=1)
    sides = np.minimum(c.row(_TOP_2) - c.row(_TOP_1), c.row(_TOP_3) - c.row(_TOP_2))
    return outline(
        c,
        height=_height(c),
        wait_bars=np.ceil(span * _P["wait_bars_share"]).astype(np.int64),
        upper=level(c, tops),
        lower=level(c, _floor(c)),
        stop_down=tops,
        top=tops,
        bottom=_floor(c),
        touches=np.full(len(c), 5),
        ideal_touches=5,
        fit=1 - _apart(c),
        structure=sides * 2 / span,
        drawn_from=c.row(_TOP_1),
        span_from=c.row(_TOP_1),
    )


TRIPLE_TOP = ChartPattern(
    name="triple_top",
    version=1,
    direction="bearish",
    mirror="triple_bottom",
    title="Triple top",
    meaning="Three peaks at one level after a rise; a close below the lower of the valleys between them is said to end "
    "the rise.",
    aims="Target: as far below the lower trough as the mean of the tops lies above it. Stop: the highest top.",
    source="Bulkowski (three peaks near one price, confirmed by a close below the lowest valley), Osler 1998 (a peak "
    "and a trough before it that are lower), stock-pattern (a middle top that stands out by 0.6 of a bar's range is a "
    "head); ours: that a triple top needs Osler's trend, tolerances in ATR, valleys of 3 ATR, twice the spacing of a "
    "double top.",
    parameters=_P,
    # The two points before the tops, the tops, and the bar that confirms the third.
    warm_up=FIRST_TURN + 2 + int(_P["least_bars"]) + 1,
    candidates=lambda view: swings(view, 7, PEAK),
    rules=RULES,
    outline=_outline,
    life=Life(breaks="down", margin_atr=0.0),
    line_names=("", "neckline"),
)

TRIPLE_BOTTOM = mirrored(
    TRIPLE_TOP,
    title="Triple bottom",
    meaning="Three troughs at one level after a fall; a close above the higher of the peaks between them is said to "
    "end the fall.",
)
