"""The server's settings, each with its reason.

Belongs here: what is passed to `postgres` at every start. Does not belong here: what a database or a role overrides
(`ALTER DATABASE dagster SET synchronous_commit = off`).
"""

from dataclasses import dataclass
from pathlib import Path

from bist_pipeline.storage.embedded.layout import Layout


@dataclass(frozen=True, slots=True)
class ServerSetting:
    """One setting.

    Attributes:
        name: PostgreSQL's name.
        value: As in `postgresql.conf`.
        reason: Why not the default.
    """

    name: str
    value: str
    reason: str


SETTINGS = (
    ServerSetting("listen_addresses", "", "no TCP: only the socket, whose directory is private"),
    ServerSetting("unix_socket_permissions", "0700", "a second fence behind the directory's mode"),
    ServerSetting("shared_buffers", "256MB", "holds the hot tables of 534 k bars; small enough for a laptop"),
    ServerSetting("max_wal_size", "2GB", "a first load writes about 1 GB: no checkpoint in the middle of it"),
    ServerSetting("wal_compression", "pglz", "the only method compiled into the wheel; halves the full-page images"),
    ServerSetting("jit", "off", "the wheel carries no LLVM, and planning for it only costs"),
    ServerSetting("max_connections", "100", "webserver, daemon, code server and run workers hold pools"),
    ServerSetting("log_checkpoints", "off", "two lines every five minutes in a log that is rotated only at a start"),
    ServerSetting("timezone", "UTC", "answers must not depend on the machine's zone"),
    ServerSetting("log_timezone", "UTC", "as above"),
)


def server_arguments(layout: Layout, socket_directory: Path) -> tuple[str, ...]:
    """Return the arguments of `postgres` for a home and a socket directory."""
    placed = (f"unix_socket_directories={socket_directory}", f"cluster_name={layout.cluster_name}")
    settings = (*(f"{setting.name}={setting.value}" for setting in SETTINGS), *placed)
    return ("-D", str(layout.data), *(part for setting in settings for part in ("-c", setting)))
