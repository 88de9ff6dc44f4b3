"""What a price provider is and what it answers.

Belongs here: the types that a new provider's file fills in. A provider fetches one symbol's whole daily history in
one answer, in its own values, and says on which basis they stand; repairing them is `market/`'s work.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

import pandas as pd

from bist_pipeline.settings import Settings

Basis = Literal["as_traded", "split_adjusted", "fully_adjusted"]

# Columns of `History.bars`: the provider's own values, missing ones NaN, one row per row delivered, in its order.
RAW_BAR_COLUMNS = (
    "session_date",  # datetime64[us], the day in Europe/Istanbul that the provider says
    "open_raw",
    "high_raw",
    "low_raw",
    "close_raw",
    "adj_close_raw",  # NaN where the provider has none
    "volume_raw",
    "source_row",  # int64: line or position in the payload, so that a person can find it again
)

# Columns of `History.actions`: corporate actions the payload carries.
ACTION_COLUMNS = (
    "ex_date",  # datetime64[us]
    "kind",  # split or dividend
    "ratio",  # new shares per old share for a split, NaN for a dividend
    "amount_try",  # lira per share for a dividend, NaN for a split
)


@dataclass(frozen=True, slots=True)
class History:
    """One symbol's whole daily history as a provider delivered it.

    Attributes:
        symbol: Normalised code.
        bars: Columns `RAW_BAR_COLUMNS`.
        actions: Columns `ACTION_COLUMNS`; empty when the payload carries none.
        basis: On which basis the prices stand.
        source: Provider and place, for people: `archive:THYAO.csv`.
        as_of: The provider's own time of the newest bar, UTC; never the wall clock where the provider knows better.
        payload_hash: SHA-256 of the bytes received.
        recognised: What had to be recognised to read it (columns, header lines, date format, decimal sign).
    """

    symbol: str
    bars: pd.DataFrame
    actions: pd.DataFrame
    basis: Basis
    source: str
    as_of: datetime
    payload_hash: str
    recognised: Mapping[str, Any] = field(default_factory=dict)


class PriceProvider(Protocol):
    """A source of daily history."""

    @property
    def name(self) -> str:
        """The registered name."""
        ...

    @property
    def delay(self) -> timedelta:
        """How long after an event this provider tells of it; part of `known_at`."""
        ...

    def symbols(self) -> Sequence[str] | None:
        """The symbols it can deliver, sorted; None where only asking tells."""
        ...

    def version(self, symbol: str) -> str | None:
        """A cheap mark that changes when `history(symbol)` would answer differently; None where only asking tells.

        Raises:
            UnknownSymbolError: The provider does not have the symbol.
        """
        ...

    def history(self, symbol: str) -> History:
        """Fetch the whole history of one symbol.

        Raises:
            PermanentProviderError: Asking again will not help.
            TransientProviderError: Asking again later may help.
        """
        ...


@dataclass(frozen=True, slots=True)
class ProviderSpec:
    """A provider's declaration: what a module of this room defines to be discovered.

    Attributes:
        name: Registered name, as used in `BIST_PROVIDERS`.
        terms: For whose use its data is; shown to the person who runs it.
        delay: How long after an event this provider tells of it; part of `known_at`.
        build: Makes the provider from the settings; raises `SettingsError` when they do not suffice.
    """

    name: str
    terms: str
    delay: timedelta
    build: Callable[[Settings], PriceProvider]
