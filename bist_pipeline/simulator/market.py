"""A market: its shares under the symbols they have at a moment.

Belongs here: which symbol is known when, and the two ways to get a market. Does not belong here: what a share shows
(`views.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Literal, Protocol

from bist_pipeline.simulator.events import MarketEvent
from bist_pipeline.simulator.hours import istanbul_day
from bist_pipeline.simulator.invention import invent
from bist_pipeline.simulator.replay import read_folder
from bist_pipeline.simulator.shares import Share
from bist_pipeline.simulator.views import View, view

MarketKind = Literal["simulated", "replayed"]
_EVER = (date.min, date.max)


class Market(Protocol):
    """What the exchange trades. Moments are those of the market: Yahoo's delay is already taken off.

    Attributes:
        kind: Whether it was invented or comes from files.
        basis: What the prices of its files are adjusted for; `as_traded` for an invented one.
        label: `SIMULATED` or `REPLAYED`, for people.
        seed: Of everything drawn.
    """

    @property
    def kind(self) -> MarketKind:  # noqa: D102 - see above
        ...

    @property
    def basis(self) -> str:  # noqa: D102 - see above
        ...

    @property
    def label(self) -> str:  # noqa: D102 - see above
        ...

    @property
    def seed(self) -> int:  # noqa: D102 - see above
        ...

    def symbols(self, now: datetime) -> list[str]:
        """Return the codes that are known at a moment, sorted."""
        ...

    def share(self, symbol: str, now: datetime) -> Share | None:
        """Return the share that a code means at a moment; None where it means none."""
        ...

    def view(self, symbol: str, now: datetime) -> View | None:
        """Return what Yahoo shows of a code at a moment; None where it knows none."""
        ...


@dataclass(frozen=True)
class ShareMarket:
    """A market of shares.

    Attributes:
        shares: Code to share, and the days from and until (exclusive) which the code means it.
    """

    kind: MarketKind
    basis: str
    label: str
    seed: int
    shares: Sequence[tuple[str, Share, tuple[date, date]]]

    @cached_property
    def _by_code(self) -> dict[str, tuple[Share, tuple[date, date]]]:
        return {code: (share, known) for code, share, known in self.shares}

    def symbols(self, now: datetime) -> list[str]:
        """Return the codes that are known at a moment, sorted."""
        return sorted(code for code in self._by_code if self.view(code, now) is not None)

    def share(self, symbol: str, now: datetime) -> Share | None:
        """Return the share that a code means at a moment; None where it means none."""
        share, (since, until) = self._by_code.get(symbol, (None, _EVER))
        return share if share and since <= istanbul_day(int(now.timestamp())) < until else None

    def view(self, symbol: str, now: datetime) -> View | None:
        """Return what Yahoo shows of a code at a moment; None where it knows none."""
        share = self.share(symbol, now)
        return view(share, int(now.timestamp())) if share else None


def invent_market(
    *, symbols: int = 150, seed: int = 7, first: date, last: date, events: Sequence[MarketEvent] = ()
) -> Market:
    """Invent a market. The same arguments give the same one, and a later `last` only adds to its end.

    Args:
        symbols: How many shares; they are called ZZAAA, ZZAAB, ….
        seed: Another seed, another market.
        first: First day of the history that is shown.
        last: Last day that is invented.
        events: What shall happen besides what the market invents itself.

    Raises:
        SimulatorError: An event cannot be shown, or there would be no share or no session.
        SessionError: A day lies outside the calendar.
    """
    found = invent(symbols, seed, first, last, events)
    return ShareMarket("simulated", "as_traded", "SIMULATED", seed, found)


def replay_market(folder: Path, basis: str, *, seed: int = 7) -> Market:
    """Read a market from a folder with one CSV per symbol.

    Args:
        folder: Where the files lie; what does not end in `.csv` is left alone.
        basis: What their prices are adjusted for: as_traded, split_adjusted or fully_adjusted.
        seed: Of the days' courses, which the files do not hold.

    Raises:
        SimulatorError: The folder or a file cannot be read; the message names file and line.
    """
    found = [(share.symbol, share, _EVER) for share in read_folder(folder, basis, seed)]
    return ShareMarket("replayed", basis, "REPLAYED", seed, found)
