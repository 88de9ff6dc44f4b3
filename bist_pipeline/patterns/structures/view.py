"""One side of the market: the tape with its turning points, upright or upside down.

Belongs here: what several patterns need of the same tape, computed once. A pattern's file asks for it; it cannot tell
which way up the tape is, so the mirror image of a pattern needs no code of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from bist_pipeline.patterns.pivots.arrays import Flags, Ints
from bist_pipeline.patterns.pivots.tape import Tape
from bist_pipeline.patterns.pivots.zigzag import SCALES, Pivots, find_pivots

Made = TypeVar("Made")


@dataclass(frozen=True)
class View:
    """A tape and its turning points, at every scale.

    Attributes:
        tape: The bars.
        pivots: One a scale, in the order of `SCALES`.
        other_side: The same the other way up, where this one was made from it.
        asked_from: By symbol, the first row at which a candidate that is asked for may have become known; None for all.
    """

    tape: Tape
    pivots: tuple[Pivots, ...]
    other_side: "View | None" = field(default=None, repr=False)
    asked_from: Ints | None = field(default=None, repr=False)
    _made: dict[Any, Any] = field(default_factory=dict, repr=False)

    def once(self, make: Callable[["View"], Made]) -> Made:
        """Compute something of this view, or hand out what was computed before."""
        if make not in self._made:
            self._made[make] = make(self)
        return self._made[make]

    def mirrored(self) -> "View":
        """Turn it upside down."""
        return View(self.tape.mirrored(), tuple(one.mirrored() for one in self.pivots), self, self.asked_from)

    def since(self, rows: Ints) -> "View":
        """The same, asked for what became known from a row on, by symbol."""
        return View(self.tape, self.pivots, None, rows)

    def is_asked_for(self, known: Ints) -> Flags:
        """Whether candidates that became known at some rows are asked for."""
        if self.asked_from is None:
            return np.ones(len(known), dtype=bool)
        return known >= self.asked_from[self.tape.symbol_index[known]]


def look_at(tape: Tape) -> View:
    """Find the turning points of a tape."""
    return View(tape, tuple(find_pivots(tape, scale) for scale in SCALES))
