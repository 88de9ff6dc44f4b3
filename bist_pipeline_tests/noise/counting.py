"""Counting confirmed events, and the fixed-seed series of chance that CI counts them in.

Belongs here: numbers. Does not belong here: tables of them (`table.py`), or what number is too many
(`test_noise_rates.py`).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np

from bist_pipeline.core.bars import Bars
from bist_pipeline.patterns.pivots.tape import read_tape
from bist_pipeline.patterns.registry import registered_charts
from bist_pipeline.patterns.structures.engine import detect
from bist_pipeline.patterns.structures.life import STATES
from bist_pipeline_tests.market_maker import make_bars
from bist_pipeline_tests.patterns.markets import driftless_bars, resampled_bars

_CONFIRMED = STATES.index("confirmed")


@dataclass(frozen=True, slots=True)
class Counts:
    """Confirmed events of every chart pattern in some bars.

    Attributes:
        sessions: Symbol-sessions that were searched.
        events: By pattern: structures that were confirmed at least once.
    """

    sessions: int
    events: Mapping[str, int]

    def __add__(self, other: "Counts") -> "Counts":
        names = self.events.keys() | other.events.keys()
        return Counts(
            self.sessions + other.sessions,
            {name: self.events.get(name, 0) + other.events.get(name, 0) for name in sorted(names)},
        )

    def rate(self, name: str) -> float:
        """Events in 10,000 symbol-sessions."""
        return 1e4 * self.events.get(name, 0) / self.sessions if self.sessions else 0.0


def count_events(bars: Bars) -> Counts:
    """Search bars for every chart pattern and count what was confirmed."""
    found = detect(read_tape(bars), registered_charts().values())
    return Counts(
        len(bars),
        {one.pattern.name: len(np.unique(one.changes.structure[one.changes.state == _CONFIRMED])) for one in found},
    )


def count_all(markets: Iterable[Bars]) -> Counts:
    """Count over several markets, one at a time."""
    total = Counts(0, {})
    for bars in markets:
        total += count_events(bars)
    return total


@cache
def chance(kind: str) -> Counts:
    """Count in the fixed-seed series of one kind that CI uses."""
    return count_events(CHANCE[kind]())


# About half a million symbol-sessions: three seconds, and tens of events of all but the rarest patterns.
CHANCE: Mapping[str, Callable[[], Bars]] = MappingProxyType(
    {
        "walk": lambda: driftless_bars(400, 800, seed=20260807),
        "resampled": lambda: resampled_bars(make_bars(240, 800, seed=11), seed=12),
    }
)
