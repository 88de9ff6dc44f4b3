"""The token bucket: when the next request may be sent, as a generic cell rate algorithm.

Belongs here: arithmetic on moments. Does not belong here: waiting, and keeping the state between two requests.

The whole state is one moment, the theoretical arrival time `next_at`: when the next request would come if all came
evenly. A request may come before it by as much as the burst allows. Hence, over any window of t seconds, never more
than burst + rate·t requests.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

# What one refresh needs at once (cookie, crumb, a batch or two); more than a person opening a page would send.
BURST = 4


@dataclass(frozen=True, slots=True)
class Bucket:
    """A pace.

    Attributes:
        spacing: Time between two requests that come evenly; zero for no pacing at all.
        burst: How many may come at once after a pause.
    """

    spacing: timedelta
    burst: int = BURST

    @classmethod
    def of_rate(cls, requests_per_second: float, *, burst: int = BURST) -> "Bucket":
        """Make the bucket of a rate; 0 is no pacing."""
        # Rounded up to what a timestamp can hold: rounded down, the pace would be exceeded by a hair.
        micros = math.ceil(1_000_000 / requests_per_second) if requests_per_second else 0
        return cls(timedelta(microseconds=micros), burst)

    def reserve(self, now: datetime, next_at: datetime) -> tuple[datetime, datetime]:
        """Return when a request asked for now may be sent, and the theoretical arrival time once it is.

        Args:
            now: The moment of asking.
            next_at: Theoretical arrival time as the last request left it.
        """
        if not self.spacing:
            return now, now
        # No sequence of requests gets further ahead than this; a clock that was set back, or a faster pace, does.
        due = min(max(next_at, now), now + self.burst * self.spacing)
        return max(now, due - self._tolerance), due + self.spacing

    def resume(self, at: datetime) -> datetime:
        """Return the theoretical arrival time with which requests begin again at `at`, evenly and without a burst."""
        return at + self._tolerance

    @property
    def _tolerance(self) -> timedelta:
        return (self.burst - 1) * self.spacing
