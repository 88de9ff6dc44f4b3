"""What the tests of the providers share: a desk that keeps files, and the recordings beside the project."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bist_pipeline.core.clock import FixedClock
from bist_pipeline.providers.archive.provider import ArchiveProvider
from bist_pipeline.providers.contract import History

NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
PLAIN = "Date,Open,High,Low,Close,Volume\n2024-01-04,10,12,9,11,1000\n2024-01-05,11,13,10,12.5,2000\n"


@dataclass(frozen=True)
class Desk:
    """A folder of histories and the provider that reads it."""

    folder: Path

    def keep(self, text: str | bytes, name: str = "THYAO.csv", encoding: str = "utf-8") -> Path:
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    @property
    def provider(self) -> ArchiveProvider:
        return ArchiveProvider(self.folder, "fully_adjusted", FixedClock(NOW))

    def read(self, text: str | bytes | None = None, name: str = "THYAO.csv", encoding: str = "utf-8") -> History:
        """Read THYAO, written from `text` first if there is one."""
        if text is not None:
            self.keep(text, name, encoding)
        return self.provider.history("THYAO")


@pytest.fixture
def desk(tmp_path):
    folder = tmp_path / "archive"
    folder.mkdir()
    return Desk(folder)


@pytest.fixture(scope="session")
def recordings():
    """Return the folder of recordings beside the project."""
    folder = Path(os.environ.get("BIST_REALDATA") or Path(__file__).parents[2].parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no recordings in {folder}")
    return folder
