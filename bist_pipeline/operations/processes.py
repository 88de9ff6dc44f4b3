"""Finding and ending processes that belong to a home.

Belongs here: the mark that every supervised process carries, the search for it, and ending what was found with a
deadline. Does not belong here: which processes are started (`supervisor/`) and when a search is made.

A process belongs to a home when its environment carries `MARK` with that home. The mark is inherited, so it also finds
run workers that Dagster starts in sessions of their own, which no process group and no parent's death would end.
"""

import os
import signal
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from bist_pipeline.operations.errors import SupervisionError

MARK = "BIST_SUPERVISED_HOME"

_POLL_SECONDS = 0.02
_KILL_SECONDS = 5.0  # SIGKILL is certain; the wait is for a process inside a disk write
_SWEEPS = 5  # a process may start another between the search and its end
_COMMAND_LENGTH = 160
_TRACKER = "from multiprocessing.resource_tracker import main"


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that was ended.

    Attributes:
        pid: Its number.
        command: Its command line, shortened.
        killed: True where it had to be killed, False where it followed the request.
    """

    pid: int
    command: str
    killed: bool


def never() -> bool:
    """Say no: the default for callers who are in no hurry."""
    return False


def wait_until(condition: Callable[[], bool], timeout_seconds: float) -> bool:
    """Poll `condition` until it holds or the time is over; return whether it held."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def mark_value(home: Path) -> str:
    """Return what `MARK` holds for `home`: one text for all names of one folder."""
    return str(home.resolve())


def is_alive(process: psutil.Process) -> bool:
    """Say whether the very process (not another under its number) still runs; a zombie does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def command_line(process: psutil.Process) -> str:
    """Return the process's command line, shortened for a message."""
    try:
        return " ".join(process.cmdline())[:_COMMAND_LENGTH] or process.name()
    except psutil.Error:
        return "a process that has just ended"


def resource_trackers(home: Path) -> list[int]:
    """Return the numbers of the home's multiprocessing resource trackers.

    A tracker ignores SIGTERM and ends when the process it serves ends. As long as that one is meant to run, waiting for
    the tracker is in vain, and killing it leaves named semaphores behind.
    """
    return [process.pid for process in processes_of(home) if _TRACKER in command_line(process)]


def group_members(group: int) -> list[psutil.Process]:
    """Return the living processes of a process group."""
    members = []
    for pid in psutil.pids():
        with suppress(ProcessLookupError, PermissionError, psutil.Error):
            if os.getpgid(pid) == group:
                members.append(psutil.Process(pid))
    return [member for member in members if is_alive(member)]


def processes_of(home: Path, also: Iterable[psutil.Process] = (), spare: Collection[int] = ()) -> list[psutil.Process]:
    """Return the living processes of this user that belong to `home`, with their descendants.

    Args:
        home: The home.
        also: Processes known to belong to it, marked or not.
        spare: Numbers of processes to leave out. The caller and its ancestors always are.
    """
    mark, user = mark_value(home), os.getuid()
    own_line = {os.getpid(), *(ancestor.pid for ancestor in psutil.Process().parents())}
    found = {process.pid: process for process in also}
    found.update({p.pid: p for p in psutil.process_iter() if _user(p) == user and _mark(p) == mark})
    for process in [process for pid, process in found.items() if pid not in own_line]:
        with suppress(psutil.Error):
            # A descendant may have dropped its environment; one that carries another home's mark is that home's.
            found.update({p.pid: p for p in process.children(recursive=True) if _mark(p) in {None, mark}})
    left_out = own_line.union(spare)
    return [process for pid, process in found.items() if pid not in left_out and is_alive(process)]


def kill_group(group: int) -> tuple[Ended, ...]:
    """Kill what still lives in a process group and wait until it is gone.

    The caller has not reaped the group's leader yet: after that the number may belong to somebody else.

    Returns:
        What was killed.
    """
    members = group_members(group)
    if members:
        killed = tuple(Ended(member.pid, command_line(member), killed=True) for member in members)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
        wait_until(lambda: not group_members(group), _KILL_SECONDS)
        return killed
    return ()


def end_processes(
    processes: Iterable[psutil.Process], timeout_seconds: float, hurry: Callable[[], bool] = never
) -> tuple[Ended, ...]:
    """End processes with SIGTERM and, after the deadline, SIGKILL.

    Args:
        processes: What to end.
        timeout_seconds: How long they may take to follow the request.
        hurry: Asked all the while; once it says yes, the rest is killed.

    Returns:
        One record per process that was alive.

    Raises:
        SupervisionError: A process survived SIGKILL or may not be signalled.
    """
    commands = {process: command_line(process) for process in processes if is_alive(process)}
    _signal(commands, signal.SIGTERM)
    wait_until(lambda: hurry() or not any(map(is_alive, commands)), timeout_seconds)
    stubborn = [process for process in commands if is_alive(process)]
    _signal(stubborn, signal.SIGKILL)
    if not wait_until(lambda: not any(map(is_alive, stubborn)), _KILL_SECONDS):
        alive = ", ".join(f"{process.pid} ({commands[process]})" for process in stubborn if is_alive(process))
        raise SupervisionError(f"cannot end pid {alive}: end it by hand, then try again")
    return tuple(Ended(process.pid, command, process in stubborn) for process, command in commands.items())


def end_home(
    home: Path,
    timeout_seconds: float,
    *,
    also: Iterable[psutil.Process] = (),
    spare: Collection[int] = (),
    hurry: Callable[[], bool] = never,
) -> tuple[Ended, ...]:
    """End everything that belongs to `home`, and look again until nothing is found.

    Args:
        home: The home.
        timeout_seconds: How long each may take to end by itself.
        also: Processes known to belong to it, marked or not.
        spare: Numbers of processes to leave alone.
        hurry: See `end_processes`.

    Returns:
        What was ended.

    Raises:
        SupervisionError: Something could not be ended, or new processes kept appearing.
    """
    ended: tuple[Ended, ...] = ()
    known = tuple(also)
    for _ in range(_SWEEPS):
        found = processes_of(home, known, spare)
        if not found:
            return ended
        ended += end_processes(found, timeout_seconds, hurry)
    raise SupervisionError(f"processes of {home} keep appearing, last {', '.join(str(e.pid) for e in ended[-3:])}")


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        # Gone meanwhile is what is wanted; not permitted shows as still alive and is reported there.
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            process.send_signal(number)


def _user(process: psutil.Process) -> int | None:
    try:
        return process.uids().real
    except psutil.Error:
        return None


def _mark(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK)
    except (psutil.Error, OSError):
        return None
