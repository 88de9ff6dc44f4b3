"""Flags and pennants, drawn."""

from collections.abc import Mapping
from typing import Any

from bist_pipeline_tests.patterns.drawing import Drawing, Fixture, Shape

# The pole: 17 % in eight bars, on twice the usual volume.
FOOT, TOP = (4, -0.03), (12, 0.14)


def rest(high: float, rise: float, low: float, fall: float) -> dict[int, Shape]:
    """Eight bars after the top: highs and lows lie on two lines, given by their first value and their slope a bar."""
    lines = [(high + rise * i, low + fall * i) for i in range(8)]
    return {TOP[0] + 1 + i: ((a + b) / 2, a, b, (a + b) / 2) for i, (a, b) in enumerate(lines)}


def _lowered(shapes: Mapping[int, Shape], by: float) -> dict[int, Shape]:
    return {bar: (a - by, b - by, c - by, d - by) for bar, (a, b, c, d) in shapes.items()}


def flag(shapes: Mapping[int, Shape], *pole: tuple[int, float], **changes: Any) -> Drawing:
    """Draw a pole, then bars that rest, then a steep rise."""
    foot, *_, top = pole or (FOOT, TOP)
    end = max(shapes)
    after = ((end, shapes[end][3]), (end + 5, shapes[end][3] + 0.14))
    own: dict[str, Any] = {"volumes": dict.fromkeys(range(foot[0] + 1, top[0] + 1), 2.0), **changes}
    return Drawing((*(pole or (FOOT, TOP)), *after), shapes=shapes, **own)


def with_poles_broken(shapes: Mapping[int, Shape]) -> dict[str, Drawing]:
    """What breaks the rules that flags and pennants share, given bars that rest as one of them does."""
    later = {bar + 4: shape for bar, shape in shapes.items()}
    lower = _lowered(shapes, 0.08)
    spike = {TOP[0] + 4: (0.13, 0.165, shapes[TOP[0] + 4][2], 0.13)}
    dips = {6: 0.012, 7: 0.03, 8: 0.025, 9: 0.072, 10: 0.07, 11: 0.065}
    return {
        "pole_height": flag(lower, FOOT, (12, 0.06)),
        "pole_bars": flag(later, FOOT, (16, 0.14)),
        "pole_advances": flag(shapes, closes=dips),
        "retrace": flag(_lowered(shapes, 0.045 if shapes is FLAG else 0.052)),
        "under_the_top": flag({**shapes, **spike}),
        "quieter": flag(shapes, volumes=dict.fromkeys(shapes, 1.15)),
    }


FLAG = rest(0.133, -0.004, 0.118, -0.004)
PENNANT = rest(0.135, -0.0035, 0.10, -0.0005)

DRAWINGS = (
    Fixture(
        "bull_flag",
        passes=flag(FLAG),
        # A bar after the last that rests the lines are at 0.101 and 0.086; the pole is 0.17 long.
        ends=(0.271, 0.086),
        breaks={
            **with_poles_broken(FLAG),
            "top_against_pole": flag(rest(0.12, 0.0020, 0.09, 0.0011)),
            "bottom_against_pole": flag(rest(0.13, 0.0011, 0.09, 0.0020)),
            "parallel": flag(rest(0.135, -0.0035, 0.10, -0.0024)),
        },
    ),
    Fixture(
        "bull_pennant",
        passes=flag(PENNANT),
        # There at 0.107 and 0.096.
        ends=(0.277, 0.096),
        breaks={
            **with_poles_broken(PENNANT),
            "top_against_pole": flag(rest(0.12, 0.0020, 0.08, 0.0045)),
            "converging": flag(rest(0.133, -0.004, 0.118, -0.0029)),
        },
    ),
)
