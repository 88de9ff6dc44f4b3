"""Why there is a pattern, or why there is none: candidates with every rule asked.

Belongs here: measuring all rules of the candidates that were known by a session, and choosing the one that came
nearest. Does not belong here: how it is told.
"""

from dataclasses import dataclass

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.pivots.tape import Tape
from bist_pipeline.patterns.structures.contract import Candidates, Rule
from bist_pipeline.patterns.structures.engine import Detected
from bist_pipeline.patterns.structures.judging import rules_of
from bist_pipeline.patterns.structures.life import FATES

# A candidate that became known longer ago than a month says little of today.
RECENT_BARS = 21


@dataclass(frozen=True, slots=True)
class Asked:
    """One rule, asked of one candidate.

    Attributes:
        rule: Which.
        value: What was measured, in the rule's unit; NaN where it cannot be.
        slack: How far within the bounds, in the rule's unit; negative by how much it misses.
    """

    rule: Rule
    value: float
    slack: float

    @property
    def keeps(self) -> bool:
        """Whether the rule is kept; what cannot be measured does not keep it."""
        return self.slack >= 0


@dataclass(frozen=True, slots=True)
class Near:
    """The candidate of a pattern that came nearest.

    Attributes:
        pattern: Registered name.
        known_row: Row of the bar at which all of it was known.
        rows: Rows of its points.
        prices_try: Prices of its points in the shares of the tape's last session.
        asked: Every rule, in order.
        fate: What became of it: `kept`, `same_structure`, `not_broken_before`; empty where a rule turned it away.
        structure: Its position in `Detected.found` where it keeps every rule, else −1.
    """

    pattern: str
    known_row: int
    rows: tuple[int, ...]
    prices_try: tuple[float, ...]
    asked: tuple[Asked, ...]
    fate: str
    structure: int

    @property
    def first_broken(self) -> Asked | None:
        """The rule that turned it away; None where none did."""
        return next((one for one in self.asked if not one.keeps), None)


def nearest(tape: Tape, one: Detected, *, recent_bars: int = RECENT_BARS) -> Near | None:
    """Choose the recent candidate that kept the most rules before it broke one; of equals the newest.

    Args:
        tape: The tape of one symbol, upright, up to the session that is asked about.
        one: What was found in it.
        recent_bars: How many bars back a candidate may have become known.

    Returns:
        None where there is no recent candidate.
    """
    everything = one.judged.candidates
    recent = np.flatnonzero(everything.known >= len(tape) - recent_bars)
    if not len(recent):
        return None
    broken = one.judged.broken[recent]
    chosen = int(recent[np.lexsort((everything.known[recent], _miss(one, recent), broken))[-1]])
    return _near(tape, one, chosen)


def _miss(one: Detected, recent: np.ndarray) -> FloatArray:
    """How little each candidate misses the first rule it breaks, as a share of the bound: nearer to zero is nearer."""
    rules = rules_of(one.pattern)
    misses = np.zeros(len(recent))
    for position, rule in enumerate(rules):
        own = one.judged.broken[recent] == position
        if own.any():
            values = measured(rule, one.judged.candidates.take(recent[own]))
            bound = max(
                abs(rule.least) if np.isfinite(rule.least) else 0, abs(rule.most) if np.isfinite(rule.most) else 0
            )
            misses[own] = np.nan_to_num(rule.slack(values), nan=-np.inf) / max(bound, 1.0)
    return misses


def measured(rule: Rule, candidates: Candidates) -> FloatArray:
    """Ask one rule of candidates that may have broken an earlier one: what cannot be measured is NaN."""
    with np.errstate(all="ignore"):
        return np.asarray(rule.measure(candidates), dtype=np.float64)


def _near(tape: Tape, one: Detected, chosen: int) -> Near:
    candidate = one.judged.candidates.take(np.array([chosen]))
    asked = []
    for rule in rules_of(one.pattern):
        value = measured(rule, candidate)
        asked.append(Asked(rule, float(value[0]), float(np.nan_to_num(rule.slack(value), nan=-np.inf)[0])))
    there = candidate.rows[0] >= 0
    sign = -1 if one.pattern.flipped else 1
    money = tape.unit_try[-1] * tape.basis[-1]
    structure = int(np.searchsorted(one.judged.kept, chosen)) if one.judged.broken[chosen] == len(asked) else -1
    return Near(
        pattern=one.pattern.name,
        known_row=int(candidate.known[0]),
        rows=tuple(candidate.rows[0][there].tolist()),
        prices_try=tuple(np.round(np.exp(sign * candidate.prices[0][there]) * money, 6).tolist()),
        asked=tuple(asked),
        fate=FATES[int(one.fates[structure])] if structure >= 0 else "",
        structure=structure,
    )
