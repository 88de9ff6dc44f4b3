"""What a chart pattern is: where it is looked for, which rules it must keep, and what would confirm it.

Belongs here: the types that a new pattern's file fills in. A pattern's file states one side, the one a chartist calls
the top, or the bullish one; its mirror image is the same rules on the tape upside down (`mirrored`). It works on whole
arrays of candidates, never on one at a time, and does not know which symbol it sees.

    candidates(view)  →  every place where the pattern could be, each with the bar at which all of it was known
    rules             →  each measures one number a candidate; the first that is out of its bounds is counted
    outline(found)    →  for what keeps every rule: the lines whose break decides, target and stop
    life              →  how long it may wait for the break, and how long it is followed after

All prices are natural logarithms: 0.03 is 3 %. What must not depend on a share's price or temper is measured in ATR
(`Candidates.atr`), and a line's slope in ATR a bar.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.core.errors import RegistryError
from bist_pipeline.patterns.contract import Direction
from bist_pipeline.patterns.pivots.arrays import Ints
from bist_pipeline.patterns.structures.candidates import Candidates
from bist_pipeline.patterns.structures.view import View
from bist_pipeline.patterns.structures.wording import upside_down

# No structure waits longer for its break: it bounds what a refresh must look at.
MOST_WAIT_BARS: Final = 250


@dataclass(frozen=True, slots=True)
class Rule:
    """One condition: a number that must lie within bounds. What cannot be measured (NaN) does not keep it.

    Attributes:
        name: Unique within the pattern; what the reject census counts.
        unit: Of the number: `ATR`, `%` of log price, `bars`, `touches`, `ratio` …
        description: What is measured, for a person who asks why there is no pattern.
        measure: From candidates to one number each.
        least: Smallest that keeps the rule, itself included.
        most: Largest that keeps the rule, itself included.
    """

    name: str
    unit: str
    description: str
    measure: Callable[[Candidates], FloatArray]
    least: float = -np.inf
    most: float = np.inf

    def slack(self, values: FloatArray) -> FloatArray:
        """How far within the bounds numbers lie, in the rule's unit; negative by how much they miss."""
        return np.minimum(values - self.least, self.most - values)


@dataclass(frozen=True)
class Outline:
    """What a structure looks like and what decides it; shapes (n,).

    A line is given by its value (log price) at a row and its slope a bar. Above the upper line and below the lower one
    the structure is left; `Life.breaks` says which of the two confirms it.

    Attributes:
        upper_row, upper, upper_slope: The line above; at a level nobody reaches (+inf) where there is none.
        lower_row, lower, lower_slope: The line below; −inf where there is none.
        height: From the line that is broken to the target, in log price, above zero.
        stop_up, stop_down: Stop after a break upward and downward; NaN: the other line, where it is at the break.
        top, bottom: The structure's extremes: a close beyond the other one after a small move is a bust.
        earliest: First row at which a break counts; a close beyond a line before it ends the structure.
        latest: Last row at which a break counts.
        touches: How many points lie on its lines.
        ideal_touches: How many would be convincing.
        fit: How well the points lie on its lines or at their levels, 0…1.
        structure: How well formed it is otherwise, 0…1 (symmetry, proportion).
        drawn_from: Row from which its lines are drawn.
        span_from: First row of the structure itself, without the trend before it: overlaps are measured from here.
    """

    upper_row: Ints
    upper: FloatArray
    upper_slope: FloatArray
    lower_row: Ints
    lower: FloatArray
    lower_slope: FloatArray
    height: FloatArray
    stop_up: FloatArray
    stop_down: FloatArray
    top: FloatArray
    bottom: FloatArray
    earliest: Ints
    latest: Ints
    touches: Ints
    ideal_touches: int
    fit: FloatArray
    structure: FloatArray
    drawn_from: Ints
    span_from: Ints


@dataclass(frozen=True, slots=True)
class Life:
    """How long a structure lives and what confirms it.

    Attributes:
        breaks: Which close confirms: beyond the upper line, the lower one, or either. A close beyond the line that does
            not confirm ends the structure.
        margin_atr: How far beyond the line the close must be, in ATR at the last point.
        hold_bars: Bars after the confirmation within which target or stop must be reached.
        volume_z: Least volume of the confirming bar, in standard deviations from the mean of the 20 before; −inf: any.
        volume_ratio: Least volume of the confirming bar over the mean of the 50 before; −inf: any. Only one of the two
            may be asked.
        same_line_atr: Overlapping detections are one structure only if their confirming lines lie within this many ATR
            where the later became known.
    """

    breaks: Literal["up", "down", "either"]
    margin_atr: float = 0.25
    hold_bars: int = 60
    volume_z: float = -np.inf
    volume_ratio: float = -np.inf
    same_line_atr: float = np.inf


@dataclass(frozen=True, slots=True)
class ChartPattern:
    """One chart pattern: its declaration and its functions.

    Attributes:
        name: Registered name, unique over the room; a storage contract.
        version: Raised when candidates, rules, outline or life change.
        direction: What it is said to announce; neutral where the break decides.
        mirror: Registered name of its mirror image; its own name where it is its own; empty where it has none because
            its definition is not symmetric.
        title: The pattern's usual name.
        meaning: One sentence: what it looks like and what it is said to mean.
        aims: Where target and stop lie after the break, as the outline computes them; in words that `wording.py` can
            turn upside down.
        source: Where the definition stands, and what in it is ours.
        parameters: Every threshold by name; the rules read them from here.
        warm_up: Sessions before the first possible event.
        candidates: From a view to the places where it could be.
        rules: In the order in which they are asked.
        outline: From the candidates that keep every rule to their lines.
        life: See `Life`.
        flipped: Whether its functions see the tape upside down.
        line_names: What its upper and its lower line are called, as its functions see them; empty for a level that only
            ends the structure and is not drawn; None for the lines between which a price moves.
    """

    name: str
    version: int
    direction: Direction
    mirror: str
    title: str
    meaning: str
    aims: str
    source: str
    parameters: Mapping[str, float]
    warm_up: int
    candidates: Callable[[View], Candidates]
    rules: tuple[Rule, ...]
    outline: Callable[[Candidates], Outline]
    life: Life
    flipped: bool = False
    line_names: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        names = [rule.name for rule in self.rules]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise RegistryError(f"pattern {self.name}: two rules are called {', '.join(sorted(twice))}")
        if (self.life.breaks == "either") != (self.direction == "neutral"):
            raise RegistryError(f"pattern {self.name}: breaks {self.life.breaks} does not go with {self.direction}")
        if self.life.volume_z > -np.inf and self.life.volume_ratio > -np.inf:
            raise RegistryError(f"pattern {self.name}: it asks the volume of its break twice")


_OPPOSITE: Mapping[Direction, Direction] = {"bullish": "bearish", "bearish": "bullish", "neutral": "neutral"}


def mirrored(pattern: ChartPattern, *, title: str, meaning: str) -> ChartPattern:
    """Declare the mirror image of a pattern: the same functions on the tape upside down.

    Its rules keep their names, under which the census stores them; what they measure and what it aims at is told of
    its own side.
    """
    if not pattern.mirror or pattern.mirror == pattern.name:
        raise RegistryError(f"pattern {pattern.name} has no mirror image to declare")
    return replace(
        pattern,
        name=pattern.mirror,
        mirror=pattern.name,
        title=title,
        meaning=meaning,
        aims=upside_down(pattern.aims),
        rules=tuple(replace(rule, description=upside_down(rule.description)) for rule in pattern.rules),
        direction=_OPPOSITE[pattern.direction],
        flipped=not pattern.flipped,
    )
