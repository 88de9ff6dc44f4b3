"""From a tape to the structures of every pattern and their lives.

Belongs here: the order of the steps. Does not belong here: any pattern, any table; what of the past a refresh may leave
out (`recent.py`).

1. Turn the tape upside down once; patterns that are mirror images look at that one.
2. For each pattern: candidates, rules, outline, life. All symbols at once; nothing of one symbol reaches another.
3. Where only the newest sessions are asked for, candidates of long ago are left out. Whether one of them could still
   matter is checked for every symbol and pattern; where it could, that symbol is searched again, whole.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from bist_pipeline.patterns.pivots.arrays import Flags, Ints
from bist_pipeline.patterns.pivots.tape import Tape
from bist_pipeline.patterns.structures.candidates import Candidates
from bist_pipeline.patterns.structures.contract import ChartPattern, Outline
from bist_pipeline.patterns.structures.judging import Judged, judge
from bist_pipeline.patterns.structures.life import Changes, follow_all
from bist_pipeline.patterns.structures.recent import TAIL_BARS, uncertain_symbols
from bist_pipeline.patterns.structures.view import View, look_at


@dataclass(frozen=True)
class Detected:
    """What one pattern's search came to.

    Attributes:
        judged: Every candidate and the first rule it broke.
        found: The candidates that keep every rule.
        outline: Their lines.
        fates: What became of each of them: a position in `life.FATES`.
        changes: The changes of state of those that are kept; `structure` is a position in `found`.
        symbols: Whether each symbol of the tape is answered for; the others are in another answer.
    """

    judged: Judged
    found: Candidates
    outline: Outline
    fates: Ints
    changes: Changes
    symbols: Flags

    @property
    def pattern(self) -> ChartPattern:
        """Whose search it was."""
        return self.judged.pattern

    def answers(self, rows: Ints) -> Flags:
        """Whether the symbols of some rows are answered for."""
        return self.symbols[self.found.tape.symbol_index[rows]]


def detect(tape: Tape, patterns: Iterable[ChartPattern], since: date | None = None) -> list[Detected]:
    """Search a tape for patterns.

    Args:
        tape: Whole histories.
        patterns: What to search for.
        since: First session whose changes and candidates are asked for; None for all. What was over before it may
            lack. It changes nothing of what is asked for.

    Returns:
        One answer a pattern, or two that answer for different symbols.
    """
    upright = look_at(tape)
    if since is None:
        return _search(upright, patterns, np.zeros(len(tape.symbols), dtype=np.int64))
    asked = _rows_since(tape, since)
    begin = np.maximum(tape.offsets[:-1], asked - TAIL_BARS)
    found = _search(upright.since(begin), patterns, asked)
    unsure = [uncertain_symbols(one.found, one.outline, one.pattern.life.hold_bars, begin, asked) for one in found]
    again = np.any(unsure, axis=0) if unsure else np.zeros(len(tape.symbols), dtype=bool)
    if not again.any():
        return found
    whole = upright.since(np.where(again, tape.offsets[:-1], tape.offsets[1:]))
    doubted = [one.pattern for one, symbols in zip(found, unsure, strict=True) if symbols.any()]
    second = {one.pattern.name: one for one in _search(whole, doubted, asked)}
    sure = [replace(one, symbols=~symbols) for one, symbols in zip(found, unsure, strict=True)]
    return sure + [
        replace(second[one.pattern.name], symbols=symbols)
        for one, symbols in zip(found, unsure, strict=True)
        if symbols.any()
    ]


def _rows_since(tape: Tape, since: date) -> Ints:
    """Row of the first bar from a session on, by symbol."""
    days = [tape.day[start:end] for start, end in itertools.pairwise(tape.offsets.tolist())]
    return tape.offsets[:-1] + np.array([np.searchsorted(day, np.datetime64(since)) for day in days], dtype=np.int64)


def _search(upright: View, patterns: Iterable[ChartPattern], asked: Ints) -> list[Detected]:
    upside_down = upright.mirrored()
    return [_detect(pattern, upside_down if pattern.flipped else upright, asked) for pattern in patterns]


def _detect(pattern: ChartPattern, view: View, asked: Ints) -> Detected:
    judged = judge(pattern, view)
    found = judged.candidates.take(judged.kept)
    outline = pattern.outline(found)
    fates, changes = follow_all(pattern, found, outline, asked[view.tape.symbol_index[found.known]])
    return Detected(judged, found, outline, fates, changes, np.ones(len(view.tape.symbols), dtype=bool))
