"""The time of day, injected.

Belongs here: the `Clock` protocol and its two implementations. Nothing else in the package calls `datetime.now`, so
that a test or a replay decides what "now" is.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Says what time it is, as an aware UTC datetime."""

    def now(self) -> datetime:
        """Return the current time in UTC."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the machine's time in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class FixedClock:
    """A clock that stands still, for tests and replays.

    Attributes:
        at: The time it shows; must be aware.
    """

    at: datetime

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError(f"FixedClock needs an aware datetime, got {self.at!r}")

    def now(self) -> datetime:
        """Return the fixed time in UTC."""
        return self.at.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class OffsetClock:
    """The machine's clock, shifted: the time at a simulated exchange, which runs as fast as ours.

    Attributes:
        offset: Its time less the machine's.
    """

    offset: timedelta

    def now(self) -> datetime:
        """Return the shifted time in UTC."""
        return SystemClock().now() + self.offset
