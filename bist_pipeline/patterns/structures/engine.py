"""From a tape to the structures of every pattern and their lives.

Belongs here: the order of the steps. Does not belong here: any pattern, any table.

1. Turn the tape upside down once; patterns that are mirror images look at that one.
2. For each pattern: candidates, rules, outline, life. All symbols at once; nothing of one symbol reaches another.
"""

from collections.abc import Iterable
from dataclasses import dataclass

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


def detect(tape: Tape, patterns: Iterable[ChartPattern]) -> list[Detected]:
    """Search a tape for patterns."""
    upright = look_at(tape)
    upside_down = upright.mirrored()
    return [_detect(pattern, upside_down if pattern.flipped else upright) for pattern in patterns]


def _detect(pattern: ChartPattern, view: View) -> Detected:
    judged = judge(pattern, view)
    found = judged.candidates.take(judged.kept)
    outline = pattern.outline(found)
    fates, changes = follow_all(pattern, found, outline)
    return Detected(judged, found, outline, fates, changes)
