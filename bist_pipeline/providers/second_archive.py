"""A second folder of files, to be compared with the first source bar by bar.

Belongs here: the archive provider under a name of its own, with the settings `BIST_SECOND_ARCHIVE_*`. Does not belong
here: understanding files (`archive/`), comparing (`quality/comparison/`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bist_pipeline.core.errors import SettingsError
from bist_pipeline.providers.archive.provider import DELAY, ArchiveProvider
from bist_pipeline.providers.contract import History, MarketKind, ProviderSpec, Services
from bist_pipeline.settings import Settings

NAME = "second_archive"

_WHAT_TO_SET = "set BIST_SECOND_ARCHIVE_DIR to a folder with one CSV or Parquet file per symbol"


@dataclass(frozen=True, slots=True)
class SecondArchive:
    """An archive that is asked under another name. Thread-safe, as the archive is.

    Attributes:
        archive: What reads the files.
    """

    archive: ArchiveProvider

    @property
    def name(self) -> str:
        """The registered name."""
        return NAME

    @property
    def family(self) -> str:
        """A family of its own: another folder is a second opinion."""
        return NAME

    def market_kind(self) -> MarketKind:
        """Files are taken for a record of the real market."""
        return self.archive.market_kind()

    @property
    def delay(self) -> timedelta:
        """That of any archive."""
        return self.archive.delay

    def symbols(self) -> Sequence[str]:
        """Return the symbols that have a file, sorted."""
        return self.archive.symbols()

    def version(self, symbol: str) -> str:
        """Return the archive's mark; it raises what the archive raises."""
        return self.archive.version(symbol)

    def history(self, symbol: str) -> History:
        """Read the symbol's file; it raises what the archive raises. The source names this provider."""
        history = self.archive.history(symbol)
        return replace(history, source=f"{NAME}:{history.source.partition(':')[2]}")


def build_second_archive(settings: Settings, services: Services) -> SecondArchive:
    """Make the provider.

    Raises:
        SettingsError: `BIST_SECOND_ARCHIVE_DIR` is unset, no folder, the first archive's, or has no symbol's file.
    """
    folder = settings.bist_second_archive_dir
    if folder is None:
        raise SettingsError(f"BIST_SECOND_ARCHIVE_DIR is not set: {_WHAT_TO_SET}")
    if not folder.is_dir():
        raise SettingsError(f"BIST_SECOND_ARCHIVE_DIR = {folder} is not a folder: {_WHAT_TO_SET}")
    first = settings.bist_archive_dir
    if first is not None and first.resolve() == folder.resolve():
        raise SettingsError(f"BIST_SECOND_ARCHIVE_DIR = {folder} is BIST_ARCHIVE_DIR too: it is no second source")
    archive = ArchiveProvider(folder, settings.bist_second_archive_basis, services.clock)
    if not archive.symbols():
        raise SettingsError(f"BIST_SECOND_ARCHIVE_DIR = {folder} holds no file named after a symbol: {_WHAT_TO_SET}")
    return SecondArchive(archive)


SECOND_ARCHIVE = ProviderSpec(
    name=NAME,
    terms="Your own files: what you may do with them is between you and their source.",
    licence="that of your files",
    delay=DELAY,
    build=build_second_archive,
)
