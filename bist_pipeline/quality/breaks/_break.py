"""One move beyond the limit, with what it takes to judge it.

Belongs here: the record, how far the bars around reach, and on which grids they lie. Does not belong here: what the
move is (`_factors.py`, `_one_grid.py`, `_pieces.py`).
"""

from dataclasses import dataclass

import numpy as np

from bist_pipeline.quality.breaks._grids import Grid, Stretch
from bist_pipeline.quality.breaks._moves import Moves
from bist_pipeline.quality.breaks._thresholds import ACTION_MOVE, LONG_ENOUGH, SPIKE_BARS, STALE_OVERSHOOT
from bist_pipeline.quality.breaks.contract import SymbolHistory


@dataclass(frozen=True, slots=True)
class Break:
    """One move beyond the limit, with what it takes to judge it.

    Attributes:
        history: The symbol's bars.
        moves: Their moves.
        at: Usable bar that the move leads to.
        grid: The prices against the grid; None where the exchange's is not known.
    """

    history: SymbolHistory
    moves: Moves
    at: int
    grid: Grid | None

    @property
    def bar(self) -> int:
        """Number of the bar in the history."""
        return int(self.moves.bar[self.at])

    @property
    def move(self) -> float:
        """The move, net of known actions."""
        return float(self.moves.move[self.at])

    @property
    def is_traded(self) -> bool:
        """Whether the prices are meant to be as traded."""
        return self.history.basis == "as_traded"

    @property
    def large(self) -> bool:
        """Whether the move is beyond what two sessions at the limit make."""
        return bool(abs(np.log(self.move)) > -np.log(1 - ACTION_MOVE))

    @property
    def slight(self) -> bool:
        """Whether the move is just over the limit."""
        allowed = (self.moves.highest if self.move > 1 else self.moves.lowest)[self.at] - 1
        return bool(abs(self.move - 1) <= abs(allowed) * STALE_OVERSHOOT)

    @property
    def following(self) -> int:
        """How many usable bars there are behind the one that the move leads to."""
        return len(self.moves.bar) - 1 - self.at

    @property
    def undecided(self) -> bool:
        """Whether the level that begins here may still be left again as a spike's is."""
        return self.large and self.following < SPIKE_BARS and self.at >= LONG_ENOUGH

    def stretches(self) -> tuple[list[Stretch], list[Stretch]]:
        """Return the stretches of one grid before and after; where prices are as traded, theirs if they fit it."""
        if self.grid is None:
            return [], []
        likely = 1.0 if self.is_traded else None
        return self.grid.before(self.at, likely), self.grid.after(self.at, likely)

    def traded(self, before: float, after: float) -> float:
        """Return the move of the prices as traded, given the factors on both sides."""
        return self.move * before / after

    def text(self) -> str:
        """Say how far the close moved, and how far it may."""
        low, high = self.moves.lowest[self.at] - 1, self.moves.highest[self.at] - 1
        before, now = self.moves.close[self.at - 1], self.moves.close[self.at]
        return f"close {now:g} after {before:g}, {self.move - 1:+.1%} where {low:+.1%} to {high:+.1%} is allowed"
