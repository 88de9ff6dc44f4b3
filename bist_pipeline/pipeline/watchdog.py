"""Keeping the embedded PostgreSQL running under `up`.

Belongs here: the thread that looks for it every second and starts it again. It is no child of the supervisor's: it must
be there before the first of those and end after the last.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from bist_pipeline.core.errors import EmbeddedServerError
from bist_pipeline.storage.embedded.server import EmbeddedServer

_LOOK_SECONDS = 1.0

# A server that cannot be started five times in a row needs a person; the next `up` tells the reason.
_MOST_FAILURES = 5


@contextmanager
def kept_running(server: EmbeddedServer, tell: Callable[[str], None]) -> Iterator[None]:
    """Start the server again whenever it is gone, for the duration of a block.

    Args:
        server: A server that runs.
        tell: Told of every restart, and of giving up.
    """
    stop = Event()
    thread = Thread(target=_watch, args=(server, tell, stop), name="postgres-watchdog", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _watch(server: EmbeddedServer, tell: Callable[[str], None], stop: Event) -> None:
    failures = 0
    while failures < _MOST_FAILURES and not stop.wait(_LOOK_SECONDS):
        if server.is_running():
            failures = 0
            continue
        try:
            server.start(die_with_parent=True)
            tell(f"PostgreSQL was gone; started again as pid {server.pid}")
        except EmbeddedServerError as error:
            failures += 1
            tell(f"PostgreSQL was gone and cannot be started: {error}")
