"""Sharing one server between short-lived commands.

Belongs here: who starts it and who stops it. Does not belong here: how (`server.py`).

Everyone who uses the server holds a shared lock; who leaves tries to make it exclusive, and only the last one out can.
While that one stops the server, a newcomer waits for the lock, and then starts it anew: there is no moment in which
it attaches to a server that is about to stop. Who is killed leaves no lock, only perhaps a server: the next one
attaches to it and, being last, stops it.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bist_pipeline.storage.embedded.locks import try_lock
from bist_pipeline.storage.embedded.server import EmbeddedServer


@contextmanager
def use_server(home: Path, *, die_with_parent: bool = False, keep_running: bool = False) -> Iterator[EmbeddedServer]:
    """Have the home's server running while the block runs.

    Args:
        home: The home folder.
        die_with_parent: For a supervisor, whose end must be the server's end however it comes. It should also call
            `stop` in the block, after its other children have ended: a short command does not outlive it anyway.
        keep_running: Leave the server running afterwards, and let no later short command stop it; `stop` does.

    Raises:
        EmbeddedServerError: The server cannot be started.
    """
    server = EmbeddedServer(home)
    with server.users_lock() as users:
        server.start(die_with_parent=die_with_parent)
        if keep_running:
            server.keep()
        try:
            yield server
        finally:
            # A failed attempt drops our shared lock, which is what leaving means.
            if try_lock(users, fcntl.LOCK_EX) and not server.is_kept:
                server.stop()
