"""Triangles: ascending, descending, symmetrical.

Belongs here: which slopes make a triangle.
"""

from types import MappingProxyType

import numpy as np

from bist_pipeline.patterns.chart.lines import _rules as shared
from bist_pipeline.patterns.structures import lines
from bist_pipeline.patterns.structures.contract import ChartPattern, Life, Rule, mirrored

_FLAT = shared.PARAMETERS["flat_atr"]
_COMMON = (shared.WAY_TO_APEX, shared.LENGTH, shared.TALL_ENOUGH, shared.TOUCHES, shared.SIDE_TO_SIDE, shared.CONTAINED)

_ASCENDING = (
    shared.top_slope("top_flat", least=-_FLAT, most=_FLAT),
    shared.bottom_slope("bottom_rises", least=_FLAT),
)
_TOP_DRIFT = shared.drift(
    "flat_over_length",
    lines.upper_slope,
    "what the line through the peaks rises or falls from the first turning point to the last, without its sign",
)
# One rule for both lines: a pattern that is its own mirror image has rules that are, too.
_BOTH_CLOSE_IN = Rule(
    "both_close_in",
    "ATR a bar",
    "how fast the peaks fall or the troughs rise, whichever is slower",
    lambda c: np.minimum(-lines.upper_slope(c), lines.lower_slope(c)),
    least=_FLAT,
)

ASCENDING_TRIANGLE = ChartPattern(
    name="ascending_triangle",
    version=1,
    direction="bullish",
    mirror="descending_triangle",
    title="Ascending triangle",
    meaning="Peaks at one level, rising troughs; a close above the level is said to begin a rise.",
    aims=shared.AIMS,
    source=f"{shared.SOURCE} Flat top, rising bottom (Bulkowski: 70 % break upward; only that break confirms here); "
    "ours: the top drifts by no more than 1 ATR over the whole length.",
    parameters=MappingProxyType({**shared.PARAMETERS, **shared.APEX, **shared.DRIFT}),
    warm_up=shared.WARM_UP,
    candidates=shared.nearly(*_ASCENDING),
    rules=(*_ASCENDING, _TOP_DRIFT, *_COMMON),
    outline=shared.outline_of,
    life=Life(breaks="up"),
)

DESCENDING_TRIANGLE = mirrored(
    ASCENDING_TRIANGLE,
    title="Descending triangle",
    meaning="Troughs at one level, falling peaks; a close below the level is said to begin a fall.",
)

SYMMETRICAL_TRIANGLE = ChartPattern(
    name="symmetrical_triangle",
    version=1,
    direction="neutral",
    mirror="symmetrical_triangle",
    title="Symmetrical triangle",
    meaning="Falling peaks, rising troughs; a close beyond either line is said to show where the price will go.",
    aims=shared.AIMS,
    source=f"{shared.SOURCE} Peaks fall and troughs rise (Lo, Mamaysky & Wang 2000: TTOP, TBOT).",
    parameters=MappingProxyType({**shared.PARAMETERS, **shared.APEX}),
    warm_up=shared.WARM_UP,
    candidates=shared.nearly(_BOTH_CLOSE_IN),
    rules=(_BOTH_CLOSE_IN, *_COMMON),
    outline=shared.outline_of,
    life=Life(breaks="either"),
)
