"""The schedule of sessions as arrays, looked up row by row.

Belongs here: finding each row's day in the schedule, and saying why a day has no session. Does not belong here: which
days are sessions (`core/calendar.py`).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.bars import DayArray
from bist_pipeline.market.rules import BoolArray

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Schedule:
    """The schedule as arrays; their last entry stands for every day it does not hold."""

    days: pd.DatetimeIndex
    is_session: BoolArray
    open_at: DayArray
    final_at: DayArray
    note: npt.NDArray[np.object_]

    @classmethod
    def of(cls, schedule: pd.DataFrame) -> Self:
        """Take a frame with `session_date`, `is_session`, `open_at`, `final_at` and `note`."""
        nowhere = np.datetime64("NaT", "us")
        return cls(
            pd.DatetimeIndex(schedule["session_date"]).as_unit("us"),
            np.append(schedule["is_session"].to_numpy(dtype=bool), np.False_),
            np.append(moments(schedule["open_at"]), nowhere),
            np.append(moments(schedule["final_at"]), nowhere),
            np.append(schedule["note"].to_numpy(dtype=object), ""),
        )

    def find(self, day: DayArray) -> npt.NDArray[np.intp]:
        """Position of each day; -1, the entry of unknown days, where the schedule does not hold it."""
        return self.days.get_indexer(pd.DatetimeIndex(day))

    def why_closed(self, day: DayArray, where: npt.NDArray[np.intp]) -> npt.NDArray[np.object_]:
        """Say of each day why no session was held, as far as the schedule knows."""
        days = day.astype("datetime64[D]")
        weekday = (days.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
        bounds = f"{self.days.min():%Y-%m-%d} to {self.days.max():%Y-%m-%d}" if len(self.days) else "which is empty"
        note = self.note[where]
        return np.select(
            [np.isnat(days), weekday >= 5, where < 0, note != ""],
            ["it has no date", np.asarray(_WEEKDAYS, dtype=object)[weekday], f"outside the schedule, {bounds}", note],
            default="closed",
        ).astype(object)


def moments(column: pd.Series) -> DayArray:
    """Moments (UTC) as an array without a zone."""
    return column.to_numpy(dtype="datetime64[us]")
