"""Which candidates keep every rule, and which rule each of the others broke first.

Belongs here: asking the rules one after the other, each of those that are left. Does not belong here: any rule of a
pattern.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from bist_pipeline.patterns.pivots.tape import Ints
from bist_pipeline.patterns.structures.contract import Candidates, ChartPattern, Rule
from bist_pipeline.patterns.structures.view import View

# What every pattern asks first: without a usual move nothing can be measured.
MEASURABLE: Final = Rule(
    "measurable",
    "log price",
    "ATR(14) at the last point",
    lambda c: np.where(c.last_row >= 0, c.atr, np.nan),
    least=1e-9,
)


@dataclass(frozen=True)
class Judged:
    """The candidates of one pattern.

    Attributes:
        pattern: Whose.
        candidates: Sorted by the bar at which they were known.
        broken: Position in `rules_of(pattern)` of the first rule each broke; how many rules there are where none.
    """

    pattern: ChartPattern
    candidates: Candidates
    broken: Ints

    @property
    def kept(self) -> Ints:
        """Positions of the candidates that keep every rule."""
        return np.flatnonzero(self.broken == len(rules_of(self.pattern)))


def rules_of(pattern: ChartPattern) -> tuple[Rule, ...]:
    """Every rule of a pattern, in the order in which they are asked."""
    return (MEASURABLE, *pattern.rules)


def in_order(found: Candidates) -> Candidates:
    """Sort candidates by the bar at which they were known; of two known by the same bar the longer one comes first.

    Those that are in order already are handed back as they are: copying many of them costs more than most rules.
    """
    later, tied = np.diff(found.known) > 0, np.diff(found.known) == 0
    if (later | (tied & (np.diff(found.first_row) >= 0))).all():
        return found
    return found.take(np.lexsort((found.first_row, found.known)))


def judge(pattern: ChartPattern, view: View) -> Judged:
    """Find the candidates of a pattern and ask its rules."""
    found = pattern.candidates(view)
    if view.asked_from is not None:
        found = found.take(view.is_asked_for(found.known))
    found = in_order(found)
    rules = rules_of(pattern)
    broken = np.full(len(found), len(rules))
    left, places = found, np.arange(len(found))
    for position, rule in enumerate(rules):
        if not len(left):
            break
        keeps = rule.slack(np.asarray(rule.measure(left), dtype=np.float64)) >= 0
        if not keeps.all():
            broken[places[~keeps]] = position
            left, places = left.take(keeps), places[keeps]
    return Judged(pattern, found, broken)
