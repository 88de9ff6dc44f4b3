"""Starting one process so that it can be ended again.

Belongs here: the state a child begins with (session, signals, mark, output). Does not belong here: when it is started
or restarted (`life.py`, `supervisor.py`).
"""

import ctypes
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bist_pipeline.operations.errors import SupervisionError
from bist_pipeline.operations.processes import MARK, mark_value
from bist_pipeline.operations.supervisor.child import Child
from bist_pipeline.settings import inherited_environment

LOG_LIMIT_BYTES = 10_000_000

_TAIL_BYTES = 8192
_LINE_LENGTH = 300
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>


def spawn(child: Child, home: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start `child` in a session of its own, marked as belonging to `home`.

    Call it in the main thread: on Linux the child is sent SIGTERM when the thread that started it ends.

    Returns:
        The process, and where its part of the log begins.

    Raises:
        SupervisionError: The program, the working directory or the log cannot be used.
    """
    environment = {**inherited_environment(), **child.environment, MARK: mark_value(home)}
    try:
        rotate(child.log)
        with child.log.open("ab") as log:
            begin = log.tell()
            process = subprocess.Popen(
                child.argv,
                cwd=child.cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_preparation(os.getpid()),  # noqa: PLW1509 - no other way to prctl; takes no lock
            )
    except (OSError, subprocess.SubprocessError) as error:
        raise SupervisionError(f"{child.name} cannot be started: {error}") from error
    return process, begin


def rotate(log: Path) -> None:
    """Make the log's folder, and move a log over `LOG_LIMIT_BYTES` aside, replacing the one moved before."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))


def last_lines(log: Path, since: int, count: int) -> list[str]:
    """Return the last `count` lines with text written to `log` after the position `since`, shortened, uncoloured."""
    try:
        with log.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(since if since <= end else 0, end - _TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return []  # a reason is looked for after a failure; the failure itself is what is reported
    plain = _COLOURS.sub("", text)
    return [line.strip()[:_LINE_LENGTH] for line in plain.splitlines() if line.strip()][-count:]


def _preparation(supervisor: int) -> Callable[[], None]:
    # Loaded before the fork: between fork and exec a child should do as little as possible.
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def prepare() -> None:
        # An ignored signal stays ignored through exec. Dagster copies its SIGINT handler to SIGTERM: a code server that
        # starts with SIGINT ignored can only be ended with kill -9.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if libc is not None:
            libc.prctl(_SET_PARENT_DEATH_SIGNAL, int(signal.SIGTERM))
            if os.getppid() != supervisor:  # it died before the request took effect
                os._exit(1)

    return prepare
