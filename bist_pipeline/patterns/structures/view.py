"""One side of the market: the tape with its turning points, upright or upside down.

Belongs here: what several patterns need of the same tape, computed once. A pattern's file asks for it; it cannot tell
which way up the tape is, so the mirror image of a pattern needs no code of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

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
    """

    tape: Tape
    pivots: tuple[Pivots, ...]
    other_side: "View | None" = field(default=None, repr=False)
    _made: dict[Any, Any] = field(default_factory=dict, repr=False)

    def once(self, make: Callable[["View"], Made]) -> Made:
        """Compute something of this view, or hand out what was computed before."""
        if make not in self._made:
            self._made[make] = make(self)
        return self._made[make]

    def mirrored(self) -> "View":
        """Turn it upside down."""
        return View(self.tape.mirrored(), tuple(one.mirrored() for one in self.pivots), self)


def look_at(tape: Tape) -> View:
    """Find the turning points of a tape."""
    return View(tape, tuple(find_pivots(tape, scale) for scale in SCALES))
