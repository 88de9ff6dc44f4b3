"""A desk's small market: an archive of three SIMULATED symbols, a universe that names them, a database that holds them.

Belongs here: what the tests of Dagster's room, of the command line and of the whole need alike.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from bist_pipeline.pipeline.backfill import BackfillReport, backfill
from bist_pipeline.pipeline.context import open_context
from bist_pipeline.pipeline.span import Span
from bist_pipeline.providers.registry import build_providers
from bist_pipeline.settings import load_settings
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.embedded.server import EmbeddedServer
from bist_pipeline.storage.url import DatabaseUrl
from bist_pipeline_tests.archives import simulated_bars, write_archive

SYMBOLS = ("ZZAAA", "ZZAAB", "ZZAAC")
SESSIONS = 300  # from 2021-01-04: more than the longest warm-up
FIRST = date(2021, 1, 4)
LAST = date(2022, 3, 14)
HOLIDAY = date(2021, 4, 23)  # a Friday
SINGLE = date(2022, 3, 10)

_NUMBERS = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a desk keeps its things.

    Attributes:
        archive: One file per symbol.
        universe: The list that names them.
    """

    archive: Path
    universe: Path

    def variables(self, url: DatabaseUrl) -> dict[str, str]:
        """What the desk exports."""
        return {
            "BIST_DATABASE_URL": url.libpq,
            "BIST_ARCHIVE_DIR": str(self.archive),
            "BIST_UNIVERSE": str(self.universe),
        }


def make_desk(folder: Path, symbols: int = len(SYMBOLS), sessions: int = SESSIONS) -> Desk:
    """Write an archive and its universe."""
    bars = simulated_bars(symbols, sessions)
    universe = folder / "universe.csv"
    archive = write_archive(folder / "archive", bars)
    universe.write_text("symbol\n" + "".join(f"{symbol}\n" for symbol in bars["symbol"].unique()))
    return Desk(archive, universe)


def fill(desk: Desk, url: DatabaseUrl, home: Path, first: date = FIRST, last: date = LAST) -> BackfillReport:
    """Backfill a database from the desk's archive."""
    settings = load_settings(
        bist_home=home,
        bist_database_url=url.libpq,
        bist_archive_dir=desk.archive,
        bist_universe=str(desk.universe),
    )
    with open_context(settings) as context:
        return backfill(context, build_providers(settings), Span(first, last))


@contextmanager
def fresh_database(server: EmbeddedServer, template: str) -> Iterator[DatabaseUrl]:
    """Copy a database for the length of a block."""
    name = f"desk_{next(_NUMBERS)}"
    maintenance = Database(DatabaseUrl.parse(server.url("postgres")))
    try:
        maintenance.run_alone(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield DatabaseUrl.parse(server.url(name))
        maintenance.run_alone(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        maintenance.close()
