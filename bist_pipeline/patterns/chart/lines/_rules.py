"""What all patterns between two lines have in common: thresholds, candidates, rules, outline.

Belongs here: rules by name, with the bounds that the families choose. Does not belong here: which of them make a
pattern.

The order of the rules: first those of the slopes, which say which pattern it is; then those that each must keep. The
turning points of a zigzag alternate; that the touches do is part of their count.
"""

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.structures import lines
from bist_pipeline.patterns.structures.contract import Candidates, Outline, Rule
from bist_pipeline.patterns.structures.outlines import outline
from bist_pipeline.patterns.structures.swings import FIRST_TURN
from bist_pipeline.patterns.structures.view import View

PARAMETERS: Final = MappingProxyType(
    {
        "flat_atr": 0.02,
        "touch_atr": 0.25,
        "touches": 5,
        "shortest_bars": 15,
        "longest_bars": 130,
        "height_atr": 3.0,
        "longest_leg": 0.5,
        "outside_atr": 0.25,
        "wait_bars_share": 0.5,
    }
)
# What only some families ask.
APEX: Final = MappingProxyType({"apex_from": 0.4, "apex_to": 0.9})
DRIFT: Final = MappingProxyType({"drift_atr": 1.0})
HEIGHT: Final = MappingProxyType({"same_height": 0.7})
_P = PARAMETERS

# One bar more confirms the last turning point.
WARM_UP: Final = FIRST_TURN + int(PARAMETERS["shortest_bars"]) + 1
SOURCE: Final = (
    "Bulkowski's Encyclopedia (lines, touches, swings from side to side); ours: least squares through the turning "
    "points in log price, slopes in ATR a bar, touches within 0.25 ATR, no leg of more than half the length, a break "
    "is a close 0.25 ATR beyond the line."
)

AIMS: Final = (
    "Target: as far beyond the line at the break as the lines are apart where they are farthest. Stop: the other line "
    "at the break."
)


def nearly(*shape: Rule) -> Callable[[View], Candidates]:
    """Runs of five to seven turning points whose slopes miss a shape by no more than 0.02 ATR a bar.

    Between any five points lie two lines; what is nothing like the shape is no candidate for it. The runs and their
    lines are the same for all families and computed once.
    """

    def candidates(view: View) -> Candidates:
        found = view.once(lines.runs_between_lines(_P["touch_atr"]))
        near = np.ones(len(found), dtype=bool)
        for rule in shape:
            near &= rule.slack(rule.measure(found)) >= -_P["flat_atr"]
        return found.take(near)

    return candidates


def top_slope(name: str, *, least: float = -np.inf, most: float = np.inf) -> Rule:
    """Bound the slope of the line through the peaks."""
    return Rule(name, "ATR a bar", "slope of the line through the peaks", lines.upper_slope, least, most)


def bottom_slope(name: str, *, least: float = -np.inf, most: float = np.inf) -> Rule:
    """Bound the slope of the line through the troughs."""
    return Rule(name, "ATR a bar", "slope of the line through the troughs", lines.lower_slope, least, most)


def closing(name: str, *, least: float = -np.inf, most: float = np.inf) -> Rule:
    """Bound how fast the lines approach each other."""
    text = "slope of the line through the troughs less that through the peaks"
    return Rule(name, "ATR a bar", text, lambda c: lines.lower_slope(c) - lines.upper_slope(c), least, most)


LENGTH: Final = Rule(
    "length",
    "bars",
    "bars from the first turning point to the last",
    lambda c: c.bars.astype(np.float64),
    _P["shortest_bars"],
    _P["longest_bars"],
)
TOUCHES: Final = Rule(
    "touches",
    "touches",
    f"points within {_P['touch_atr']:g} ATR of their line, in turn above and below",
    lambda c: c.own["touches"].astype(np.float64),
    least=_P["touches"],
)
TALL_ENOUGH: Final = Rule(
    "tall_enough",
    "ATR",
    "from line to line where they are farthest apart",
    lambda c: widest(c) / c.atr,
    least=_P["height_atr"],
)
# The wait after the last point ends before 40 % of the way are gone where less than this is gone at the last point.
WAY_TO_APEX: Final = Rule(
    "way_to_apex",
    "ratio",
    "bars gone at the last point, as a share of those from the first point to where the lines meet",
    lambda c: c.bars / np.maximum(lines.bars_to_apex(c), 1e-9),
    APEX["apex_from"] / (1 + _P["wait_bars_share"]),
    APEX["apex_to"],
)
SIDE_TO_SIDE: Final = Rule(
    "side_to_side",
    "ratio",
    "share of all bars that are of the longest leg: most of the length must not be one move",
    lines.longest_leg,
    most=_P["longest_leg"],
)
CONTAINED: Final = Rule(
    "contained",
    "ATR",
    "farthest close beyond a line before the structure was known",
    lambda c: lines.farthest_close_outside(c) / c.atr,
    most=_P["outside_atr"],
)
SAME_HEIGHT: Final = Rule(
    "same_height",
    "ratio",
    "from line to line at the last turning point, as a share of that at the first",
    lambda c: lines.width_at_end(c) / np.maximum(lines.width_at_start(c), 1e-9),
    HEIGHT["same_height"],
    1 / HEIGHT["same_height"],
)


def drift(name: str, slope: Callable[[Candidates], FloatArray], text: str) -> Rule:
    """Bound what a flat line rises or falls over the whole length: over a hundred bars 0.02 ATR a bar are two ATR."""
    return Rule(
        name, "ATR", text, lambda c: np.asarray(np.abs(slope(c)) * c.bars, dtype=np.float64), most=DRIFT["drift_atr"]
    )


def widest(c: Candidates) -> FloatArray:
    """From line to line where they are farthest apart: at the start, or where they broaden, at the end. Log price."""
    return np.maximum(lines.width_at_start(c), lines.width_at_end(c))


def outline_of(c: Candidates) -> Outline:
    """Lines as drawn; target as far as they are apart at most; broken within half its length, 40–90 % to an apex."""
    apex = np.minimum(lines.bars_to_apex(c), 1e6)  # parallel: so far away that it limits nothing
    meets = lines.lower_slope(c) - lines.upper_slope(c) > _P["flat_atr"]
    earliest = np.where(meets, c.first_row + np.ceil(APEX["apex_from"] * apex).astype(np.int64), c.known)
    waits = np.ceil(_P["wait_bars_share"] * c.bars).astype(np.int64)
    to_apex = np.floor(APEX["apex_to"] * apex).astype(np.int64) - c.bars
    return outline(
        c,
        height=widest(c),
        wait_bars=np.where(meets, np.minimum(waits, to_apex), waits),
        upper=lines.upper_line(c),
        lower=lines.lower_line(c),
        earliest=np.maximum(earliest, c.known),
        touches=c.own["touches"],
        ideal_touches=6,
        fit=np.clip(1 - c.own["distance"] / (_P["touch_atr"] * c.atr), 0.0, 1.0),
        structure=lines.evenness(c),
    )
