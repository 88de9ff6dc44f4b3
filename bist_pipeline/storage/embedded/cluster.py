"""The data directory: made once, checked at every start.

Belongs here: `initdb`. Does not belong here: starting the server on it. Every function here is for the holder of the
start lock.
"""

import os
import shutil
import tempfile
from pathlib import Path

from bist_pipeline.core.errors import EmbeddedServerError
from bist_pipeline.storage.embedded.account import Account
from bist_pipeline.storage.embedded.binaries import POSTGRES_MAJOR, Binaries
from bist_pipeline.storage.embedded.diagnosis import one_line
from bist_pipeline.storage.embedded.layout import Layout
from bist_pipeline.storage.embedded.spawning import run

_INITDB_SECONDS = 180.0  # half a second on a laptop; slow disks sync slowly
_STAGING = "data.new-"
_ARGUMENTS = (
    "--username=postgres",
    "--auth-local=trust",  # the socket's directory is private: who reaches it is the owner
    "--auth-host=reject",
    "--encoding=UTF8",
    # The same order of text on every machine, whatever its C library.
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--no-instructions",
)


def ensure_cluster(layout: Layout, account: Account, binaries: Binaries) -> None:
    """Make the data directory if it is missing; refuse one that this PostgreSQL cannot use.

    It is made beside its place and renamed, so that it is either whole or not there.

    Raises:
        EmbeddedServerError: It is of another version, no data directory at all, or cannot be made.
    """
    for half_made in layout.root.glob(f"{_STAGING}*"):
        shutil.rmtree(half_made)
    version = layout.data / "PG_VERSION"
    if version.exists():
        _check_version(layout.data, version.read_text().strip())
    elif layout.data.exists() and any(layout.data.iterdir()):
        raise EmbeddedServerError(
            f"{layout.data} holds no PostgreSQL database (PG_VERSION is missing): restore it, or move it away"
        )
    else:
        _make_cluster(layout, account, binaries)


def _check_version(data: Path, version: str) -> None:
    if version != str(POSTGRES_MAJOR):
        raise EmbeddedServerError(
            f"{data} was made by PostgreSQL {version or '(unknown)'}, the embedded one is {POSTGRES_MAJOR}: dump it "
            "with its own version, or move it away to start anew"
        )


def _make_cluster(layout: Layout, account: Account, binaries: Binaries) -> None:
    staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=layout.root))
    try:
        if account.is_lent:
            os.chown(staging, account.uid, account.gid, follow_symlinks=False)
        run(
            binaries.initdb,
            (f"--pgdata={staging}", *_ARGUMENTS),
            account,
            cwd=layout.root,
            seconds=_INITDB_SECONDS,
        )
        staging.rename(layout.data)
        _sync(layout.root)
    except EmbeddedServerError as error:
        raise EmbeddedServerError(f"cannot make the database in {layout.data}: {one_line(str(error))}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _sync(directory: Path) -> None:
    """Make a rename durable; initdb has synced the files themselves."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
