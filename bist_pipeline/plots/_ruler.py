"""Where sessions stand on an axis on which they stand side by side.

Belongs here: turning sessions into places. The first session shown stands at 0, the next one at 1; sessions before it
have negative places, so that a line may begin outside the picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd


@dataclass(frozen=True, slots=True)
class Ruler:
    """The sessions that have a bar, and which of them are shown.

    Attributes:
        days: All of them, ascending, at least one.
        first: Position of the first that is shown.
        count: How many are shown.
    """

    days: pd.DatetimeIndex
    first: int
    count: int

    def places(self, wanted: Sequence[date]) -> npt.NDArray[np.float64]:
        """Where sessions stand, shape (n,).

        One without a bar stands at the next that has one; before the first bar and after the last weekdays are counted.
        """
        known = self.days.to_numpy().astype("datetime64[D]")
        asked = pd.DatetimeIndex(list(wanted)).to_numpy().astype("datetime64[D]")
        found = np.searchsorted(known, asked)
        found = np.where(asked < known[0], -np.busday_count(asked, known[0]), found)
        found = np.where(asked > known[-1], len(known) - 1 + np.busday_count(known[-1], asked), found)
        return found.astype(np.float64) - self.first

    def place(self, wanted: date) -> float:
        """Where one session stands."""
        return float(self.places([wanted])[0])
