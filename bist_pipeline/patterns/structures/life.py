"""The life of a structure: forming, confirmed, and how it ended.

Belongs here: the states, why each begins, and following all structures of one pattern. Does not belong here: finding
them.

    forming    it is known, no close has left it                     → confirmed, expired
    confirmed  a close left it on the side that its definition asks  → target, stopped, busted, expired
    target     a bar touched its target                                (the end)
    stopped    a bar touched its stop; where a bar touches both, this  → busted, or the end
    busted     a close beyond its other side, after no more than 10 % the right way (Bulkowski)
    expired    not confirmed in time, or left on the wrong side or too early; or neither target nor stop in time

A structure confirmed by a bar locked at the price limit could not be traded: it is confirmed again by the first bar
that is not locked, if that closes beyond the line. Where it passed its target before anybody could enter, it expired;
so did one whose target lay behind the very close that left it. At most one change a session. What happens on the
confirming bar itself, before its close, counts for nothing. Sessions without a trade change nothing. Where volume is
asked of the confirming bar, a close beyond the line on less leaves the structure waiting.

Overlapping detections of one pattern are one event: what was known first keeps its name, and a later detection whose
span shares half of both spans together is the same structure, unless the first had expired unconfirmed before. A
structure that is seen again while it waits may wait as long as what was seen last. Patterns that are one line alone
(`Life.same_line_atr`) ask besides that the lines lie near each other: two levels are two, though they were touched over
the same months.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.pivots.tape import Ints
from bist_pipeline.patterns.structures.contract import Candidates, ChartPattern, Outline

# In the order of the codes in `_life_kernels.py`.
STATES: Final = ("forming", "confirmed", "target", "stopped", "busted", "expired")
REASONS: Final = (
    "complete, not left yet",
    "closed beyond the line",
    "closed beyond the line, locked at the price limit",
    "first close beyond the line that is not locked",
    "touched the target",
    "touched the stop",
    "closed beyond its other side after moving no more than 10 %",
    "not confirmed in time",
    "closed beyond the other side",
    "left too early",
    "neither target nor stop in time",
    "the target was behind the close already",
    "passed the target before it could be traded",
)
FATES: Final = ("kept", "same_structure", "not_broken_before")


@dataclass(frozen=True)
class Changes:
    """Changes of state, in the order of structures and sessions, shape (m,).

    Attributes:
        structure: Position among the structures that were followed.
        row: Row of the bar.
        state: Position in `STATES`.
        reason: Position in `REASONS`.
        way: +1 broken upward, −1 downward, 0 not yet; as the pattern's view sees it.
        line, target, stop: Log prices; NaN where there is none.
    """

    structure: Ints
    row: Ints
    state: Ints
    reason: Ints
    way: Ints
    line: FloatArray
    target: FloatArray
    stop: FloatArray


def follow_all(
    pattern: ChartPattern, found: Candidates, outline: Outline, since_row: Ints | None = None
) -> tuple[Ints, Changes]:
    """Follow candidates that keep every rule; they are sorted by `known`.

    Args:
        pattern: Whose.
        found: The candidates.
        outline: Their lines.
        since_row: Row from which on changes are asked for, of each; earlier ones may lack. None for all.

    Returns:
        The fate of each, a position in `FATES`, and the changes of those that are kept.
    """
    from bist_pipeline.patterns.structures._life_kernels import follow

    tape, life = found.tape, pattern.life
    asks_ratio = life.volume_ratio > -np.inf
    volume, least_volume = (tape.volume_ratio, life.volume_ratio) if asks_ratio else (tape.volume_z, life.volume_z)
    asked_from = np.zeros(len(found), dtype=np.int64) if since_row is None else since_row
    fates, (counts, whole, real) = follow(
        (found.known, outline.span_from, found.last_row),
        (outline.upper_row, outline.upper, outline.upper_slope, outline.lower_row, outline.lower, outline.lower_slope),
        (
            *(outline.height, outline.stop_up, outline.stop_down, outline.top, outline.bottom),
            *(life.margin_atr * found.atr, life.same_line_atr * found.atr),
        ),
        (outline.earliest, outline.latest.copy(), life.hold_bars, asked_from),
        (life.breaks in {"up", "either"}, life.breaks in {"down", "either"}, float(least_volume)),
        (tape.high, tape.low, tape.close, volume, tape.traded, tape.locked, tape.end_row, tape.open),
    )
    structure = np.repeat(np.arange(len(found)), counts)
    column = np.arange(len(structure)) - np.repeat(np.cumsum(counts) - counts, counts)
    row, state, reason, way = (values[structure, column] for values in whole)
    line, target, stop = (values[structure, column] for values in real)
    return fates, Changes(structure, row, state, reason, way, line, target, stop)
