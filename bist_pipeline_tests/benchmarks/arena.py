"""Where a benchmark takes place: a temporary home with its own server, an archive, copies of databases.

Belongs here: making and removing all that. Does not belong here: what is measured.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from bist_pipeline.core.calendar import ISTANBUL, load_calendar
from bist_pipeline.core.clock import FixedClock
from bist_pipeline.pipeline.context import DATA_DATABASE, PipelineContext
from bist_pipeline.pipeline.contracts import database_shape
from bist_pipeline.pipeline.span import Span
from bist_pipeline.settings import load_settings
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.embedded.server import EmbeddedServer
from bist_pipeline.storage.migrate import migrate
from bist_pipeline.storage.url import DatabaseUrl
from bist_pipeline_tests.archives import FIRST, simulated_bars, write_archive
from bist_pipeline_tests.benchmarks.stopwatch import Stopwatch, tell
from bist_pipeline_tests.storage.embedded_homes import temporary_home

_NUMBERS = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Arena:
    """One run's surroundings.

    Attributes:
        server: The embedded server of the temporary home.
        watch: Measures jobs on it.
        context: The pipeline on the database `bist`.
        sessions: The days of the simulated market.
        bars: How many bars it has.
    """

    server: EmbeddedServer
    watch: Stopwatch
    context: PipelineContext
    sessions: tuple[date, ...]
    bars: int

    @property
    def span(self) -> Span:
        """The whole market."""
        return Span(self.sessions[0], self.sessions[-1])

    @property
    def last(self) -> Span:
        """Its last session."""
        return Span(self.sessions[-1], self.sessions[-1])

    @contextmanager
    def copied(self) -> Iterator[PipelineContext]:
        """The pipeline on a copy of the database, which is dropped afterwards."""
        name, maintenance = f"copy_{next(_NUMBERS)}", Database(DatabaseUrl.parse(self.server.url("postgres")))
        self.context.database.close()
        maintenance.run_alone(f"CREATE DATABASE {name} TEMPLATE {DATA_DATABASE}")
        database = Database(DatabaseUrl.parse(self.server.url(name)))
        try:
            yield PipelineContext(
                self.context.settings, database, self.context.calendar, self.context.clock, "benchmark"
            )
        finally:
            database.close()
            maintenance.run_alone(f"DROP DATABASE {name} WITH (FORCE)")
            maintenance.close()


@contextmanager
def open_arena(symbols: int, sessions: int) -> Iterator[Arena]:
    """Make a SIMULATED market as an archive, and an empty, migrated database; remove both afterwards."""
    with temporary_home() as home:
        tell(f"making a SIMULATED market of {symbols} symbols × {sessions} sessions in {home}")
        archive, days = _write_market(home.parent / "archive", symbols, sessions)
        server = EmbeddedServer(home)
        server.start(die_with_parent=True)
        server.ensure_database(DATA_DATABASE)
        database = Database(DatabaseUrl.parse(server.url(DATA_DATABASE)))
        migrate(database, database_shape())
        settings = load_settings(bist_home=home, bist_archive_dir=archive, bist_universe="packaged")
        after_close = datetime.combine(days[-1] + timedelta(days=1), time(), ISTANBUL)
        context = PipelineContext(settings, database, load_calendar(), FixedClock(after_close), "benchmark")
        try:
            yield Arena(server, Stopwatch(server.pid or 0), context, days, symbols * sessions)
        finally:
            database.close()
            server.stop()


def _write_market(folder: Path, symbols: int, sessions: int) -> tuple[Path, tuple[date, ...]]:
    bars = simulated_bars(symbols, sessions, first=FIRST)
    days = tuple(day.date() for day in bars["session_date"].iloc[:sessions])
    return write_archive(folder, bars), days
