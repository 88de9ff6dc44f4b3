"""Providers for tests: real ones that are watched, or told to fail.

Belongs here: wrapping a provider. The archive provider itself does the reading.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from bist_pipeline.core.errors import ProviderError
from bist_pipeline.providers.archive.provider import ArchiveProvider
from bist_pipeline.providers.contract import Basis, History, MarketKind, PriceProvider


@dataclass
class Watched:
    """A provider that notes what it is asked, and fails where it is told to.

    Attributes:
        inner: The provider that answers.
        name: What it calls itself.
        faults: Symbols whose history cannot be had, and why.
        tells_versions: Whether it has a cheap mark; a provider on the network has none.
        kin: Its family; a family of its own where empty.
        asked: Symbols whose history was asked for, in order.
    """

    inner: PriceProvider
    name: str = "watched"
    faults: Mapping[str, ProviderError] = field(default_factory=dict)
    tells_versions: bool = True
    kin: str = ""
    asked: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def family(self) -> str:
        return self.kin or self.name

    def market_kind(self) -> MarketKind:
        return self.inner.market_kind()

    @property
    def delay(self) -> timedelta:
        return self.inner.delay

    def symbols(self) -> Sequence[str] | None:
        return self.inner.symbols()

    def version(self, symbol: str) -> str | None:
        return self.inner.version(symbol) if self.tells_versions else None

    def history(self, symbol: str) -> History:
        with self._lock:
            self.asked.append(symbol)
        if symbol in self.faults:
            raise self.faults[symbol]
        return self.inner.history(symbol)

    def forget(self) -> list[str]:
        """Return what was asked since the last call, sorted."""
        asked, self.asked = sorted(self.asked), []
        return asked


def watched(folder: Path, basis: Basis = "fully_adjusted", **options) -> Watched:
    """Watch the archive in a folder."""
    return Watched(ArchiveProvider(folder, basis), **options)
