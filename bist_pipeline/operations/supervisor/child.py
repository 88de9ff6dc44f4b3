"""What a supervised process is.

Belongs here: the specification of a child and of how often it may die. Does not belong here: which children there are
(the command line knows) or running them (`life.py`).
"""

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Child:
    """One process to keep running.

    Attributes:
        name: How events and errors call it; unique in a supervisor.
        argv: Program and arguments.
        log: File its output is appended to.
        environment: Variables added to those it inherits.
        cwd: Working directory, or None for the supervisor's.
        ready: Says whether it can be used; asked until it agrees. None: ready once it is started.
        ready_timeout_seconds: How long it may take to become ready, at the first start and after each restart.
        stop_signal: What asks its process group to end.
        stop_timeout_seconds: How long the group may take to follow before it is killed.
    """

    name: str
    argv: tuple[str, ...]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    ready: Callable[[], bool] | None = None
    ready_timeout_seconds: float = 60.0
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout_seconds: float = 15.0


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """When a dead child is started again.

    Attributes:
        first_delay_seconds: Pause after the first death of a window; doubles with each further one.
        longest_delay_seconds: The most it grows to.
        deaths: With this many deaths inside the window the supervisor gives up.
        window_seconds: How far back deaths count.
    """

    first_delay_seconds: float = 0.5
    longest_delay_seconds: float = 10.0
    deaths: int = 5
    window_seconds: float = 120.0

    def recent(self, deaths_at: Sequence[float], now: float) -> list[float]:
        """Return the deaths that still count at `now`, on the same clock as they were taken."""
        return [at for at in deaths_at if now - at < self.window_seconds]

    def delay_seconds(self, recent_deaths: int) -> float:
        """Return the pause after the given number of recent deaths, which is at least one."""
        # The exponent is capped: a policy that allows thousands of deaths must not overflow a float.
        return min(self.first_delay_seconds * 2.0 ** min(recent_deaths - 1, 64), self.longest_delay_seconds)
