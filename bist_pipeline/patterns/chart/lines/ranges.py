"""Ranges between lines that run side by side: rectangle, rising and falling channel.

Belongs here: which slopes make a range.
"""

from types import MappingProxyType

import numpy as np

from bist_pipeline.patterns.chart.lines import _rules as shared
from bist_pipeline.patterns.structures import lines
from bist_pipeline.patterns.structures.contract import ChartPattern, Life, Rule, mirrored

_FLAT = shared.PARAMETERS["flat_atr"]
_COMMON = (shared.LENGTH, shared.TALL_ENOUGH, shared.TOUCHES, shared.SIDE_TO_SIDE, shared.CONTAINED)

# One rule for both lines: a pattern that is its own mirror image has rules that are, too.
_BOTH_FLAT = Rule(
    "both_flat",
    "ATR a bar",
    "slope of the steeper line, without its sign",
    lambda c: np.maximum(np.abs(lines.upper_slope(c)), np.abs(lines.lower_slope(c))),
    most=_FLAT,
)
_STEEPER = shared.drift(
    "flat_over_length",
    lambda c: np.maximum(np.abs(lines.upper_slope(c)), np.abs(lines.lower_slope(c))),
    "what the steeper line rises or falls from the first turning point to the last, without its sign",
)
_RISING = (
    shared.top_slope("top_rises", least=_FLAT),
    shared.bottom_slope("bottom_rises", least=_FLAT),
    shared.closing("parallel", least=-_FLAT, most=_FLAT),
)

RECTANGLE = ChartPattern(
    name="rectangle",
    version=1,
    direction="neutral",
    mirror="rectangle",
    title="Rectangle",
    meaning="Peaks at one level, troughs at another; a close beyond either is said to show where the price will go.",
    aims=shared.AIMS,
    source=f"{shared.SOURCE} Both lines flat (Bulkowski; Lo, Mamaysky & Wang 2000: RTOP, RBOT); ours: 3 ATR high, "
    "neither line drifts by more than 1 ATR over the whole length, and the height at the end is that at the start "
    "within 30 %.",
    parameters=MappingProxyType({**shared.PARAMETERS, **shared.APEX, **shared.DRIFT, **shared.HEIGHT}),
    warm_up=shared.WARM_UP,
    candidates=shared.nearly(_BOTH_FLAT),
    rules=(_BOTH_FLAT, _STEEPER, shared.SAME_HEIGHT, *_COMMON),
    outline=shared.outline_of,
    life=Life(breaks="either"),
)

RISING_CHANNEL = ChartPattern(
    name="rising_channel",
    version=1,
    direction="bearish",
    mirror="falling_channel",
    title="Rising channel",
    meaning="Peaks and troughs rise side by side; a close below the lower line is said to end the rise.",
    aims=shared.AIMS,
    source=f"{shared.SOURCE} Ours: slopes differ by no more than 0.02 ATR a bar; the break against the trend confirms.",
    parameters=shared.PARAMETERS,
    warm_up=shared.WARM_UP,
    candidates=shared.nearly(*_RISING),
    rules=(
        *_RISING,
        *_COMMON,
    ),
    outline=shared.outline_of,
    life=Life(breaks="down"),
)

FALLING_CHANNEL = mirrored(
    RISING_CHANNEL,
    title="Falling channel",
    meaning="Peaks and troughs fall side by side; a close above the upper line is said to end the fall.",
)
