"""Databases that are fed by a simulated exchange over HTTP, as a desk's is fed by Yahoo.

Belongs here: opening an exchange whose time stands still until a test sets it, a context that asks it, playing
sessions tick by tick, markets that agree up to a moment. Does not belong here: any expectation.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time
from typing import Any

import numpy as np
import pandas as pd

from bist_pipeline.core.calendar import ISTANBUL, load_calendar
from bist_pipeline.core.clock import SystemClock
from bist_pipeline.pipeline.backfill import BackfillReport, backfill
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.refresh import RefreshReport, refresh
from bist_pipeline.pipeline.sources import open_sources
from bist_pipeline.pipeline.span import Span
from bist_pipeline.simulator.clock import ExchangeClock
from bist_pipeline.simulator.exchange import Exchange
from bist_pipeline.simulator.faults import Faults
from bist_pipeline.simulator.hours import istanbul_day
from bist_pipeline.simulator.market import Market, ShareMarket
from bist_pipeline.simulator.paths import Path as Course
from bist_pipeline.simulator.server import exchange
from bist_pipeline.simulator.shares import Share
from bist_pipeline_tests.pipeline.sites import Sites, as_date

# Five in a session: the first bars, some in between, one shortly before the end, and one when all is settled.
TICKS = (time(10, 20), time(11, 30), time(14, 0), time(17, 55), time(18, 30))
EVENING = time(18, 30)

LIVE = ("yahoo_quote", "yahoo_spark", "yahoo_chart")


@dataclass(frozen=True, slots=True)
class ExchangeTime:
    """The time that an exchange shows.

    Attributes:
        exchange: Whose.
    """

    exchange: Exchange

    def now(self) -> datetime:
        return self.exchange.clock.now()


def moment(day: Any, at: time = EVENING) -> datetime:
    """A time of day in Istanbul, aware."""
    return datetime.combine(as_date(day), at, ISTANBUL)


def sessions_between(first: date, last: date) -> list[date]:
    """The sessions of a span, as dates."""
    return [as_date(day) for day in load_calendar().sessions(first, last)]


@contextmanager
def standing(market: Market, at: datetime, **options: Any) -> Iterator[Exchange]:
    """Serve a market whose clock stands still."""
    with exchange(market, ExchangeClock(SystemClock(), at, running=False), **options) as running:
        yield running


def asking(
    sites: Sites,
    running: Exchange,
    *,
    copy_of: PipelineContext | None = None,
    symbols: Sequence[str] | None = None,
    **settings: Any,
) -> PipelineContext:
    """Make a context that asks an exchange and keeps its time, on a fresh database or on a copy of another's."""
    followed = symbols or running.market.symbols(running.clock.now() - running.delay)
    folder = sites.folder / f"exchange_{running.url.rpartition(':')[2]}"
    folder.mkdir(exist_ok=True)
    universe = folder / f"universe_{len(list(folder.iterdir()))}.csv"
    universe.write_text("symbol\n" + "".join(f"{symbol}\n" for symbol in followed), encoding="utf-8")
    given = {
        "bist_archive_dir": None,
        "bist_universe": str(universe),
        "bist_providers": ("yahoo_chart",),
        "bist_live_providers": LIVE,
        "yahoo_hosts": (running.url,),
        "yahoo_requests_per_second": 0.0,
        "yf_backoff_base_seconds": 0.01,
        **settings,
    }
    made = sites.make(folder, copy_of=copy_of, **given)
    return replace(made, clock=ExchangeTime(running))


def load(context: PipelineContext, first: Any, last: Any) -> BackfillReport:
    """Fetch every history and derive a span."""
    return backfill(context, open_sources(context).history, Span(as_date(first), as_date(last)))


def play(
    context: PipelineContext,
    running: Exchange,
    moments: Iterable[datetime],
    *,
    before: Callable[[datetime], None] = lambda at: None,
    after: Callable[[datetime], None] = lambda at: None,
) -> list[RefreshReport]:
    """Refresh at one moment after the other, each with providers of its own, as each run of the schedule does."""
    reports = []
    for at in moments:
        running.clock.set(at)
        before(at)
        reports.append(refresh(context, open_sources(context)))
        after(at)
    return reports


def ticks_of(sessions: Iterable[date], ticks: Sequence[time] = TICKS) -> list[datetime]:
    """The moments of a few sessions."""
    return [moment(day, at) for day in sessions for at in ticks]


def states(context: PipelineContext, session: date) -> dict[str, str]:
    """What the newest quote of each symbol said of a session."""
    rows = context.database.rows(
        """SELECT DISTINCT ON (symbol) symbol, state FROM market.quotes WHERE session_date = :session
        ORDER BY symbol, fetched_at DESC""",
        {"session": session},
    )
    return {row.symbol: row.state for row in rows}


def coverage(context: PipelineContext, session: date) -> dict[str, str]:
    """What is said of each symbol for a session."""
    rows = context.database.rows(
        "SELECT symbol, state FROM serving.coverage_v1 WHERE session_date = :session", {"session": session}
    )
    return {row.symbol: row.state for row in rows}


def play_faults(running: Exchange, chances: Mapping[str, float]) -> None:
    """Play these faults from now on."""
    running.set_faults(Faults(dict(chances)))


# ── markets that agree up to a moment ──


@dataclass(frozen=True, slots=True, eq=False)
class _Turned(Share):
    """A share that goes another way after a moment.

    Attributes:
        told: The share that it was.
        cut: Epoch second of the market from which everything is another.
    """

    told: Share | None = None
    cut: int = 0

    def path(self, row: int) -> Course | None:
        told, own = self.told.path(row) if self.told else None, Share.path(self, row)
        if told is None or own is None or self.days[row] != np.datetime64(istanbul_day(self.cut)):
            return own
        past = told.moments <= self.cut
        prices = np.where(past, told.prices, np.round(told.prices * 1.03, 2))
        volumes = np.where(past, told.volumes, told.volumes * 2)
        return Course(own.bar, told.moments, prices, volumes)


def another_future(market: Market, at: datetime, seed: int) -> Market:
    """A market that is the same up to a moment; after it prices, volumes and actions are others.

    Args:
        market: The one that it agrees with.
        at: The last moment at which both are the same, the exchange's delay already taken off.
        seed: Of the other future.
    """
    assert isinstance(market, ShareMarket)
    cut = int(at.timestamp())
    shares = [(code, _turned(share, cut, seed), known) for code, share, known in market.shares]
    return replace(market, shares=shares)


def _turned(share: Share, cut: int, seed: int) -> Share:
    rng, ahead = np.random.default_rng([seed, len(share.days)]), share.finals_at > cut
    factor = np.where(ahead, rng.uniform(0.8, 1.25, len(ahead)), 1.0)
    given: dict[str, Any] = {one.name: getattr(share, one.name) for one in fields(share) if one.init}
    day = istanbul_day(cut)
    today = share.days == np.datetime64(day)
    for name in ("open", "high", "low", "close"):
        # Today's open was seen already; its high and low may only widen.
        given[name] = np.where(ahead, np.round(given[name] * factor, 2), given[name])
        if name == "open":
            given[name] = np.where(today, share.open, given[name])
    # A session without a trade shows none at any of its moments: with one in its future, its past would be another too.
    grown = np.where(share.volume > 0, given["volume"] * 2 + 5, given["volume"])
    given["volume"] = np.where(ahead, grown, given["volume"])
    seen = tuple(action for action in share.actions if action.day <= day)
    later = [action for action in share.actions if action.day > day]
    given["actions"] = (*seen, *(replace(action, ratio=action.ratio * 2) for action in later))
    return _Turned(**given, told=share, cut=cut)


def without(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """A frame without some columns, those that it lacks among them."""
    return frame.drop(columns=[name for name in columns if name in frame.columns])
