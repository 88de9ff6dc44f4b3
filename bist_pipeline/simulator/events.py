"""Events that somebody orders for an invented market, usually a test.

Belongs here: what may be ordered, and checking an order. Does not belong here: events that the market invents itself
(`invention.py`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, time
from functools import cached_property

from bist_pipeline.core.symbols import normalise_symbol
from bist_pipeline.simulator.errors import SimulatorError
from bist_pipeline.simulator.hours import hours_of


@dataclass(frozen=True, slots=True)
class Split:
    """From `on`, `ratio` new shares stand for one old; a bonus issue is one too. Below 1 it is a reverse split."""

    symbol: str
    on: date
    ratio: float


@dataclass(frozen=True, slots=True)
class Rights:
    """From `on`, holders may buy `ratio` new shares per old one at `price_try`; Yahoo shows a fractional split."""

    symbol: str
    on: date
    ratio: float
    price_try: float = 1.0


@dataclass(frozen=True, slots=True)
class Dividend:
    """From `on`, the share trades without `amount_try` lira per share."""

    symbol: str
    on: date
    amount_try: float


@dataclass(frozen=True, slots=True)
class Halt:
    """No trade from `first` to `last`: each session ends as a flat bar of zero volume."""

    symbol: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Delisting:
    """From `on`, the symbol is unknown."""

    symbol: str
    on: date


@dataclass(frozen=True, slots=True)
class Rename:
    """From `on`, the share and all its history are known as `new`; `old` is unknown."""

    old: str
    new: str
    on: date


@dataclass(frozen=True, slots=True)
class NoTradeUntil:
    """On session `on`, the first trade happens at `at`, a time of day in Istanbul, or soon after."""

    symbol: str
    on: date
    at: time


@dataclass(frozen=True, slots=True)
class Listing:
    """The share trades from session `on`."""

    symbol: str
    on: date


MarketEvent = Split | Rights | Dividend | Halt | Delisting | Rename | NoTradeUntil | Listing


@dataclass(frozen=True)
class Orders:
    """Checked events.

    Attributes:
        events: In the order given.
    """

    events: tuple[MarketEvent, ...]

    @cached_property
    def at_open(self) -> dict[date, list[Split | Rights | Dividend]]:
        """What changes a share's base price, by session."""
        found: dict[date, list[Split | Rights | Dividend]] = {}
        for event in self.events:
            if isinstance(event, Split | Rights | Dividend):
                found.setdefault(event.on, []).append(event)
        return found

    @cached_property
    def halts(self) -> list[Halt]:
        """Sessions without trade."""
        return [event for event in self.events if isinstance(event, Halt)]

    @cached_property
    def listings(self) -> dict[str, date]:
        """First sessions by symbol."""
        return {event.symbol: event.on for event in self.events if isinstance(event, Listing)}

    @cached_property
    def delistings(self) -> dict[str, date]:
        """First days without the symbol."""
        return {event.symbol: event.on for event in self.events if isinstance(event, Delisting)}

    @cached_property
    def renames(self) -> dict[str, tuple[str, date]]:
        """New symbols and their first days by old symbol."""
        return {event.old: (event.new, event.on) for event in self.events if isinstance(event, Rename)}

    def first_trades(self, symbol: str) -> dict[date, time]:
        """Return the sessions on which a symbol trades late, and from when."""
        return {e.on: e.at for e in self.events if isinstance(e, NoTradeUntil) and e.symbol == symbol}


def check_orders(events: Sequence[MarketEvent], symbols: Collection[str]) -> Orders:
    """Refuse events that the market could not show.

    Raises:
        SimulatorError: An event names an unknown symbol, a day without a session, or an impossible number.
    """
    for event in events:
        fault = _fault(event, symbols)
        if fault:
            raise SimulatorError(f"{event}: {fault}")
    return Orders(tuple(events))


def _fault(event: MarketEvent, symbols: Collection[str]) -> str:
    symbol = event.old if isinstance(event, Rename) else event.symbol
    if symbol not in symbols:
        return f"the market has no {symbol}; it has {min(symbols)} to {max(symbols)}"
    if isinstance(event, Rename) and (event.new in symbols or normalise_symbol(event.new) != event.new):
        return f"{event.new} is taken or no plain symbol; choose a new one such as ZYAAA"
    if isinstance(event, Halt) and event.last < event.first:
        return "the halt ends before it begins"
    if isinstance(event, Split | Rights | Dividend) and not _amount(event) > 0:
        return f"{_amount(event)} must be above zero"
    if isinstance(event, Split | Rights | Dividend | NoTradeUntil | Listing) and not hours_of(event.on).is_session:
        return f"the exchange does not trade on {event.on}; choose a session"
    return ""


def _amount(event: Split | Rights | Dividend) -> float:
    return event.amount_try if isinstance(event, Dividend) else event.ratio
