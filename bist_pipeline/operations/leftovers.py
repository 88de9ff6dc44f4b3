"""What is left of a supervisor that was killed.

Belongs here: the record of a supervisor's children in the home, and ending at the next start those that outlived it.
Does not belong here: how processes are found and ended (`processes.py`).
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from bist_pipeline.core.errors import HomeBusyError
from bist_pipeline.operations.errors import SupervisionError
from bist_pipeline.operations.home_lock import running_instance
from bist_pipeline.operations.processes import Ended, end_home

RECORD_FILE = "children.json"

# Between two readings of one process's start the kernel's boot time may be rounded differently by a second.
_SAME_START_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class ChildRecord:
    """A child as written down at its start.

    Attributes:
        name: What the supervisor calls it.
        pid: Its process.
        created: When that process was created, seconds since 1970: tells it from a later one under the same number.
    """

    name: str
    pid: int
    created: float


def record_children(home: Path, children: Iterable[ChildRecord]) -> None:
    """Write down the running children; the file is replaced in one step.

    Raises:
        SupervisionError: The file cannot be written.
    """
    path = home / RECORD_FILE
    draft = path.with_suffix(".tmp")
    try:
        draft.write_text(json.dumps([asdict(child) for child in children]), encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise SupervisionError(f"{path} cannot be written ({error.strerror})") from error


def forget_children(home: Path) -> None:
    """Remove the record: nothing is running."""
    (home / RECORD_FILE).unlink(missing_ok=True)


def end_leftovers(home: Path, timeout_seconds: float = 10.0) -> tuple[Ended, ...]:
    """End the processes of an earlier supervisor of `home` that was killed.

    Call it with the home's lock held, before anything is started. Found are the recorded children and every process
    of this user that carries the home's mark, such as run workers; the caller and its ancestors are never touched.

    Args:
        home: The home.
        timeout_seconds: How long they may take to end before they are killed.

    Returns:
        What was ended.

    Raises:
        HomeBusyError: Another supervisor runs on the home, so these are no leftovers.
        SupervisionError: Something could not be ended.
    """
    instance = running_instance(home)
    if instance is not None and instance.pid != os.getpid():
        raise HomeBusyError(
            f"{home} is in use by pid {instance.pid} at {instance.address}: its processes are left alone"
        )
    ended = end_home(home, timeout_seconds, also=_recorded(home))
    forget_children(home)
    return ended


def _recorded(home: Path) -> list[psutil.Process]:
    same = []
    for entry in _entries(home):
        try:
            process = psutil.Process(int(entry["pid"]))
            if abs(process.create_time() - float(entry["created"])) < _SAME_START_SECONDS:
                same.append(process)
        except (psutil.Error, KeyError, TypeError, ValueError):
            continue  # ended long ago, or a damaged entry: the mark finds what still runs
    return same


def _entries(home: Path) -> list[Any]:
    try:
        entries = json.loads((home / RECORD_FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return []
    return entries if isinstance(entries, list) else []
