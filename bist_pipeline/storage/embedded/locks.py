"""File locks that die with their holder.

Belongs here: `flock` with a deadline. Does not belong here: what a lock means (`__init__.py` of this package says).
Each call opens the file anew, so two holders in one process are two holders.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bist_pipeline.core.errors import EmbeddedServerError
from bist_pipeline.storage.embedded.account import Account
from bist_pipeline.storage.embedded.waiting import wait_until


def open_owned(path: Path, flags: int, account: Account) -> int:
    """Open a file of the server's directory, making it the account's own (0600) if it is missing.

    Never follows a link: the directory is the account's, and root must not be led elsewhere.

    Returns:
        A descriptor that child processes do not inherit.
    """
    descriptor = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    if account.is_lent:
        os.fchown(descriptor, account.uid, account.gid)
    return descriptor


def try_lock(descriptor: int, kind: int) -> bool:
    """Take `fcntl.LOCK_EX` or `LOCK_SH` if it can be had now."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def held(path: Path, kind: int, account: Account, *, seconds: float) -> Iterator[int]:
    """Hold a lock while the block runs.

    Args:
        path: The lock's file.
        kind: `fcntl.LOCK_EX` or `fcntl.LOCK_SH`.
        account: Whom the file belongs to.
        seconds: How long to wait for others to let go.

    Yields:
        The descriptor that holds it.

    Raises:
        EmbeddedServerError: Others did not let go in time.
    """
    descriptor = open_owned(path, os.O_RDWR, account)
    try:
        if not wait_until(lambda: try_lock(descriptor, kind), seconds):
            raise EmbeddedServerError(f"another process has held {path} for {seconds:.0f} s: end it and try again")
        yield descriptor
    finally:
        os.close(descriptor)
