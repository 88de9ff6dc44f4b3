"""A PostgreSQL as somebody else would run it: TCP on loopback, password required.

Belongs here: the server that tests use as `BIST_DATABASE_URL`. It runs the same binaries as the embedded one, with
its own data directory in the temporary folder.
"""

import os
import secrets
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from bist_pipeline.storage.embedded.account import choose_account, own_directory
from bist_pipeline.storage.embedded.binaries import binaries_for
from bist_pipeline.storage.embedded.connections import answers
from bist_pipeline.storage.embedded.layout import Layout
from bist_pipeline.storage.embedded.locks import open_owned
from bist_pipeline.storage.embedded.processes import end_process, is_alive, process_or_none
from bist_pipeline.storage.embedded.spawning import command_for, run, spawn
from bist_pipeline.storage.embedded.waiting import wait_until

_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class ExternalServer:
    """Where the server listens.

    Attributes:
        url: Of its database `postgres`, as its superuser, with the password.
        password: As in the URL, unquoted.
        port: On 127.0.0.1.
    """

    url: str
    password: str
    port: int


@contextmanager
def external_server(*options: str) -> Iterator[ExternalServer]:
    """Run a server while the block runs; it dies with this process.

    Args:
        *options: Settings, such as `max_connections=20`.
    """
    folder = Path(tempfile.mkdtemp(prefix="bist-external-"))
    try:
        with _running(Layout.of(folder), options) as server:
            yield server
    finally:
        shutil.rmtree(folder)


@contextmanager
def _running(layout: Layout, options: tuple[str, ...]) -> Iterator[ExternalServer]:
    account = choose_account(layout)
    own_directory(layout.root, account)
    binaries = binaries_for(account, layout)
    password = secrets.token_urlsafe(12) + "@/:%"  # what a URL must quote
    secret = layout.root / "password"
    with os.fdopen(open_owned(secret, os.O_WRONLY, account), "w") as file:
        file.write(password)
    initialise = (f"--pgdata={layout.data}", "--username=postgres", "--auth=scram-sha-256", f"--pwfile={secret}")
    locale = ("--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
    run(binaries.initdb, (*initialise, *locale), account, cwd=layout.root, seconds=_SECONDS)
    port = _free_port()
    settings = ("listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories=", "fsync=off", *options)
    arguments = ("-D", str(layout.data), *(part for setting in settings for part in ("-c", setting)))
    log = open_owned(layout.log, os.O_WRONLY | os.O_APPEND, account)
    command = command_for(binaries.postgres, arguments, account, signal.SIGINT)
    pid = spawn(command, cwd=layout.root, log=log, keep_open=())
    os.close(log)
    process = process_or_none(pid)
    assert process is not None, layout.log.read_text()
    try:
        url = f"postgresql://postgres:{quote(password, safe='')}@127.0.0.1:{port}/postgres"
        assert wait_until(lambda: answers(url) or not is_alive(process), _SECONDS), "no answer"
        assert is_alive(process), layout.log.read_text()
        yield ExternalServer(url, password, port)
    finally:
        end_process(process, _SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
