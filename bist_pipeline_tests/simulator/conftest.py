"""A small invented market with one of each event, and an exchange that serves it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time

import pytest

from bist_pipeline.core.clock import FixedClock
from bist_pipeline.simulator.clock import ExchangeClock
from bist_pipeline.simulator.events import (
    Delisting,
    Dividend,
    Halt,
    Listing,
    NoTradeUntil,
    Rename,
    Rights,
    Split,
)
from bist_pipeline.simulator.exchange import Exchange
from bist_pipeline.simulator.market import Market, invent_market
from bist_pipeline.simulator.server import exchange

FIRST, LAST = date(2026, 6, 1), date(2026, 8, 7)
TODAY = date(2026, 8, 5)
EVENTS = (
    Split("ZZAAA", TODAY, 4),
    Rights("ZZAAB", date(2026, 7, 1), 0.5, 1.0),
    Dividend("ZZAAC", TODAY, 0.25),
    NoTradeUntil("ZZAAD", TODAY, time(14, 30)),
    Halt("ZZAAE", TODAY, date(2026, 8, 6)),
    Delisting("ZZAAF", TODAY),
    Rename("ZZAAG", "ZYAAG", TODAY),
    Listing("ZZAAH", TODAY),
)


def istanbul(hour: int, minute: int = 0, day: date = TODAY) -> datetime:
    """A moment in Istanbul, which is three hours ahead of UTC."""
    return datetime(day.year, day.month, day.day, hour - 3, minute, tzinfo=UTC)


@pytest.fixture(scope="session")
def market() -> Market:
    return invent_market(symbols=10, first=FIRST, last=LAST, events=EVENTS)


@pytest.fixture
def running(market: Market) -> Iterator[Exchange]:
    """The market at 12:00 of `TODAY`, so that 11:45 is shown; its clock stands still."""
    with exchange(market, ExchangeClock(FixedClock(istanbul(12)), running=False)) as served:
        yield served
