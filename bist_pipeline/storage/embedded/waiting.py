"""Waiting for a condition, with a deadline.

Belongs here: the one loop that sleeps. Does not belong here: what is waited for.
"""

import time
from collections.abc import Callable

_INTERVAL_SECONDS = 0.02


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Ask `condition` until it holds or `seconds` have passed; at least once.

    Returns:
        Whether it held.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_INTERVAL_SECONDS)
    return True
