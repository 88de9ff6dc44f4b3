"""What a supervisor reports while it runs.

Belongs here: one record per kind of event, and its sentence for a person. Does not belong here: showing or logging
them (the caller's `on_event` does).
"""

import signal
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Started:
    """A child was started for the first time."""

    name: str
    pid: int

    def __str__(self) -> str:
        return f"{self.name}: started as pid {self.pid}"


@dataclass(frozen=True, slots=True)
class Ready:
    """A child can be used, `seconds` after its start or restart."""

    name: str
    pid: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.name}: ready after {self.seconds:.1f} s"


@dataclass(frozen=True, slots=True)
class Died:
    """A child ended by itself or was ended because it did not become ready.

    Attributes:
        name: The child.
        pid: The process that ended.
        code: Its exit code; negative is the number of the signal that ended it.
        reason: The last line of its log, or what the supervisor held against it.
        restart_in_seconds: The pause before it is started again; None where the supervisor gives up.
    """

    name: str
    pid: int
    code: int
    reason: str
    restart_in_seconds: float | None

    def __str__(self) -> str:
        after = "" if self.restart_in_seconds is None else f"; starting it again in {self.restart_in_seconds:.1f} s"
        return f"{self.name}: {describe_exit(self.code)} ({self.reason or 'it logged nothing'}){after}"


@dataclass(frozen=True, slots=True)
class Restarted:
    """A dead child was started again, for the `attempt`-th time."""

    name: str
    pid: int
    attempt: int

    def __str__(self) -> str:
        return f"{self.name}: started again as pid {self.pid} (restart {self.attempt})"


@dataclass(frozen=True, slots=True)
class GaveUp:
    """A child died too often: `deaths` times within `window_seconds`."""

    name: str
    deaths: int
    window_seconds: float

    def __str__(self) -> str:
        return f"{self.name}: died {self.deaths} times within {self.window_seconds:.0f} s, giving up"


@dataclass(frozen=True, slots=True)
class Stopped:
    """A child was stopped on request; `killed` where it, or a process of its group, did not follow the request."""

    name: str
    pid: int
    code: int
    killed: bool

    def __str__(self) -> str:
        return f"{self.name}: stopped{', had to be killed' if self.killed else ''}"


Event = Started | Ready | Died | Restarted | GaveUp | Stopped


def describe_exit(code: int) -> str:
    """Put an exit code into words."""
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:  # a real-time signal has no name
        return f"was ended by signal {-code}"
