"""The exchange's own time of day.

Belongs here: a clock that starts anywhere and runs on with the machine's, so that a closed market can be opened at
will. Does not belong here: Yahoo's delay (`server.py`).
"""

from datetime import UTC, datetime, timedelta

from bist_pipeline.core.clock import Clock
from bist_pipeline.simulator.errors import SimulatorError


class ExchangeClock:
    """A clock that was set once and runs on, or stands still. Safe to set while other threads read it.

    Args:
        base: What drives it, usually the machine's clock.
        at: The moment it shows first, aware; that of `base` if left out.
        running: Whether it runs on with `base`; otherwise it shows `at` until it is set again.
    """

    def __init__(self, base: Clock, at: datetime | None = None, *, running: bool = True) -> None:
        self._base = base
        self._running = running
        # One tuple, replaced as a whole: a reader never sees half of a change.
        self._set = (base.now(), _utc(at) if at is not None else base.now())

    def now(self) -> datetime:
        """Return the exchange's time in UTC."""
        since, shown = self._set
        return shown + (self._base.now() - since if self._running else timedelta(0))

    def set(self, at: datetime) -> None:
        """Show `at` now.

        Raises:
            SimulatorError: `at` has no time zone.
        """
        self._set = (self._base.now(), _utc(at))


def _utc(at: datetime) -> datetime:
    if at.utcoffset() is None:
        raise SimulatorError(f"the time {at} has no time zone; write it as 2026-08-07T10:30+03:00")
    return at.astimezone(UTC)
