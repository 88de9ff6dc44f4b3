"""What every use case needs: settings, database, calendar, clock, and who is asking.

Belongs here: opening all of it and closing it again. Does not belong here: any step of the pipeline.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from bist_pipeline.core.calendar import SessionCalendar, load_calendar
from bist_pipeline.core.clock import Clock, SystemClock
from bist_pipeline.core.errors import DatabaseUnavailableError, ProviderError, StorageError
from bist_pipeline.core.listings_file import LISTINGS_FILE
from bist_pipeline.operations import kill_switch
from bist_pipeline.pipeline.compiling import keep_compiled
from bist_pipeline.pipeline.models import is_prepared, prepare
from bist_pipeline.providers.registry import exchange_clock
from bist_pipeline.settings import Settings
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.embedded.usage import use_server
from bist_pipeline.storage.migrate import current_fingerprint
from bist_pipeline.storage.url import DatabaseUrl

Origin = Literal["live", "backfill"]

DATA_DATABASE = "bist"
OVERRIDES_FILE = "calendar_overrides.csv"
ACTIONS_FILE = "corporate_actions.csv"


@dataclass(frozen=True, slots=True)
class PipelineContext:
    """The surroundings of one run.

    Attributes:
        settings: What the person decided.
        database: The data's database, migrated.
        calendar: Sessions, with the overrides that the desk keeps in the home.
        clock: What time it is.
        run_id: Who makes the changes; stored with each publish.
        origin: Whether the run refreshes the session in progress or fills history.
    """

    settings: Settings
    database: Database
    calendar: SessionCalendar
    clock: Clock
    run_id: str
    origin: Origin = "backfill"


@contextmanager
def open_context(
    settings: Settings,
    *,
    clock: Clock | None = None,
    run_id: str | None = None,
    reads_only: bool = False,
    origin: Origin = "backfill",
) -> Iterator[PipelineContext]:
    """Open the database (starting the embedded server if need be), migrate it, load the calendar.

    Args:
        settings: What the person decided.
        clock: What time it is; the exchange's by default.
        run_id: Who makes the changes; a fresh one by default.
        reads_only: Whether this is no work that the kill switch stops.
        origin: Whether the run refreshes the session in progress or fills history.

    Raises:
        KillSwitchError: The kill switch is set.
        TransientProviderError: The simulated exchange, whose clock decides, does not answer.
        StorageError: The database cannot be reached or prepared.
    """
    if reads_only:
        _require_home(settings)
    else:
        kill_switch.check(settings.bist_kill_switch)
    keep_compiled(settings)
    with open_database(settings) as database:
        if not reads_only:
            prepare(database)
        elif current_fingerprint(database) is None:
            raise StorageError(f"nothing is stored in {database.url} yet: `bist-pipeline up` or `backfill` fills it")
        calendar = load_calendar(overrides_path(settings))
        told = clock or _clock(settings, reads_only=reads_only)
        with _told_where_not_migrated(database):
            yield PipelineContext(settings, database, calendar, told, run_id or str(uuid.uuid4()), origin)


@contextmanager
def _told_where_not_migrated(database: Database) -> Iterator[None]:
    """Say in words what it means that a table or column is missing which an older version did not know."""
    try:
        yield
    except DatabaseUnavailableError:
        raise
    except StorageError as error:
        if is_prepared(database):
            raise
        raise StorageError(f"{database.url} is not migrated: any writing command (or `up`) migrates it") from error


def _clock(settings: Settings, *, reads_only: bool) -> Clock:
    try:
        return exchange_clock(settings)
    except ProviderError:
        if reads_only:
            return SystemClock()  # what is stored can be read without the exchange that it came from
        raise


def _require_home(settings: Settings) -> None:
    """Refuse to make a database where somebody only wants to read one."""
    if settings.bist_database_url is None and not (settings.bist_home / "postgres").exists():
        raise StorageError(
            f"nothing is stored in {settings.bist_home}: run this where `up` was started, or set BIST_HOME"
        )


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """Open the data's database without migrating it; the embedded server runs at least as long as this context."""
    with data_url(settings) as url:
        database = Database(url)
        try:
            yield database
        finally:
            database.close()


@contextmanager
def data_url(settings: Settings) -> Iterator[DatabaseUrl]:
    """Resolve where the data lives, starting the embedded server if no database is configured."""
    if settings.bist_database_url is not None:
        yield DatabaseUrl.parse(settings.bist_database_url.get_secret_value())
        return
    with use_server(settings.bist_home) as server:
        server.ensure_database(DATA_DATABASE)
        yield DatabaseUrl.parse(server.url(DATA_DATABASE))


def overrides_path(settings: Settings) -> Path | None:
    """The desk's own calendar overrides, where it keeps any."""
    path = settings.bist_home / OVERRIDES_FILE
    return path if path.exists() else None


def desk_texts(settings: Settings) -> dict[str, bytes]:
    """What the desk's own files in the home say, by name; empty where there is none, or it cannot be read."""
    texts = {}
    for name in (OVERRIDES_FILE, ACTIONS_FILE, LISTINGS_FILE):
        try:
            texts[name] = (settings.bist_home / name).read_bytes()
        except OSError:
            texts[name] = b""
    return texts


# How long after the end of a session its bar is to be had, where no provider says otherwise: the usual delay of
# free BIST data.
DEFAULT_DELAY = timedelta(minutes=15)
