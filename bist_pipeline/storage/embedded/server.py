"""The embedded server: start, stop, address.

Belongs here: the order of steps, under the locks that `__init__.py` of this package describes. Does not belong here:
the steps themselves, each in a module of its own.

A start: 1. choose the account and give it its directory (`account`). 2. Take the start lock (`locks`). 3. A server
that runs is attached to (`processes`). 4. Else wait until nothing is left of the last one, kill what stays, take the
server lock, remove stale lock files. 5. Find the programs (`binaries`), make the data directory (`cluster`). 6. Start
`postgres`, which inherits the server lock (`spawning`). 7. Wait until it answers; say why, if it does not
(`diagnosis`).
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from signal import SIGINT

import psutil

from bist_pipeline.core.errors import EmbeddedServerError
from bist_pipeline.storage.embedded.account import Account, choose_account, own_directory, remove_own_directory
from bist_pipeline.storage.embedded.binaries import binaries_for
from bist_pipeline.storage.embedded.cluster import ensure_cluster
from bist_pipeline.storage.embedded.configuration import server_arguments
from bist_pipeline.storage.embedded.connections import (
    MAINTENANCE_DATABASE,
    answers,
    create_database_if_missing,
    socket_url,
)
from bist_pipeline.storage.embedded.diagnosis import one_line, read_from
from bist_pipeline.storage.embedded.layout import SOCKET_NAME, Layout
from bist_pipeline.storage.embedded.locks import held, open_owned
from bist_pipeline.storage.embedded.processes import (
    Postmaster,
    end_leftovers,
    end_process,
    is_alive,
    process_or_none,
    remove_lock_files,
)
from bist_pipeline.storage.embedded.spawning import command_for, spawn
from bist_pipeline.storage.embedded.waiting import wait_until

# Without an answer and without a new line in the log. A recovery takes longer, and logs its progress every 10 s.
_QUIET_SECONDS = 60.0
_MOST_ROUNDS = 60  # of quiet seconds: an hour is a hopeless recovery
# Others may be in a first start, a recovery or a shutdown.
_LOCK_SECONDS = 300.0
_LEFTOVER_SECONDS = 5.0
_STOP_SECONDS = 30.0
_LOG_BYTES = 10_000_000  # more than this is put aside at a start


class EmbeddedServer:
    """The PostgreSQL server of one home. Making the object touches nothing.

    Every method is safe to call from several processes at once, on the same home. All but `pid`, `is_running` and
    `url` raise `EmbeddedServerError`, in one line, when the machine does not let them do their work.

    Args:
        home: The home folder; need not exist.
    """

    def __init__(self, home: Path) -> None:
        self._layout = Layout.of(home)

    def start(self, *, die_with_parent: bool) -> None:
        """Start the server, or attach to the one that runs; return when it takes connections.

        Args:
            die_with_parent: Shut it down when this process ends, however it ends (Linux; elsewhere, and where a
                server that runs already is attached to, it stays).
        """
        with self._prepared() as account, self._start_lock(account):
            if not self._attach():
                self._launch(account, die_with_parent=die_with_parent)

    def stop(self, timeout: float = _STOP_SECONDS) -> None:
        """Stop the server, whoever started it and whoever uses it; do nothing if none runs.

        Afterwards no process of it is left, and it is no longer marked to be kept.

        Args:
            timeout: Seconds for an orderly shutdown, before it is forced.
        """
        if not self._layout.root.is_dir():
            return
        with self._prepared() as account, self._start_lock(account):
            running = self._running()
            if running is not None:
                end_process(running.process, timeout)
            end_leftovers(self._layout, _LEFTOVER_SECONDS)
            # Most of all from the temporary folder, where nothing should be left lying.
            remove_own_directory(self._layout.socket_directory(account.uid), account)
            self._layout.keep_mark.unlink(missing_ok=True)

    def is_running(self) -> bool:
        """Return whether the server runs; it may still be starting, or stopping already."""
        return self._running() is not None

    @property
    def pid(self) -> int | None:
        """Its main process, or None where it does not run."""
        running = self._running()
        return None if running is None else running.process.pid

    @property
    def log(self) -> Path:
        """Its log."""
        return self._layout.log

    def url(self, database: str) -> str:
        """Return a database's libpq URI, over the socket; for SQLAlchemy name the driver (`+psycopg2`)."""
        running = self._running()
        if running is not None and running.socket_directory and (running.socket_directory / SOCKET_NAME).exists():
            return socket_url(running.socket_directory, database)
        return socket_url(self._layout.socket_directory(choose_account(self._layout).uid), database)

    def ensure_database(self, name: str) -> None:
        """Create a database (UTF-8) if it is missing. The server must run."""
        create_database_if_missing(self.url(MAINTENANCE_DATABASE), name)

    def keep(self) -> None:
        """Mark the server that runs now as one that outlives its users, until `stop`."""
        running = self._running()
        if running is None:
            raise EmbeddedServerError(f"no PostgreSQL runs in {self._layout.root}: start it before keeping it")
        with self._prepared() as account:
            descriptor = open_owned(self._layout.keep_mark, os.O_WRONLY | os.O_TRUNC, account)
            with os.fdopen(descriptor, "w") as mark:
                mark.write(running.identity)

    @property
    def is_kept(self) -> bool:
        """Whether the server that runs now is marked; a mark left by an earlier one does not count."""
        running, mark = self._running(), self._layout.keep_mark
        return running is not None and mark.exists() and mark.read_text() == running.identity

    @contextmanager
    def users_lock(self) -> Iterator[int]:
        """Hold the shared lock of those who use the server; yields the descriptor that holds it."""
        with ExitStack() as stack:
            with self._prepared() as account:  # its translation of errors must not reach the user's block
                lock = held(self._layout.users_lock, fcntl.LOCK_SH, account, seconds=_LOCK_SECONDS)
                descriptor = stack.enter_context(lock)
            yield descriptor

    def _running(self) -> Postmaster | None:
        return Postmaster.find(self._layout)

    @contextmanager
    def _prepared(self) -> Iterator[Account]:
        """Choose the account, give it its directory; turn what the operating system refuses into one line."""
        try:
            account = choose_account(self._layout)
            own_directory(self._layout.root, account)
            yield account
        except OSError as error:
            raise EmbeddedServerError(f"the embedded PostgreSQL in {self._layout.root}: {error}") from error

    def _start_lock(self, account: Account) -> AbstractContextManager[int]:
        return held(self._layout.start_lock, fcntl.LOCK_EX, account, seconds=_LOCK_SECONDS)

    def _answers(self) -> bool:
        running = self._running()
        return running is not None and running.status == "ready" and answers(self.url(MAINTENANCE_DATABASE))

    def _attach(self) -> bool:
        """Wait for a server that runs to answer. False: there is none, or it ended, or nobody can reach it."""
        running = self._running()
        if running is None:
            return False
        if running.status == "ready" and not (running.socket_directory or Path()).joinpath(SOCKET_NAME).exists():
            end_process(running.process, _STOP_SECONDS)  # the socket was cleared away, or the home was moved
            return False
        self._wait(running.process, self._layout.log.stat().st_size if self._layout.log.exists() else 0)
        return is_alive(running.process)

    def _launch(self, account: Account, *, die_with_parent: bool) -> None:
        layout = self._layout
        sockets = layout.socket_directory(account.uid)
        own_directory(sockets, account)
        end_leftovers(layout, _LEFTOVER_SECONDS)
        with held(layout.server_lock, fcntl.LOCK_EX, account, seconds=_LEFTOVER_SECONDS) as server_lock:
            remove_lock_files(layout, sockets)
            binaries = binaries_for(account, layout)
            ensure_cluster(layout, account, binaries)
            arguments = server_arguments(layout, sockets)
            command = command_for(binaries.postgres, arguments, account, SIGINT if die_with_parent else 0)
            self._run(command, account, server_lock)

    def _run(self, command: list[str], account: Account, server_lock: int) -> None:
        log = self._layout.log
        if log.exists() and log.stat().st_size > _LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        descriptor = open_owned(log, os.O_WRONLY | os.O_APPEND, account)
        try:
            before = os.fstat(descriptor).st_size
            pid = spawn(command, cwd=self._layout.root, log=descriptor, keep_open=(server_lock,))
        finally:
            os.close(descriptor)
        process = process_or_none(pid)
        with ExitStack() as undo:
            if process is not None:
                undo.callback(end_process, process, _LEFTOVER_SECONDS)
                self._wait(process, before)
            if not self._answers():
                raise EmbeddedServerError(self._failure("did not start", before))
            undo.pop_all()

    def _wait(self, process: psutil.Process, logged: int) -> None:
        """Wait until the server answers or its process ends, as long as its log grows."""
        seen = logged
        for _ in range(_MOST_ROUNDS):
            if wait_until(lambda: self._answers() or not is_alive(process), _QUIET_SECONDS):
                return
            size = self._layout.log.stat().st_size
            if size == seen:
                break
            seen = size
        raise EmbeddedServerError(self._failure(f"does not answer (process {process.pid})", logged))

    def _failure(self, what: str, logged: int) -> str:
        told = one_line(read_from(self._layout.log, logged))
        return f"the embedded PostgreSQL in {self._layout.root} {what}: {told}; log: {self._layout.log}"
