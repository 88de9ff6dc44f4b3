"""What all tests share: a clean environment, one real PostgreSQL, databases made from a migrated template.

Belongs here: fixtures that more than one room needs. The server is the embedded one; each test that asks for a database
gets its own, copied from a template in a few milliseconds.
"""

import itertools
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bist_pipeline.core.calendar import load_calendar
from bist_pipeline.core.clock import FixedClock
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.contracts import database_shape
from bist_pipeline.settings import Settings, load_settings
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.embedded.server import EmbeddedServer
from bist_pipeline.storage.migrate import migrate
from bist_pipeline.storage.url import DatabaseUrl
from bist_pipeline_tests.storage.embedded_homes import temporary_home

_TEMPLATE = "migrated_template"
_NUMBERS = itertools.count(1)

# After the close of a Friday, far behind every simulated archive: what they hold is final.
AFTER_CLOSE = datetime(2026, 8, 7, 20, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the variables of whoever runs it, and none writes into the checkout."""
    for name in list(os.environ):
        if name.startswith(("BIST_", "COLLECTOR_", "DAGSTER_", "YAHOO_", "YF_")) and name != "BIST_REALDATA":
            monkeypatch.delenv(name)
    monkeypatch.setenv("BIST_HOME", str(tmp_path / "home"))


@pytest.fixture(autouse=True)
def _forget_gone_instances() -> None:
    """Where the lives of two Dagster instances overlapped, Dagster may go on asking one that is gone."""
    base = sys.modules.get("dagster._core.storage.defs_state.base")
    held = base._current_storage.get() if base else None
    if base is not None and held is not None and held._instance_weakref and held._instance_weakref() is None:
        base._current_storage.set(None)


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of recordings beside the project; tests that need it are marked `realdata`."""
    folder = Path(os.environ.get("BIST_REALDATA") or Path(__file__).parents[2] / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no recordings in {folder}")
    return folder


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """One embedded PostgreSQL for the whole session, with a migrated template database."""
    with temporary_home() as home:
        server = EmbeddedServer(home)
        server.start(die_with_parent=True)
        _hurry(server)
        server.ensure_database(_TEMPLATE)
        template = Database(DatabaseUrl.parse(server.url(_TEMPLATE)))
        migrate(template, database_shape())
        template.close()
        yield server
        server.stop()


@pytest.fixture
def empty_url(server: EmbeddedServer) -> Iterator[DatabaseUrl]:
    """The address of a fresh, empty database."""
    yield from _fresh(server, template="template1")


@pytest.fixture
def database_url(server: EmbeddedServer) -> Iterator[DatabaseUrl]:
    """The address of a fresh, migrated database."""
    yield from _fresh(server, template=_TEMPLATE)


@pytest.fixture
def database(database_url: DatabaseUrl) -> Iterator[Database]:
    """A fresh, migrated database."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def settings(database_url: DatabaseUrl, tmp_path: Path) -> Settings:
    """Settings that lead to the fresh database and to an archive in `tmp_path / "archive"`."""
    return load_settings(
        bist_home=tmp_path / "home",
        bist_database_url=database_url.libpq,
        bist_archive_dir=tmp_path / "archive",
    )


@pytest.fixture
def context(settings: Settings, database: Database) -> PipelineContext:
    """The surroundings of a run on the fresh database, after the close of 2026-08-07."""
    return PipelineContext(settings, database, load_calendar(), FixedClock(AFTER_CLOSE), run_id="test")


def _hurry(server: EmbeddedServer) -> None:
    """Tell the server that its data need not survive: each database would cost it hundreds of flushes."""
    maintenance = Database(DatabaseUrl.parse(server.url("postgres")))
    maintenance.run_alone("ALTER SYSTEM SET fsync = off")
    maintenance.run_alone("SELECT pg_reload_conf()")
    maintenance.close()


def _fresh(server: EmbeddedServer, template: str) -> Iterator[DatabaseUrl]:
    name = f"test_{next(_NUMBERS)}"
    maintenance = Database(DatabaseUrl.parse(server.url("postgres")))
    maintenance.run_alone(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield DatabaseUrl.parse(server.url(name))
    maintenance.run_alone(f"DROP DATABASE {name} WITH (FORCE)")
    maintenance.close()
