"""One supervisor per home.

Belongs here: the lock that `up` holds and who holds it. Does not belong here: what is left of a supervisor that died
(`leftovers.py`). The lock is flock's: the kernel lets go of it when the holder dies, however it dies, so no lock is
ever stale; the file's text only says who holds it.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bist_pipeline.core.clock import Clock, SystemClock
from bist_pipeline.core.errors import HomeBusyError
from bist_pipeline.operations.errors import SupervisionError, UnsupportedPlatformError
from bist_pipeline.operations.processes import wait_until

LOCK_FILE = "up.lock"

# `status` holds the lock for an instant while it looks; a holder writes its name an instant after it locks.
_PATIENCE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Instance:
    """A running `up`.

    Attributes:
        pid: Its process.
        address: Where its UI is.
        started: When it took the home, aware.
    """

    pid: int
    address: str
    started: datetime


class HomeLock:
    """The exclusive right to run `up` on a home.

    Attributes:
        path: The lock file.
    """

    def __init__(self, home: Path, clock: Clock | None = None) -> None:
        self.path = home / LOCK_FILE
        self._clock = clock or SystemClock()
        self._handle: int | None = None

    def acquire(self, address: str) -> None:
        """Take the lock and write down who holds it.

        Args:
            address: Where the UI is going to be, for those who are refused.

        Raises:
            HomeBusyError: Another process holds it; names its pid, its address and since when.
            SupervisionError: The lock file cannot be written, or its file system cannot lock.
            UnsupportedPlatformError: Windows.
        """
        if sys.platform == "win32":
            raise UnsupportedPlatformError("bist-pipeline up runs on Linux and macOS; on Windows use it inside WSL 2")
        handle = _open(self.path)
        try:
            self._take(handle, address)
        except BaseException:
            os.close(handle)
            raise
        self._handle = handle

    def release(self) -> None:
        """Let go of the lock; without effect when it is not held."""
        if self._handle is not None:
            os.ftruncate(self._handle, 0)
            os.close(self._handle)  # the last handle on the open file: closing it unlocks
            self._handle = None

    @contextmanager
    def held(self, address: str) -> Iterator[None]:
        """Hold the lock for the duration of a block; raises as `acquire` does."""
        self.acquire(address)
        try:
            yield
        finally:
            self.release()

    def _take(self, handle: int, address: str) -> None:
        if not wait_until(lambda: _try_lock(handle, self.path), _PATIENCE_SECONDS):
            raise HomeBusyError(_busy(self.path, handle))
        text = {"pid": os.getpid(), "address": address, "started": self._clock.now().isoformat(timespec="seconds")}
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(text).encode(), 0)


def running_instance(home: Path) -> Instance | None:
    """Return the `up` that runs on `home`, or None.

    Raises:
        HomeBusyError: The home is held by a process that does not say who it is.
    """
    path = home / LOCK_FILE
    if sys.platform == "win32" or not path.exists():
        return None
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _try_lock(handle, path, shared=True):
            return None
        wait_until(lambda: _read(handle) is not None, _PATIENCE_SECONDS)
        instance = _read(handle)
    finally:
        os.close(handle)
    if instance is None:
        raise HomeBusyError(f"{path} is held by a process that does not say who it is: see `lsof {path}`")
    return instance


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise SupervisionError(f"{path} cannot be written ({error.strerror}): choose another BIST_HOME") from error


def _try_lock(handle: int, path: Path, *, shared: bool = False) -> bool:
    import fcntl  # does not exist on Windows, where this module must still import

    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise SupervisionError(f"{path} cannot be locked ({error.strerror}): put BIST_HOME on a local disk") from error
    return True


def _read(handle: int) -> Instance | None:
    try:
        text = json.loads(os.pread(handle, 4096, 0))
        return Instance(int(text["pid"]), str(text["address"]), datetime.fromisoformat(text["started"]))
    except (ValueError, KeyError, TypeError):
        return None


def _busy(path: Path, handle: int) -> str:
    holder = _read(handle)
    if holder is None:
        return f"{path.parent} is in use by another process: see `lsof {path}`"
    since = holder.started.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
    return (
        f"{path.parent} is in use by pid {holder.pid} at {holder.address} since {since}: "
        "stop it or choose another BIST_HOME"
    )
