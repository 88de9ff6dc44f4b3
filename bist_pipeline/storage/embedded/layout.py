"""Where the embedded server keeps its files.

Belongs here: paths below the home, and the choice of the socket's directory. Does not belong here: making them
(`account.py` knows for whom).
"""

import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bist_pipeline.core.errors import EmbeddedServerError

PORT = 5432  # never opened: it only names the socket file
SOCKET_NAME = f".s.PGSQL.{PORT}"
# The kernel takes 107 bytes (macOS 103); the rest is a reserve.
MAX_SOCKET_BYTES = 100
# PostgreSQL splits its list of directories at commas, libpq its list of hosts; spaces and quotes need quoting that
# not every client gets right.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._+-]+")


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one home's server.

    Attributes:
        home: The home folder, without symbolic links, so that two ways to one home meet in one server.
    """

    home: Path

    @classmethod
    def of(cls, home: Path) -> Self:
        """Resolve `home`, which need not exist yet."""
        return cls(home.expanduser().resolve())

    @property
    def root(self) -> Path:
        """Everything of the server lies below it."""
        return self.home / "postgres"

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.root / "data"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.root / "postgres.log"

    @property
    def start_lock(self) -> Path:
        """Held while somebody starts or stops the server."""
        return self.root / "start.lock"

    @property
    def server_lock(self) -> Path:
        """Held by the server's processes themselves."""
        return self.root / "server.lock"

    @property
    def users_lock(self) -> Path:
        """Held, shared, by everyone who uses the server."""
        return self.root / "users.lock"

    @property
    def keep_mark(self) -> Path:
        """Names the server that is to outlive its users."""
        return self.root / "keep_running"

    @property
    def cluster_name(self) -> str:
        """Name of the server in process listings, no other home's."""
        return f"bist-{hashlib.sha256(os.fsencode(self.home)).hexdigest()[:16]}"

    def socket_directory(self, uid: int) -> Path:
        """Return the directory of the socket of a server that runs as `uid`.

        It lies below the home, or in the temporary folder where the home's path is too long for a socket or not
        plain; there its name is made of the account and the home, so that neither two users nor two homes meet.

        Raises:
            EmbeddedServerError: No temporary folder has a short and plain path.
        """
        temporary = [Path(tempfile.gettempdir()).resolve(), Path("/tmp").resolve()]
        for candidate in (self.root / "run", *(folder / f"{self.cluster_name}-{uid}" for folder in temporary)):
            if _fits_a_socket(candidate):
                return candidate
        raise EmbeddedServerError(f"no short and plain path for the socket of {self.root}; set TMPDIR to one")


def _fits_a_socket(directory: Path) -> bool:
    plain = _PLAIN_PATH.fullmatch(str(directory)) is not None
    return plain and len(os.fsencode(directory / SOCKET_NAME)) <= MAX_SOCKET_BYTES
