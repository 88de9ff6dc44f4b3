"""The two lanes to Yahoo: a first load through the chart endpoint, and refreshes of the session in progress.

Own work is wall time less waiting for HTTP and for the pace, as the request ledger has it. The exchange is invented and
runs in a process of its own; on two processors it competes with what is measured.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from bist_pipeline.core.calendar import ISTANBUL, load_calendar
from bist_pipeline.pipeline.backfill import derive_all
from bist_pipeline.pipeline.cleaning import clean_prices
from bist_pipeline.pipeline.context import DATA_DATABASE, PipelineContext
from bist_pipeline.pipeline.contracts import database_shape
from bist_pipeline.pipeline.ingest import ingest
from bist_pipeline.pipeline.publish import publish
from bist_pipeline.pipeline.refresh import refresh
from bist_pipeline.pipeline.sources import open_sources
from bist_pipeline.pipeline.span import Span
from bist_pipeline.pipeline.universe import active_symbols, refresh_universe
from bist_pipeline.providers.registry import exchange_clock
from bist_pipeline.settings import load_settings
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.embedded.server import EmbeddedServer
from bist_pipeline.storage.migrate import migrate
from bist_pipeline.storage.url import DatabaseUrl
from bist_pipeline_tests.benchmarks.exchange import exchange_process
from bist_pipeline_tests.benchmarks.lines import Line
from bist_pipeline_tests.benchmarks.stopwatch import Stopwatch, Taken, tell
from bist_pipeline_tests.storage.embedded_homes import temporary_home

LOAD_SECONDS = 20.0  # own work of a first load
REFRESH_SECONDS, REFRESH_REQUESTS, REFRESH_OWN_SECONDS = 15.0, 15, 3.0
GROWTH = 1.3

_WAITS = """
SELECT count(*) AS requests, coalesce(sum(elapsed_seconds), 0) AS http, coalesce(sum(waited_seconds), 0) AS waited
FROM operations.requests WHERE run_id = :run_id"""


def both_lanes(symbols: int, sessions: int) -> Iterator[Line]:
    """Measure with all of the history, then a refresh with a third of it."""
    whole, lines = _measure(symbols, sessions)
    third, _ = _measure(symbols, sessions // 3)
    yield from lines
    yield Line("· growth when history triples, 1 request a second", whole.paced / third.paced, "×", None, GROWTH)
    yield Line("· growth of what is left without pacing", whole.unpaced / third.unpaced, "×")


class _Walls(NamedTuple):
    """Wall seconds of a refresh."""

    paced: float
    unpaced: float


def _measure(symbols: int, sessions: int) -> tuple[_Walls, list[Line]]:
    calendar = load_calendar()
    last = date(2026, 8, 7)
    first = calendar.sessions(last - timedelta(days=sessions * 2), last)[-sessions].astype(date)
    with _desk(symbols, first, datetime.combine(last, time(14, 0), ISTANBUL)) as (context, watch):
        refresh_universe(context, open_sources(context).history)
        loaded = _lane(context, watch, "first load", lambda own: _load(own, Span(last, last)))
        span = Span(last, last)
        derive_all(context, span)
        publish(context, span)
        quick = _lane(context, watch, "refresh, no pacing", lambda own: refresh(own, open_sources(own)))
        settings = context.settings.model_copy(update={"yahoo_requests_per_second": 1.0})
        paced = _lane(
            replace(context, settings=settings), watch, "refresh, 1/s", lambda own: refresh(own, open_sources(own))
        )
    walls = _Walls(paced[0].wall, quick[0].wall)
    return walls, [*_load_lines(loaded, context.settings.collector_max_workers), *_refresh_lines(quick, paced)]


def _load(context: PipelineContext, span: Span) -> None:
    ingest(context, open_sources(context).history, active_symbols(context))
    clean_prices(context, span)


def _lane(context: PipelineContext, watch: Stopwatch, job: str, work: Any) -> tuple[Taken, Any]:
    own = replace(context, run_id=job)
    taken = watch.take(job, lambda: work(own))
    waits = own.database.rows(_WAITS, {"run_id": job})[0]
    tell(f"· {waits.requests} requests, {waits.http:.2f} s of HTTP, {waits.waited:.2f} s held back (all threads)")
    return taken, waits


def _load_lines(loaded: tuple[Taken, Any], workers: int) -> Iterator[Line]:
    taken, waits = loaded
    waiting = (waits.http + waits.waited) / workers
    yield Line("First load through the chart endpoint, no pacing", taken.wall, "s", taken.cpu)
    yield Line(
        "· own work: wall less the threads' mean wait for answers", taken.wall - waiting, "s", None, LOAD_SECONDS
    )
    yield Line("· requests", waits.requests, "")


def _refresh_lines(quick: tuple[Taken, Any], paced: tuple[Taken, Any]) -> Iterator[Line]:
    taken, waits = paced
    yield Line("Refresh of the session in progress, 1 request a second", taken.wall, "s", taken.cpu, REFRESH_SECONDS)
    yield Line("· requests, cookie and crumb among them", waits.requests, "", None, REFRESH_REQUESTS)
    taken, waits = quick
    yield Line("· no pacing", taken.wall, "s", taken.cpu)
    yield Line("· own work: no pacing, less HTTP", taken.wall - waits.http, "s", None, REFRESH_OWN_SECONDS)


@contextmanager
def _desk(symbols: int, first: date, now: datetime) -> Iterator[tuple[PipelineContext, Stopwatch]]:
    """An empty database, and an exchange to ask."""
    with temporary_home() as home, ExitStack() as stack:
        universe = home.parent / "universe.csv"
        url = stack.enter_context(exchange_process(symbols, first, now, universe))
        server = EmbeddedServer(home)
        server.start(die_with_parent=True)
        stack.callback(server.stop)
        server.ensure_database(DATA_DATABASE)
        database = Database(DatabaseUrl.parse(server.url(DATA_DATABASE)))
        stack.callback(database.close)
        migrate(database, database_shape())
        settings = load_settings(
            bist_home=home, bist_universe=str(universe), yahoo_hosts=url, yahoo_requests_per_second=0
        )
        clock = exchange_clock(settings)
        yield PipelineContext(settings, database, load_calendar(), clock, "benchmark"), Stopwatch(server.pid or 0)
