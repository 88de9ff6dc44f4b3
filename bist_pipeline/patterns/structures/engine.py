"""From a tape to the structures of every pattern and their lives.

Belongs here: the order of the steps. Does not belong here: any pattern, any table.

1. Turn the tape upside down once; patterns that are mirror images look at that one.
2. For each pattern: candidates, rules, outline, life. All symbols at once; nothing of one symbol reaches another.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np

from bist_pipeline.patterns.pivots.tape import Ints, Tape
from bist_pipeline.patterns.structures.contract import Candidates, ChartPattern, Outline
from bist_pipeline.patterns.structures.judging import Judged, judge
from bist_pipeline.patterns.structures.life import Changes, follow_all
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
    """

    judged: Judged
    found: Candidates
    outline: Outline
    fates: Ints
    changes: Changes

    @property
    def pattern(self) -> ChartPattern:
        """Whose search it was."""
        return self.judged.pattern


def detect(tape: Tape, patterns: Iterable[ChartPattern], since: date | None = None) -> list[Detected]:
    """Search a tape for patterns.

    Args:
        tape: Whole histories.
        patterns: What to search for.
        since: First session whose changes are asked for; None for all. Structures that were over before it are not
            followed to their end: nobody asks how they ended.
    """
    upright = look_at(tape)
    upside_down = upright.mirrored()
    rows = _rows_since(tape, since)
    return [_detect(pattern, upside_down if pattern.flipped else upright, rows) for pattern in patterns]


def _rows_since(tape: Tape, since: date | None) -> Ints:
    """Row of the first bar from a session on, by symbol; 0 where all are asked for."""
    if since is None:
        return np.zeros(len(tape.symbols), dtype=np.int64)
    days = [tape.day[start:end] for start, end in itertools.pairwise(tape.offsets.tolist())]
    return tape.offsets[:-1] + np.array([np.searchsorted(day, np.datetime64(since)) for day in days], dtype=np.int64)


def _detect(pattern: ChartPattern, view: View, since_rows: Ints) -> Detected:
    judged = judge(pattern, view)
    found = judged.candidates.take(judged.kept)
    outline = pattern.outline(found)
    since = since_rows[view.tape.symbol_index[found.known]]
    fates, changes = follow_all(pattern, found, outline, since)
    return Detected(judged, found, outline, fates, changes)
