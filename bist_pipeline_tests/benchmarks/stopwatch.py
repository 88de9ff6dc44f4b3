"""Wall time, processor time of both sides, and memory.

Belongs here: reading clocks and counters. Does not belong here: what is measured.
"""

import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import psutil

_MEGABYTE = 1 << 20
_SAMPLE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Taken:
    """What one job took: wall seconds, and processor seconds of this process and of the server."""

    wall: float
    cpu: tuple[float, float]
    answer: Any = None

    def __add__(self, other: "Taken") -> "Taken":
        cpu = (self.cpu[0] + other.cpu[0], self.cpu[1] + other.cpu[1])
        return Taken(self.wall + other.wall, cpu)


@dataclass(slots=True)
class Stopwatch:
    """Measures jobs that use one database server.

    Attributes:
        server_pid: The server's first process.
        peak_own: Most memory that this process held during a measured job, bytes.
        peak_server: Most private memory that the server's processes held together, bytes.
    """

    server_pid: int
    peak_own: int = 0
    peak_server: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)

    def take(self, job: str, work: Callable[[], Any], *, is_baseline: bool = False) -> Taken:
        """Do the work once, with the memory watched unless it is a baseline; tell stderr."""
        own, server, wall = time.process_time(), self._server_cpu(), time.perf_counter()
        with nullcontext() if is_baseline else self._watched():
            answer = work()
        wall = time.perf_counter() - wall
        taken = Taken(wall, (time.process_time() - own, self._server_cpu() - server), answer)
        tell(f"{job}: {wall:.2f} s (processor {taken.cpu[0]:.2f} + {taken.cpu[1]:.2f})")
        return taken

    def median_ms(self, job: str, work: Callable[[], Any], times: int) -> float:
        """Return the median wall time of many runs after a few warm ones, in milliseconds."""
        walls = []
        for _ in range(times + 5):
            started = time.perf_counter()
            work()
            walls.append(time.perf_counter() - started)
        median = statistics.median(walls[5:]) * 1e3
        tell(f"{job}: median {median:.1f} ms")
        return median

    @contextmanager
    def _watched(self) -> Iterator[None]:
        self._ended.clear()
        watcher = threading.Thread(target=self._watch, name="memory", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            self._ended.set()
            watcher.join()

    def _watch(self) -> None:
        own = psutil.Process()
        while True:
            self.peak_own = max(self.peak_own, own.memory_info().rss)
            self.peak_server = max(self.peak_server, sum(_private(process) for process in self._server()))
            if self._ended.wait(_SAMPLE_SECONDS):
                return

    def _server(self) -> list[psutil.Process]:
        first = psutil.Process(self.server_pid)
        return [first, *first.children(recursive=True)]

    def _server_cpu(self) -> float:
        """Processor seconds of the server: of what lives, and of what has ended and was counted to its parent."""
        total = 0.0
        for process in self._server():
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system
            if process.pid == self.server_pid:
                total += getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
        return total


def _private(process: psutil.Process) -> int:
    """Memory that only this process holds: the shared buffers would be counted once per process."""
    try:
        known = process.memory_info()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0
    return known.rss - getattr(known, "shared", 0)


def megabytes(count: int) -> float:
    """Bytes as megabytes."""
    return count / _MEGABYTE


def tell(text: str) -> None:
    """Progress, to stderr."""
    sys.stderr.write(f"{text}\n")
