"""Giving memory back to the system.

Belongs here: what has to be asked of the C library. Does not belong here: who needs memory, or when.

glibc keeps what was freed for each thread that asked for it. A process that derives history in short-lived threads
would hold gigabytes of it after an hour, used by nobody.
"""

import ctypes
from functools import cache
from typing import Any


def release() -> bool:
    """Return freed memory to the system where glibc can; say whether any was."""
    trim = _trim()
    return trim is not None and trim(0) == 1


@cache
def _trim() -> Any:
    """`malloc_trim`, or None on a system whose C library has none."""
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # musl and macOS; no library at all; Windows
        return None
