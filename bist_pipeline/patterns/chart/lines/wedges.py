"""Wedges: both lines go one way and approach each other.

Belongs here: which slopes make a wedge.
"""

from types import MappingProxyType

from bist_pipeline.patterns.chart.lines import _rules as shared
from bist_pipeline.patterns.structures.contract import ChartPattern, Life, mirrored

_FLAT = shared.PARAMETERS["flat_atr"]

_SHAPE = (shared.top_slope("top_rises", least=_FLAT), shared.closing("bottom_rises_faster", least=_FLAT))

RISING_WEDGE = ChartPattern(
    name="rising_wedge",
    version=1,
    direction="bearish",
    mirror="falling_wedge",
    title="Rising wedge",
    meaning="Rising peaks, troughs that rise faster; a close below the lower line is said to begin a fall.",
    aims=shared.AIMS,
    source=f"{shared.SOURCE} Both lines rise, the lower one faster (Bulkowski: at least 3 weeks, 5 touches, 69 % break "
    "downward; only that break confirms here). Ours: faster by more than 0.02 ATR a bar, else it is a channel.",
    parameters=MappingProxyType({**shared.PARAMETERS, **shared.APEX}),
    warm_up=shared.WARM_UP,
    candidates=shared.nearly(*_SHAPE),
    rules=(
        *_SHAPE,
        shared.WAY_TO_APEX,
        shared.LENGTH,
        shared.TALL_ENOUGH,
        shared.TOUCHES,
        shared.SIDE_TO_SIDE,
        shared.CONTAINED,
    ),
    outline=shared.outline_of,
    life=Life(breaks="down"),
)

FALLING_WEDGE = mirrored(
    RISING_WEDGE,
    title="Falling wedge",
    meaning="Falling troughs, peaks that fall faster; a close above the upper line is said to begin a rise.",
)
