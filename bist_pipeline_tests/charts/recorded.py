"""Recorded bars brought through the pipeline's own cleaning, on a temporary server. Nothing of yours is touched.

Belongs here: from a folder of daily bars to a database with accepted bars. Does not belong here: what is measured in
them (`__main__.py`, `noise/`).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path

from bist_pipeline.core.calendar import ISTANBUL, load_calendar
from bist_pipeline.core.clock import FixedClock
from bist_pipeline.pipeline.cleaning import clean_prices
from bist_pipeline.pipeline.context import DATA_DATABASE, PipelineContext
from bist_pipeline.pipeline.contracts import database_shape
from bist_pipeline.pipeline.ingest import ingest
from bist_pipeline.pipeline.span import Span
from bist_pipeline.pipeline.universe import active_symbols, refresh_universe
from bist_pipeline.providers.registry import build_providers
from bist_pipeline.settings import load_settings
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.embedded.server import EmbeddedServer
from bist_pipeline.storage.migrate import migrate
from bist_pipeline.storage.url import DatabaseUrl
from bist_pipeline_tests.storage.embedded_homes import temporary_home

BASIS = "fully_adjusted"


def forget_settings() -> None:
    """Leave your own settings out of this process: it must not find your database."""
    for name in [name for name in os.environ if name.startswith(("BIST_", "DAGSTER_"))]:
        del os.environ[name]


@contextmanager
def cleaned(folder: Path, basis: str = BASIS) -> Iterator[tuple[PipelineContext, Span]]:
    """Take in and clean a folder's bars in a temporary home.

    Args:
        folder: As BIST_ARCHIVE_DIR.
        basis: As BIST_ARCHIVE_BASIS.

    Yields:
        A context whose database holds the accepted bars, and the span of their sessions.
    """
    with temporary_home() as home:
        server = EmbeddedServer(home)
        server.start(die_with_parent=True)
        server.ensure_database(DATA_DATABASE)
        database = Database(DatabaseUrl.parse(server.url(DATA_DATABASE)))
        migrate(database, database_shape())
        settings = load_settings(
            bist_home=home, bist_providers="archive", bist_archive_dir=folder, bist_archive_basis=basis
        )
        calendar = load_calendar()
        now = datetime.combine(calendar.horizon - timedelta(days=1), time_of_day(), ISTANBUL)
        context = PipelineContext(settings, database, calendar, FixedClock(now), "charts")
        try:
            providers = build_providers(settings)
            refresh_universe(context, providers)
            ingest(context, providers, active_symbols(context))
            span = _span(context)
            clean_prices(context, span)
            yield context, span
        finally:
            database.close()
            server.stop()


def _span(context: PipelineContext) -> Span:
    found = context.database.rows("SELECT min(session_date) AS a, max(session_date) AS b FROM market.raw_prices")[0]
    return Span(found.a, found.b)
