"""The piecewise constant ratio between two sources, and the bars that do not lie on it.

Belongs here: telling a ratio that changed for good (an action that one of them did not apply, or applied otherwise)
from bars that are wrong and come back. Does not belong here: who is right (`_evidence.py`).

How `find_levels` works, on q = log(first close / second close):
1. Where q changes from one bar to the next by more than the tolerance of both, a stretch ends.
2. Stretches of at least `MIN_LEVEL` bars are levels. One between two equal levels that is shorter than they are, and
   than `MAX_EXCURSION`, is none: its bars are wrong.
3. Short stretches belong to the level beside them that they lie on; those that lie on neither hold the wrong bars. A
   wrong bar makes two wrong returns, into it and out of it with opposite signs: it is one bar that is blamed.
4. What is left between two levels is a step, from the first bar on that lies on the later one.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.quality.comparison._pairs import BoolArray, IntArray
from bist_pipeline.quality.comparison.contract import MAX_EXCURSION, MIN_AGREEING, MIN_LEVEL


@dataclass(frozen=True, slots=True)
class Levels:
    """The ratio of two sources; arrays over the rows that were given, shape (n,).

    Attributes:
        level: log of first per second, NaN for symbols whose prices have no common level.
        slack: By how much a bar on the level may miss it, beside its own tolerance.
        is_step: First bar of a new level.
        plateau: Counts the levels, so that two bars of one level have the same number.
    """

    level: FloatArray
    slack: FloatArray
    is_step: BoolArray
    plateau: IntArray


@dataclass
class _Plateau:
    """Stretches `start` … `end` of one level, with `bars` bars on it."""

    start: int
    end: int
    level: float
    bars: int


def find_levels(ratio: FloatArray, tolerance: FloatArray, code: IntArray) -> Levels:
    """Find the levels of each symbol.

    Args:
        ratio: log of first per second, finite, shape (n,).
        tolerance: By how much (log) each may be off, shape (n,).
        code: Symbol of each row, ascending, shape (n,).
    """
    new = np.append(True, code[1:] != code[:-1]) if len(code) else np.array([], dtype=bool)
    jump = np.append(True, np.abs(np.diff(ratio)) > tolerance[1:] + tolerance[:-1]) if len(code) else new
    starts = np.append(np.flatnonzero(new), len(code))
    level, slack = np.full(len(code), np.nan), np.full(len(code), np.nan)
    is_step, plateau = np.zeros(len(code), dtype=bool), np.zeros(len(code), dtype=np.int64)
    count = 0
    for start, end in pairwise(starts):
        rows = slice(start, end)
        if not jump[start + 1 : end].any():
            level[rows], slack[rows], plateau[rows] = np.median(ratio[rows]), np.median(tolerance[rows]), count
            count += 1
            continue
        found = _of_one_symbol(ratio[rows], tolerance[rows], jump[rows])
        if found is not None:
            level[rows], slack[rows], plateau[rows] = found.level, found.slack, found.plateau + count
            is_step[rows] = found.is_step
        count += end - start
    return Levels(level, slack, is_step, plateau)


def _of_one_symbol(ratio: FloatArray, tolerance: FloatArray, jump: BoolArray) -> Levels | None:
    cut = np.append(np.flatnonzero(jump | (np.arange(len(jump)) == 0)), len(ratio))
    bars = np.diff(cut)
    levels = np.array([np.median(ratio[a:b]) for a, b in pairwise(cut)])
    slack = float(np.median(tolerance))
    plateaus = _plateaus(bars, levels, 2 * slack)
    if not plateaus:
        return None
    level, plateau = np.empty(len(ratio)), np.empty(len(ratio), dtype=np.int64)
    is_step = np.zeros(len(ratio), dtype=bool)
    begin = 0
    for number, one in enumerate(plateaus):
        last = number + 1 == len(plateaus)
        until = len(bars) if last else _border(one, plateaus[number + 1], levels, 2 * slack)
        rows = slice(cut[begin], cut[until])
        level[rows], plateau[rows] = one.level, number
        if number:
            is_step[cut[begin]] = True
        begin = until
    if (np.abs(ratio - level) <= tolerance + slack).mean() < MIN_AGREEING:
        return None
    return Levels(level, np.full(len(ratio), slack), is_step, plateau)


def _plateaus(bars: IntArray, levels: FloatArray, same: float) -> list[_Plateau]:
    """Join the long stretches of one level, over what lies between if that is short."""
    long = np.flatnonzero(bars >= MIN_LEVEL)
    if not len(long):
        return _scattered(bars, levels, same)
    stack: list[_Plateau] = []
    for place in long.tolist():
        one = _Plateau(place, place, float(levels[place]), int(bars[place]))
        stack = _joined(stack, one, bars, same)
    return stack


def _joined(stack: list[_Plateau], one: _Plateau, bars: IntArray, same: float) -> list[_Plateau]:
    for depth in range(len(stack) - 1, -1, -1):
        held = stack[depth]
        between = int(bars[held.end + 1 : one.start].sum())
        if between > MAX_EXCURSION:
            break
        if abs(held.level - one.level) <= same and between <= held.bars + one.bars:
            weight = held.bars + one.bars
            level = (held.level * held.bars + one.level * one.bars) / weight
            return [*stack[:depth], _Plateau(held.start, one.end, level, weight)]
    return [*stack, one]


def _scattered(bars: IntArray, levels: FloatArray, same: float) -> list[_Plateau]:
    """Where every other bar is wrong, no stretch is long: the level is the one that most bars lie on."""
    middle = float(np.median(np.repeat(levels, bars)))
    on_it = int(bars[np.abs(levels - middle) <= same].sum())
    return [_Plateau(0, len(bars) - 1, middle, on_it)] if on_it >= MIN_LEVEL else []


def _border(left: _Plateau, right: _Plateau, levels: FloatArray, same: float) -> int:
    """The first stretch between two levels that lies on the later one."""
    between = np.arange(left.end + 1, right.start)
    on_right = between[np.abs(levels[between] - right.level) <= same]
    on_left = between[np.abs(levels[between] - left.level) <= same]
    after = on_left[-1] + 1 if len(on_left) else left.end + 1
    later = on_right[on_right >= after]
    return int(later[0]) if len(later) else right.start
