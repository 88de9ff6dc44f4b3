"""A database that is kept for a whole module and emptied before each test.

Belongs here: fixtures for modules whose tests change rows and no table. Making a database copies its template, which
takes longer than most tests. A module asks for them by importing both names; `database` and `context` then lead there.
"""

from collections.abc import Iterator

import pytest

from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.embedded.server import EmbeddedServer
from bist_pipeline.storage.url import DatabaseUrl
from bist_pipeline_tests import conftest as shared


@pytest.fixture(scope="module")
def kept_url(server: EmbeddedServer) -> Iterator[DatabaseUrl]:
    """The address of a migrated database that lives as long as the module."""
    yield from shared._fresh(server, template=shared._TEMPLATE)


@pytest.fixture
def database_url(kept_url: DatabaseUrl) -> DatabaseUrl:
    """The same address, once every table is empty."""
    database = Database(kept_url)
    with database.transaction() as connection:
        connection.exec_driver_sql("; ".join(f"DELETE FROM {one.name}" for one in contracts().all()))
    database.close()
    return kept_url
