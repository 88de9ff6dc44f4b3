"""What a price provider is and what it answers.

Belongs here: the types that a new provider's file fills in. A provider of history fetches one symbol's whole daily
history in one answer, in its own values, and says on which basis they stand; repairing them is `market/`'s work. A live
provider tells of the session in progress, many symbols at a time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

import pandas as pd

from bist_pipeline.core.clock import Clock, SystemClock
from bist_pipeline.providers.pacing.contract import Pacer
from bist_pipeline.settings import Settings

Basis = Literal["as_traded", "split_adjusted", "fully_adjusted"]

# What kind of market a provider's answers are of. A database holds one of them and refuses the others.
MarketKind = Literal["real", "simulated", "replayed"]

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
        states_actions: Whether `actions` holds every split behind the prices (and every dividend, where they are fully
            adjusted), so that they can be undone.
        payload: The bytes received, to be kept for a while; None where there is nothing to keep.
    """

    symbol: str
    bars: pd.DataFrame
    actions: pd.DataFrame
    basis: Basis
    source: str
    as_of: datetime
    payload_hash: str
    recognised: Mapping[str, Any] = field(default_factory=dict)
    states_actions: bool = False
    payload: bytes | None = None


# Columns of a live answer: one row per symbol that was answered, prices in lira, missing ones NaN.
QUOTE_COLUMNS = (
    "symbol",  # normalised code
    "as_of",  # datetime64[us, UTC], the provider's own time of the last trade
    "last_try",
    "open_try",  # of the session that `as_of` lies in, like the next three
    "high_try",
    "low_try",
    "volume_shares",
    "previous_close_try",  # adjusted by the provider for an action of the same session
    "payload_hash",  # SHA-256 of the answer that the row came in
)


@dataclass(frozen=True, slots=True)
class LiveAnswer:
    """What one live provider tells of many symbols.

    Attributes:
        quotes: Columns `QUOTE_COLUMNS`, one row per symbol answered.
        silent: Symbols that were asked for and not answered, though the answer as a whole was good: no such symbol.
        failed: Why, by symbol, where a request failed: nothing is known of these.
        bars: Whether open, high and low are told; where not, no bar and no pattern may be made of it.
    """

    quotes: pd.DataFrame
    silent: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)
    bars: bool = True


class LiveProvider(Protocol):
    """A source of the session in progress."""

    @property
    def name(self) -> str:
        """The registered name."""
        ...

    def market_kind(self) -> MarketKind:
        """What kind of market its answers are of."""
        ...

    def quotes(self, symbols: Sequence[str], deadline: float) -> LiveAnswer:
        """Ask for the newest state of many symbols, in as few requests as the protocol allows.

        Args:
            symbols: Normalised codes.
            deadline: `time.monotonic()` by which it must have ended; what is not answered then is `failed`.

        Raises:
            CircuitOpenError: Nothing may be asked now.
        """
        ...


class PriceProvider(Protocol):
    """A source of daily history."""

    @property
    def name(self) -> str:
        """The registered name."""
        ...

    @property
    def family(self) -> str:
        """Whose data it is: another provider of the family is no second opinion on whether a symbol exists."""
        ...

    def market_kind(self) -> MarketKind:
        """What kind of market its answers are of."""
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
class Services:
    """What a provider needs of the run that uses it.

    Attributes:
        pacer: Decides when a request may be sent; shared by all processes. None where nothing will be asked: a
            provider that asks over the network then refuses to.
        clock: What time it is at the exchange.
    """

    pacer: Pacer | None = None
    clock: Clock = field(default_factory=SystemClock)


@dataclass(frozen=True, slots=True)
class ProviderSpec:
    """A provider's declaration: what a module of this room defines to be discovered.

    Attributes:
        name: Registered name, as used in `BIST_PROVIDERS` or `BIST_LIVE_PROVIDERS`.
        terms: For whose use its data is; shown to the person who runs it.
        licence: Under which licence the data is, in a few words; shown beside the terms.
        delay: How long after an event this provider tells of it; part of `known_at`.
        build: Makes the provider of history; None where it tells none. Raises `SettingsError` when the settings do not
            suffice.
        build_live: Makes the live provider; None where it tells nothing of the session in progress.
    """

    name: str
    terms: str
    licence: str
    delay: timedelta
    build: Callable[[Settings, Services], PriceProvider] | None = None
    build_live: Callable[[Settings, Services], LiveProvider] | None = None
