"""One child over its starts, deaths and restarts.

Belongs here: the state of a single child and what can be done with it. Does not belong here: the order among children
and what a death leads to (`supervisor.py`).
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bist_pipeline.operations.processes import Ended, group_members, is_alive, kill_group, never, wait_until
from bist_pipeline.operations.supervisor.child import Child
from bist_pipeline.operations.supervisor.spawn import last_lines, spawn

_REAP_SECONDS = 5.0


@dataclass(slots=True)
class Life:
    """A child and, while it runs, its process.

    Attributes:
        child: What to run.
        home: The home it is marked with.
        process: The running process; None before the start and between a death and the restart.
        is_ready: Whether this process has been ready.
        was_ready: Whether any process of this child has been.
        restart_at: When it is to be started again, monotonic; None while it is not waiting for that.
        restarts: How often it has been started again.
        deaths_at: When it died, monotonic, of those deaths that still count.
    """

    child: Child
    home: Path
    process: subprocess.Popen[bytes] | None = None
    is_ready: bool = False
    was_ready: bool = False
    restart_at: float | None = None
    restarts: int = 0
    deaths_at: list[float] = field(default_factory=list)
    _seen: psutil.Process | None = None
    _started_at: float = 0.0
    _log_begin: int = 0

    def start(self) -> int:
        """Start the process and return its number; raises as `spawn` does."""
        self.process, self._log_begin = spawn(self.child, self.home)
        self._started_at, self.restart_at, self.is_ready = time.monotonic(), None, False
        with suppress(psutil.NoSuchProcess):  # where SIGCHLD is ignored a dead child leaves no zombie
            self._seen = psutil.Process(self.process.pid)
        return self.process.pid

    @property
    def created(self) -> float:
        """When the running process was created, seconds since 1970; 0 without one."""
        return self._seen.create_time() if self._seen is not None else 0.0

    @property
    def age_seconds(self) -> float:
        """Time since the last start."""
        return time.monotonic() - self._started_at

    def has_exited(self) -> bool:
        """Say whether the process has ended, without reaping it: its number stays its own until `end`."""
        return self._seen is None or not is_alive(self._seen)

    def check_ready(self) -> bool:
        """Ask the probe, unless it has agreed before; return whether the process has been ready."""
        if not self.is_ready:
            self.is_ready = self.child.ready is None or self.child.ready()
            self.was_ready = self.was_ready or self.is_ready
        return self.is_ready

    def end(self) -> tuple[int, tuple[Ended, ...]]:
        """Kill what is left of the process and its group, and reap it.

        Returns:
            The exit code, negative for a signal, and what had to be killed.
        """
        if self.process is None:
            return 0, ()
        killed = kill_group(self.process.pid)
        with suppress(subprocess.TimeoutExpired):  # what survives is reported by the last search for the home's mark
            self.process.wait(_REAP_SECONDS)
        code = self.process.returncode
        self.process = self._seen = self.restart_at = None
        return (-signal.SIGKILL if code is None else code), killed

    def stop(self, hurry: Callable[[], bool] = never) -> tuple[int, tuple[Ended, ...]]:
        """Ask the process group to end, wait, then `end` it; see there for what is returned.

        A process that died by itself needs it too. What it leaves in its group would hold its port, or answer with old
        code, beside the next one; and a run worker that is asked first reports its run as failed, while the run of one
        that is killed looks as if it went on.

        Args:
            hurry: Asked all the while; once it says yes, the group is killed.
        """
        if self.process is not None:
            group = self.process.pid
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, self.child.stop_signal)
            wait_until(lambda: hurry() or not group_members(group), self.child.stop_timeout_seconds)
        return self.end()

    def last_lines(self, count: int) -> list[str]:
        """Return the last lines that this start of the child has logged."""
        return last_lines(self.child.log, self._log_begin, count)
