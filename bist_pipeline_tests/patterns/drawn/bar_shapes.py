"""Drawings of narrow range bars, inside bars and the squeeze.

Quiet bars reach 0.2 % to each side of their close and ATR is 1.2 %. A bar that does not count is one whose volume is
lost: it has a range like any other.
"""

from bist_pipeline_tests.patterns.drawing import Drawing, Fixture, Shape, wilder


def shape(reach: float, close: float = 0.0) -> Shape:
    return (close, close + reach, close - reach, close)


def narrow_range(before: tuple[float, ...], last: float, **changes) -> Drawing:
    """Bars of these reaches around 0, the last one, then a rise."""
    reaches = (*before, last)
    bars = len(reaches)
    shapes = {bar: shape(reach) for bar, reach in enumerate(reaches, start=1)}
    return Drawing(points=((bars, 0.0), (bars + 4, 0.08)), shapes=shapes, **changes)


def narrow_ranges(bars: int) -> Fixture:
    wide = (0.01,) * (bars - 1)
    return Fixture(
        f"nr{bars}",
        passes=narrow_range(wide, 0.003),
        # Wide bars have a true range of 2 %, the narrow one of 0.6 %.
        ends=(0.003 + 2 * wilder(*(0.02,) * len(wide), 0.006), -0.003),
        breaks={
            "ordinary_bars": narrow_range(wide, 0.003, volumes={1: 0.0}),
            "narrowest": narrow_range((0.0025, *wide[1:]), 0.003),
            "narrow": narrow_range(wide, 0.0056 if bars == 4 else 0.0062),
        },
    )


def inside(outer: float, inner: Shape, **changes) -> Drawing:
    return Drawing(points=((2, 0.0), (6, 0.08)), shapes={1: shape(outer), 2: inner}, **changes)


INSIDE_BAR = Fixture(
    "inside_bar",
    passes=inside(0.01, shape(0.006)),
    ends=(0.01 + 0.02, -0.01),
    breaks={
        "ordinary_bars": inside(0.01, shape(0.006), volumes={1: 0.0}),
        "inside": inside(0.01, shape(0.006, 0.005)),
        "outer_wide": inside(0.005, shape(0.002)),
    },
)

# The bands of the quiet bars lie at 0.56 of Keltner's; there are such from row 20 on.
_SIX = Drawing(points=((5, 0.06),), quiet_bars=27)

SQUEEZE = Fixture(
    "squeeze",
    passes=_SIX,
    # Quiet bars reach from −1.2 % to 0.2 %.
    ends=(0.002 + 0.014, -0.012),
    breaks={
        "on_long_enough": Drawing(points=((1, 0.1), (6, 0.12)), quiet_bars=24),
        "ordinary_bars": Drawing(points=_SIX.points, quiet_bars=27, volumes={-3: 0.0}),
    },
)

DRAWINGS = (narrow_ranges(4), narrow_ranges(7), INSIDE_BAR, SQUEEZE)
