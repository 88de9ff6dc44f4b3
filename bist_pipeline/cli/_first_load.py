"""What `up` tells of the first load while it runs.

Belongs here: looking at the database every second, in a thread of its own, and showing how far history is derived. It
starts nothing: the sensor `first_load` does.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Thread

import click
import numpy as np

from bist_pipeline.cli._console import progress_bar
from bist_pipeline.core.calendar import ISTANBUL
from bist_pipeline.core.clock import SystemClock
from bist_pipeline.core.errors import StorageError
from bist_pipeline.pipeline.history import history_chunks
from bist_pipeline.settings import Settings
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.url import DatabaseUrl

_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Progress:
    """Weekdays derived, of all that the stored history has; symbols asked so far, and those of them that failed."""

    derived: int
    weekdays: int
    symbols_asked: int
    symbols: int
    failed: int

    @property
    def is_complete(self) -> bool:
        return self.symbols_asked > 0 and self.derived == self.weekdays


@contextmanager
def told_of_first_load(url: DatabaseUrl, settings: Settings, address: str) -> Iterator[None]:
    """Show the first load's progress for the duration of a block."""
    stop = Event()
    thread = Thread(target=_watch, args=(url, settings, address, stop), name="first-load", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=5)


def _watch(url: DatabaseUrl, settings: Settings, address: str, stop: Event) -> None:
    database = Database(url)
    try:
        click.echo(f"the UI will be at {address}")
        _watch_until_loaded(database, stop)
        if not stop.is_set():
            click.echo(f"history is loaded: `bist-pipeline signals`; the UI is at {address}; Ctrl-C stops")
    except StorageError as error:
        # The database ends before this thread when everything is stopped; the first load goes on without an audience.
        if not stop.is_set():
            click.echo(f"progress of the first load cannot be shown: {error}", err=True)
    finally:
        database.close()


def _watch_until_loaded(database: Database, stop: Event) -> None:
    warned = False
    with progress_bar() as told:
        while not stop.wait(_LOOK_SECONDS):
            now = _look(database)
            told("symbols asked", now.symbols_asked, now.symbols)
            told("weekdays derived", now.derived, now.weekdays)
            if now.failed and now.symbols_asked >= now.symbols and not warned:
                warned = True
                click.echo(f"{now.failed} symbols failed: `bist-pipeline status` says why", err=True)
            if now.is_complete:
                return


def _look(database: Database) -> _Progress:
    today = datetime.astimezone(SystemClock().now(), ISTANBUL).date()
    chunks = history_chunks(database, today)
    lengths = {c.number: int(np.busday_count(c.span.first, c.span.last)) + 1 for c in chunks}
    asked = database.rows(
        "SELECT count(*) AS symbols, count(*) FILTER (WHERE status = 'failed') AS failed FROM market.fetch_ledger"
    )[0]
    all_symbols = database.rows("SELECT count(*) AS symbols FROM reference.stocks WHERE is_active")[0].symbols
    derived = sum(lengths[c.number] for c in chunks if c.published)
    return _Progress(derived, sum(lengths.values()), asked.symbols, all_symbols, asked.failed)
