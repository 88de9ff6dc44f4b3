"""Dagster in process: an instance of its own, and the environment of a small desk."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from bist_pipeline.storage.database import Database
from bist_pipeline.storage.url import DatabaseUrl
from bist_pipeline_tests.defs.runs import Runs
from bist_pipeline_tests.desks import Desk, fill, fresh_database, make_desk


@pytest.fixture(scope="session")
def desk(tmp_path_factory) -> Desk:
    """An archive of three symbols that no test changes."""
    return make_desk(tmp_path_factory.mktemp("desk"))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Dagster's records in memory."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def runs(instance, desk, database_url, monkeypatch) -> Runs:
    """Runs over a database that is migrated and empty."""
    return _runs(instance, desk, database_url, monkeypatch)


@pytest.fixture(scope="session")
def filled_template(server, desk, tmp_path_factory) -> Iterator[str]:
    """The name of a database that holds everything derived from the desk's archive."""
    with fresh_database(server, "migrated_template") as url:
        fill(desk, url, tmp_path_factory.mktemp("filling"))
        yield url.database


@pytest.fixture
def filled(server, filled_template) -> Iterator[DatabaseUrl]:
    """A copy of it."""
    with fresh_database(server, filled_template) as url:
        yield url


@pytest.fixture
def filled_runs(instance, desk, filled, monkeypatch) -> Runs:
    """Runs over a database that holds everything."""
    return _runs(instance, desk, filled, monkeypatch)


@pytest.fixture
def filled_database(filled) -> Iterator[Database]:
    """The same database, to look into."""
    database = Database(filled)
    yield database
    database.close()


def _runs(instance: dg.DagsterInstance, desk: Desk, url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch) -> Runs:
    for name, value in desk.variables(url).items():
        monkeypatch.setenv(name, value)
    return Runs(instance)


@pytest.fixture
def own_desk(tmp_path: Path) -> Desk:
    """An archive that the test may spoil: ten symbols, few sessions."""
    return make_desk(tmp_path / "own", symbols=10, sessions=40)
