"""Where Dagster's records go: a database of their own, or a schema where only one database is granted."""

import itertools
from contextlib import contextmanager

import psycopg2
import pytest

from bist_pipeline.core.errors import DatabaseUnavailableError
from bist_pipeline.pipeline.dagster_records import RECORDS, prepare_records, running_dagster_url
from bist_pipeline.settings import load_settings
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.url import DatabaseUrl

NUMBERS = itertools.count(1)


@pytest.fixture
def maintenance(server):
    """The server's own database; whatever is called `dagster` is gone before and after."""
    database = Database(DatabaseUrl.parse(server.url("postgres")))
    database.run_alone(f"DROP DATABASE IF EXISTS {RECORDS} WITH (FORCE)")
    yield database
    database.run_alone(f"DROP DATABASE IF EXISTS {RECORDS} WITH (FORCE)")
    database.close()


@contextmanager
def granted_one_database(maintenance, server):
    """A role that may do what it likes in one database, and make no other."""
    name = f"tenant_{next(NUMBERS)}"
    maintenance.run_alone(f"CREATE ROLE {name} LOGIN NOCREATEDB NOSUPERUSER")
    maintenance.run_alone(f"CREATE DATABASE {name} OWNER {name}")
    yield DatabaseUrl(DatabaseUrl.parse(server.url(name)).url.set(username=name))
    maintenance.run_alone(f"DROP DATABASE {name} WITH (FORCE)")
    maintenance.run_alone(f"DROP ROLE {name}")


def ask(url, question):
    connection = psycopg2.connect(url.libpq)
    try:
        with connection.cursor() as cursor:
            cursor.execute(question)
            rows = cursor.fetchall()
            return rows[0][0]
    finally:
        connection.close()


def settings_for(url, tmp_path):
    return load_settings(bist_home=tmp_path, bist_database_url=url.libpq)


def test_records_get_a_database_of_their_own_where_one_can_be_made(maintenance, database_url, tmp_path):
    for _ in range(2):  # again changes nothing
        url = prepare_records(database_url)
        assert url.database == ask(url, "SELECT current_database()") == RECORDS
    assert running_dagster_url(settings_for(database_url, tmp_path)).database == RECORDS
    assert ask(database_url, "SELECT count(*) FROM pg_namespace WHERE nspname = 'dagster'") == 0


def test_only_the_records_do_not_wait_for_the_disk(maintenance, database_url):
    assert ask(prepare_records(database_url), "SHOW synchronous_commit") == "off"
    assert ask(database_url, "SHOW synchronous_commit") == "on"


def test_records_get_a_schema_where_no_database_can_be_made(maintenance, server, tmp_path):
    with granted_one_database(maintenance, server) as granted:
        prepare_records(granted)
        url = prepare_records(granted)  # again changes nothing
        assert url.database == granted.database
        assert ask(url, "SELECT current_schema()") == RECORDS
        found = running_dagster_url(settings_for(granted, tmp_path))
        assert ask(found, "SELECT current_schema()") == RECORDS
        assert ask(url, "SHOW synchronous_commit") == "on"


def test_a_database_called_dagster_that_is_not_ours_is_left_alone(maintenance, server, tmp_path):
    maintenance.run_alone(f"CREATE DATABASE {RECORDS}")
    with granted_one_database(maintenance, server) as granted:
        url = prepare_records(granted)
        assert (url.database, ask(url, "SELECT current_schema()")) == (granted.database, RECORDS)


def test_data_that_lie_in_a_database_called_dagster_share_it_and_still_wait_for_the_disk(maintenance, server):
    maintenance.run_alone(f"CREATE DATABASE {RECORDS}")
    data = DatabaseUrl.parse(server.url(RECORDS))
    url = prepare_records(data)
    assert (url.database, ask(url, "SELECT current_schema()")) == (RECORDS, RECORDS)
    assert ask(data, "SHOW synchronous_commit") == "on"


def test_without_a_running_database_it_says_what_to_type(tmp_path):
    with pytest.raises(DatabaseUnavailableError, match=r"bist-pipeline up.*bist-pipeline env"):
        running_dagster_url(load_settings(bist_home=tmp_path / "home"))
