"""The command line over a small desk's database."""

from collections.abc import Iterator

import pytest

from bist_pipeline.storage.database import Database
from bist_pipeline.storage.url import DatabaseUrl
from bist_pipeline_tests.desks import Desk, fill, fresh_database, make_desk


@pytest.fixture(scope="session")
def cli_desk(tmp_path_factory) -> Desk:
    """An archive of three symbols that no test changes."""
    return make_desk(tmp_path_factory.mktemp("cli desk"))


@pytest.fixture(scope="session")
def cli_template(server, cli_desk, tmp_path_factory) -> Iterator[str]:
    """The name of a database that holds everything derived from it."""
    with fresh_database(server, "migrated_template") as url:
        fill(cli_desk, url, tmp_path_factory.mktemp("filling"))
        yield url.database


@pytest.fixture
def filled(server, cli_template, cli_desk, monkeypatch) -> Iterator[Database]:
    """A copy of it, to which the environment leads."""
    with fresh_database(server, cli_template) as url:
        yield from _chosen(url, cli_desk, monkeypatch)


@pytest.fixture(scope="session")
def shared_url(server, cli_template) -> Iterator[DatabaseUrl]:
    with fresh_database(server, cli_template) as url:
        yield url


@pytest.fixture
def untouched(shared_url, cli_desk, monkeypatch) -> Iterator[Database]:
    """A full database for tests that change nothing in it; one for all of them."""
    yield from _chosen(shared_url, cli_desk, monkeypatch)


@pytest.fixture
def unfilled(database_url, cli_desk, monkeypatch) -> Iterator[Database]:
    """A migrated database without a row, to which the environment leads."""
    yield from _chosen(database_url, cli_desk, monkeypatch)


def _chosen(url: DatabaseUrl, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    for name, value in desk.variables(url).items():
        monkeypatch.setenv(name, value)
    database = Database(url)
    yield database
    database.close()
