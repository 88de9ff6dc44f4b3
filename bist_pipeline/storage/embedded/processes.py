"""The server's processes, told apart from all others.

Belongs here: reading `postmaster.pid`, checking that its pid is what it says, finding and ending what is left over. A
pid alone proves nothing: it may be dead, a zombie, or another program's by now. A process of this server is called
`postgres` and its working directory is the data directory. Root in a container may not see that of another account
(it lacks CAP_SYS_PTRACE); there the command line has to do, which holds the home's own `cluster_name`.
"""

import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

from bist_pipeline.core.errors import EmbeddedServerError
from bist_pipeline.storage.embedded.layout import SOCKET_NAME, Layout
from bist_pipeline.storage.embedded.waiting import wait_until

_PROGRAM = "postgres"
_PID_FILE = "postmaster.pid"
# Lines of postmaster.pid (PostgreSQL's miscinit.h), counted from 0.
_PID_LINE, _START_LINE, _SOCKET_LINE, _STATUS_LINE = 0, 2, 4, 7
_KILL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A running server's main process.

    Attributes:
        process: Holds pid and start time, so a reused pid is another process.
        identity: What no other server has: pid and start time as the server wrote them.
        socket_directory: Where it listens; None while it is not known yet.
        status: `starting`, `ready`, `stopping`, or empty while it is not known yet.
    """

    process: psutil.Process
    identity: str
    socket_directory: Path | None
    status: str

    @classmethod
    def find(cls, layout: Layout) -> Self | None:
        """Return the main process of the home's server, or None where none runs."""
        try:
            lines = (layout.data / _PID_FILE).read_text(errors="surrogateescape").splitlines()
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return None
        if not lines or not lines[_PID_LINE].strip().isdigit():
            return None
        process = _process_of(int(lines[_PID_LINE]), layout)
        if process is None:
            return None
        where = _line(lines, _SOCKET_LINE)
        identity = f"{process.pid} {_line(lines, _START_LINE)}"
        return cls(process, identity, Path(where) if where else None, _line(lines, _STATUS_LINE))


def end_process(process: psutil.Process, seconds: float) -> None:
    """End a main process: fast shutdown, then at once, then by force; each only where the one before did not do."""
    for number, patience in (
        (signal.SIGINT, seconds),
        (signal.SIGQUIT, _KILL_SECONDS),
        (signal.SIGKILL, _KILL_SECONDS),
    ):
        _send(process, number)
        if wait_until(lambda: not is_alive(process), patience):
            return


def is_alive(process: psutil.Process) -> bool:
    """Return whether it runs; a zombie does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def process_or_none(pid: int) -> psutil.Process | None:
    """Return the process, or None where the pid is free."""
    try:
        return psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None


def leftovers(layout: Layout) -> list[psutil.Process]:
    """Return every live process of the home's server."""
    return [process for process in psutil.process_iter() if _serves(process, layout)]


def end_leftovers(layout: Layout, patience: float) -> None:
    """Wait until no process of the home's server is left, and kill those that do not go.

    Without their postmaster they end by themselves within moments, unless they are deep in a query.

    Raises:
        EmbeddedServerError: One cannot be killed.
    """
    if wait_until(lambda: not leftovers(layout), patience):
        return
    for process in leftovers(layout):
        _send(process, signal.SIGKILL)
    if not wait_until(lambda: not leftovers(layout), _KILL_SECONDS):
        pids = ", ".join(str(process.pid) for process in leftovers(layout))
        raise EmbeddedServerError(f"PostgreSQL processes of {layout.data} do not end: {pids}")


def remove_lock_files(layout: Layout, socket_directory: Path) -> None:
    """Remove what a server that is gone left behind; PostgreSQL trusts a pid in it even when it was reused."""
    for path in (
        layout.data / _PID_FILE,
        socket_directory / SOCKET_NAME,
        socket_directory / f"{SOCKET_NAME}.lock",
    ):
        path.unlink(missing_ok=True)


def _line(lines: list[str], number: int) -> str:
    return lines[number].strip() if len(lines) > number else ""


def _process_of(pid: int, layout: Layout) -> psutil.Process | None:
    process = process_or_none(pid) if pid > 0 else None
    return process if process is not None and _serves(process, layout) else None


def _serves(process: psutil.Process, layout: Layout) -> bool:
    try:
        if process.name() != _PROGRAM or process.status() == psutil.STATUS_ZOMBIE:
            return False
        return _is_placed_in(process, layout)
    except psutil.NoSuchProcess:
        return False


def _is_placed_in(process: psutil.Process, layout: Layout) -> bool:
    try:
        return _is_same(process.cwd(), layout.data)
    except psutil.AccessDenied:
        return any(layout.cluster_name in part for part in process.cmdline())


def _is_same(where: str, data: Path) -> bool:
    if where == str(data):  # also when the directory itself has been deleted under the server
        return True
    try:
        return Path(where).samefile(data)
    except OSError:
        return False


def _send(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
