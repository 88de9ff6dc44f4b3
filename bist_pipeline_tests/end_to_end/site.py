"""A whole installation in a temporary home: archive, `up` as a process, its UI's GraphQL.

Belongs here: starting, asking and ending it. What is expected stands in the tests.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from bist_pipeline.core.calendar import load_calendar
from bist_pipeline.core.clock import SystemClock
from bist_pipeline.operations.home_lock import running_instance
from bist_pipeline.operations.processes import processes_of
from bist_pipeline_tests.archives import simulated_bars, write_archive

CHECKOUT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-c", "from bist_pipeline.cli import main; main(prog_name='bist-pipeline')")
_POLL_SECONDS = 0.2


def wait_for(what: str, condition: Callable[[], Any], seconds: float, told: Callable[[], str] = str) -> Any:
    """Poll until the condition gives something true and return that; fail naming what was waited for."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s; {told()}"
        time.sleep(_POLL_SECONDS)
    return answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def recent_archive(folder: Path, symbols: int, sessions: int) -> tuple[Path, np.ndarray]:
    """Write SIMULATED files that end with the last session that is over; return them and their sessions."""
    now, calendar = SystemClock().now().date(), load_calendar()
    over = calendar.sessions(now - timedelta(days=3 * sessions), now - timedelta(days=1))[-sessions:]
    bars = simulated_bars(symbols, sessions, first=over[0].astype(object))
    return write_archive(folder, bars), over


@dataclass(slots=True)
class Up:
    """A running `bist-pipeline up`.

    Attributes:
        process: The supervisor.
        output: Where it writes.
        port: Of its UI.
    """

    process: "subprocess.Popen[bytes]"
    output: Path
    port: int

    @property
    def text(self) -> str:
        """What it has said so far."""
        return self.output.read_text()

    def says(self, words: str, seconds: float) -> None:
        """Wait until it has said something."""
        wait_for(
            f"up says {words!r}",
            lambda: words in self.text or self.process.poll() is not None,
            seconds,
            lambda: self.text[-2000:],
        )
        assert words in self.text, self.text[-2000:]

    def interrupt(self, seconds: float = 60) -> int:
        """Press Ctrl-C and return the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(seconds)

    def ask(self, query: str, **variables: Any) -> Any:
        """Ask the UI's GraphQL."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        address = f"http://127.0.0.1:{self.port}/graphql"
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            told = json.load(answer)
        assert "errors" not in told, told
        return told["data"]


@dataclass(frozen=True, slots=True)
class Site:
    """Where everything lies.

    Attributes:
        home: `BIST_HOME`.
        folder: An empty working directory.
        archive: The price files.
        sessions: The days they hold.
    """

    home: Path
    folder: Path
    archive: Path
    sessions: np.ndarray
    durations: dict[str, float] = field(default_factory=dict)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a person has in the shell, and the home."""
        return {**os.environ, "PYTHONPATH": str(CHECKOUT), "BIST_HOME": str(self.home), "PYTHONUNBUFFERED": "1"}

    def run(self, *arguments: str, seconds: float = 60) -> "subprocess.CompletedProcess[str]":
        """Run one short command."""
        return subprocess.run(
            [*PROGRAM, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )

    @contextmanager
    def up(self, *arguments: str) -> Iterator[Up]:
        """Have `up` running for the length of a block; it may end itself meanwhile."""
        port, output = free_port(), self.folder.parent / f"up-{time.monotonic_ns()}.txt"
        with output.open("wb") as out:
            process = subprocess.Popen(
                [*PROGRAM, "up", "--port", str(port), *arguments],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield Up(process, output, port)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()

    def processes(self) -> list[str]:
        """What runs and belongs to the home: marked ones, and the server by its working directory."""
        marked = [f"{one.pid} {' '.join(one.cmdline())[:80]}" for one in processes_of(self.home)]
        lock = self.home / "postgres" / "data" / "postmaster.pid"
        return marked + ([f"postgres {lock.read_text().split()[0]}"] if lock.exists() else [])

    def is_taken(self) -> bool:
        """Whether somebody holds the home."""
        return running_instance(self.home) is not None

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Remember how long a block took."""
        began = time.monotonic()
        yield
        self.durations[what] = time.monotonic() - began
