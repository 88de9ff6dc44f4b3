"""The archive provider itself.

Belongs here: the folder, its files and their versions as a `PriceProvider`, and the declaration by which it is found.
Does not belong here: understanding a file (`_frames.py` and what it uses).
"""

import hashlib
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd

from bist_pipeline.core.calendar import ISTANBUL
from bist_pipeline.core.clock import Clock, SystemClock
from bist_pipeline.core.errors import (
    BadPayloadError,
    PermanentProviderError,
    SettingsError,
    TransientProviderError,
    UnknownSymbolError,
)
from bist_pipeline.providers.archive._as_of import SessionHours, calendar_hours, time_of_newest_bar
from bist_pipeline.providers.archive._files import DATA_SUFFIXES, PARQUET_SUFFIXES, Listing, list_folder
from bist_pipeline.providers.archive._frames import build_frames
from bist_pipeline.providers.archive._parquet import MAGIC, read_parquet_table
from bist_pipeline.providers.archive._place import Place
from bist_pipeline.providers.archive._table import read_text_table
from bist_pipeline.providers.archive._text import unpack
from bist_pipeline.providers.contract import Basis, History, MarketKind, ProviderSpec, Services
from bist_pipeline.settings import Settings

NAME = "archive"

# Histories stem from delayed feeds, and a back-test must not know a bar before its source did.
DELAY = timedelta(minutes=15)

# Raise it when the same bytes are read differently from now on: stored histories are then read again.
_READER_VERSION = 2
_WHAT_TO_TYPE = "point it at a folder with one CSV or Parquet file per symbol: `bist-pipeline up --archive DIR`"


@dataclass(frozen=True, slots=True)
class ArchiveProvider:
    """A folder of one file per symbol. Thread-safe: it holds nothing but the last listing of the folder.

    Attributes:
        folder: The archive.
        basis: On which basis all its prices stand; files do not say it.
        clock: Tells when a file is read.
        hours: Session hours, to recognise a bar that was still forming when its file was written.
    """

    folder: Path
    basis: Basis
    clock: Clock = field(default_factory=SystemClock)
    hours: SessionHours = calendar_hours
    _listed: dict[tuple[str, ...], Listing] = field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def name(self) -> str:
        """The registered name."""
        return NAME

    @property
    def family(self) -> str:
        """A family of its own."""
        return NAME

    def market_kind(self) -> MarketKind:
        """Files are taken for a record of the real market."""
        return "real"

    @property
    def delay(self) -> timedelta:
        """The same for every archive; see `DELAY`."""
        return DELAY

    def listing(self) -> Listing:
        """Return what lies in the folder, files that are no symbol's included.

        Raises:
            TransientProviderError: The folder cannot be read now (unplugged, unmounted).
        """
        try:
            # Names, not the folder's time stamp: that stands still when two files come within a tick of the disk.
            names = tuple(os.listdir(self.folder))  # noqa: PTH208 - three times as fast as iterdir, and asked per symbol
        except OSError as error:
            raise TransientProviderError(f"archive {self.folder} cannot be read: {error.strerror}") from error
        held = self._listed.get(names)
        if held is None:
            held = list_folder(self.folder, names)
            self._listed.clear()
            self._listed[names] = held
        return held

    def symbols(self) -> Sequence[str]:
        """Return the symbols that have a file, sorted; one with two files is among them and fails when asked for."""
        return list(self.listing().files)

    def version(self, symbol: str) -> str:
        """Return a mark made of the file's size and modification time, the basis and the reader's own version.

        Raises:
            UnknownSymbolError: No file carries the symbol.
            BadPayloadError: Two files do.
        """
        path = self._file_of(symbol)
        stat = self._stat(path, symbol)
        return f"{_READER_VERSION}:{self.basis}:{stat.st_size}:{stat.st_mtime_ns}"

    def history(self, symbol: str) -> History:
        """Read the symbol's file.

        Raises:
            UnknownSymbolError: No file carries the symbol.
            BadPayloadError: Two files do, or the file cannot be understood; the message names file and place.
            TransientProviderError: The file is being written, or the disk fails.
        """
        path = self._file_of(symbol)
        payload, written_at = self._read(path, symbol)
        is_parquet = payload.startswith(MAGIC) or path.suffix.lower() in PARQUET_SUFFIXES
        place = Place(symbol, path.name, "row" if is_parquet else "line")
        table = read_parquet_table(payload, place) if is_parquet else read_text_table(unpack(payload, place), place)
        frames = build_frames(table, place)
        newest = _newest_by(frames.bars["session_date"], written_at)
        return History(
            symbol=symbol,
            bars=frames.bars,
            actions=frames.actions,
            basis=self.basis,
            source=f"{NAME}:{path.name}",
            as_of=time_of_newest_bar(newest, written_at, self.clock.now(), self.hours),
            payload_hash=hashlib.sha256(payload).hexdigest(),
            recognised=frames.notes,
            states_actions=_states_actions(self.basis, frames.notes["columns"]),
            payload=payload,
        )

    def _file_of(self, symbol: str) -> Path:
        paths = self.listing().files.get(symbol, ())
        if not paths:
            raise UnknownSymbolError(f"{symbol}: no file in the archive {self.folder}")
        first, *others = paths
        if others:
            names = " and ".join(path.name for path in paths)
            raise BadPayloadError(f"{symbol}: the archive has {names}; keep one")
        return first

    def _stat(self, path: Path, symbol: str) -> os.stat_result:
        try:
            return path.stat()
        except FileNotFoundError as error:
            raise UnknownSymbolError(f"{symbol}: {path.name} has left the archive {self.folder}") from error
        except OSError as error:
            raise TransientProviderError(f"{symbol}: {path.name} cannot be read: {error.strerror}") from error

    def _read(self, path: Path, symbol: str) -> tuple[bytes, datetime]:
        """Return the bytes and the modification time of one state of the file."""
        before = self._stat(path, symbol)
        try:
            payload = path.read_bytes()
        except PermissionError as error:
            raise PermanentProviderError(f"{symbol}: {path.name} may not be read by this user") from error
        except OSError as error:
            raise TransientProviderError(f"{symbol}: {path.name} cannot be read: {error.strerror}") from error
        after = self._stat(path, symbol)
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or len(payload) != after.st_size:
            raise TransientProviderError(f"{symbol}: {path.name} is being written; ask again when it is complete")
        return payload, datetime.fromtimestamp(after.st_mtime, UTC)


def _states_actions(basis: Basis, columns: Collection[str]) -> bool:
    """Whether a file has a column for everything that its prices are adjusted for; an empty one says: nothing was."""
    adjusted_for = {"as_traded": (), "split_adjusted": ("split",), "fully_adjusted": ("split", "dividend")}[basis]
    return bool(adjusted_for) and all(kind in columns for kind in adjusted_for)


def _newest_by(days: "pd.Series[pd.Timestamp]", written_at: datetime) -> date:
    """The newest day that the file can know of: a mistyped day of next month must not make today's bar final."""
    known = days[days <= pd.Timestamp(written_at.astimezone(ISTANBUL).date())]
    return (known if len(known) else days).max().date()


def build_archive(settings: Settings, services: Services) -> ArchiveProvider:
    """Make the provider.

    Raises:
        SettingsError: `BIST_ARCHIVE_DIR` is unset, no folder, or has no symbol's file; it says what to type.
    """
    folder = settings.bist_archive_dir
    if folder is None:
        raise SettingsError(f"BIST_ARCHIVE_DIR is not set: {_WHAT_TO_TYPE}")
    if not folder.is_dir():
        raise SettingsError(f"BIST_ARCHIVE_DIR = {folder} is not a folder: {_WHAT_TO_TYPE}")
    provider = ArchiveProvider(folder, settings.bist_archive_basis, services.clock)
    listing = provider.listing()
    if not listing.files:
        found = next(iter(listing.unnamed.items()), None)
        why = f"; {found[0]}: {found[1]}" if found else f" ({', '.join(DATA_SUFFIXES)}, also with .gz)"
        raise SettingsError(
            f"BIST_ARCHIVE_DIR = {folder} holds no data file named after a symbol{why}: {_WHAT_TO_TYPE}"
        )
    return provider


ARCHIVE = ProviderSpec(
    name=NAME,
    terms="Your own files: what you may do with them is between you and their source.",
    licence="that of your files",
    delay=DELAY,
    build=build_archive,
)
