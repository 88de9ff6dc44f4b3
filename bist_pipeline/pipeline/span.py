"""The range of sessions that a run derives.

Belongs here: the range and its checks. What is fetched and cleaned is always a symbol's whole history, whatever range
was asked: the range limits only what is derived.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

from bist_pipeline.core.calendar import SessionCalendar
from bist_pipeline.storage.bulk import Scope

# One Dagster run takes at most this many partitions, a year of weekdays: a longer one is killed by run monitoring
# before it starts, since Dagster writes its plan one row per partition and asset.
CHUNK_WEEKDAYS = 260


@dataclass(frozen=True, slots=True)
class Span:
    """Sessions from `first` to `last`, inclusive."""

    first: date
    last: date

    @classmethod
    def checked(cls, calendar: SessionCalendar, first: date, last: date) -> Self:
        """Build a span.

        Raises:
            SessionError: The start lies after the end or before the origin, or the end beyond the calendar.
        """
        calendar.check_range(first, last)
        return cls(first, last)

    def chunks(self) -> Iterator[Self]:
        """Split into runs of at most `CHUNK_WEEKDAYS` weekdays, newest first: what is wanted soonest comes soonest."""
        last = self.last
        while last >= self.first:
            # 260 weekdays are exactly 52 weeks.
            first = max(self.first, last - timedelta(weeks=CHUNK_WEEKDAYS // 5) + timedelta(days=1))
            yield type(self)(first, last)
            last = first - timedelta(days=1)

    def scope(self, symbols: Sequence[str] | None = None) -> Scope:
        """What a write of these sessions defines completely; all symbols, or only some."""
        return Scope(self.first, self.last, None if symbols is None else tuple(symbols))

    def __str__(self) -> str:
        return f"{self.first}…{self.last}" if self.first != self.last else str(self.first)
