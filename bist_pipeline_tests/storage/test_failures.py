"""What a person reads when the database refuses: one line, the right type, what to do, no password.

The server is one that somebody else runs: TCP, with a password.
"""

import os
import signal
from collections.abc import Callable, Iterator

import psycopg2
import pytest

from bist_pipeline.core.errors import BistError, ContractError, DatabaseUnavailableError, StorageError
from bist_pipeline.pipeline.contracts import database_shape
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.embedded.waiting import wait_until
from bist_pipeline.storage.failures import translated
from bist_pipeline.storage.migrate import migrate
from bist_pipeline.storage.url import DatabaseUrl
from bist_pipeline_tests.storage.external_server import external_server

CONNECTIONS = 12


@pytest.fixture(scope="module")
def theirs() -> Iterator[DatabaseUrl]:
    """The database `postgres` of a server with few connections, as its superuser."""
    with external_server(f"max_connections={CONNECTIONS}") as server:
        yield DatabaseUrl.parse(server.url)


@pytest.fixture
def opened() -> Iterator[Callable[[DatabaseUrl], Database]]:
    """Opens databases and closes them after the test."""
    found: list[Database] = []

    def open_(url: DatabaseUrl) -> Database:
        found.append(Database(url))
        return found[-1]

    yield open_
    for database in found:
        database.close()


def by_rows(database: Database) -> object:
    return database.rows("SELECT 1")


def by_frame(database: Database) -> object:
    return database.frame("SELECT 1 AS one")


def by_bulk(database: Database) -> None:
    with database.bulk("writing market.raw_prices") as bulk:
        bulk.execute("SELECT 1")


def by_migrating(database: Database) -> object:
    return migrate(database, database_shape())


ways = pytest.mark.parametrize("way", [by_rows, by_frame, by_bulk, by_migrating])


def refused(database: Database, way: Callable[[Database], object]) -> StorageError:
    with pytest.raises(StorageError) as caught:
        way(database)
    told = str(caught.value)
    assert "\n" not in told
    assert str(database.url.url.password) not in told
    return caught.value


@ways
def test_a_wrong_password_is_called_one(theirs, opened, way):
    error = refused(opened(DatabaseUrl(theirs.url.set(password="not-this-one"))), way)
    assert isinstance(error, DatabaseUnavailableError)
    assert "password authentication failed" in str(error)
    assert str(error).endswith("(the password is wrong: check BIST_DATABASE_URL)")


@ways
def test_an_unknown_database_is_called_one(theirs, opened, way):
    error = refused(opened(theirs.with_database("nowhere")), way)
    assert isinstance(error, DatabaseUnavailableError)
    assert '"nowhere" does not exist' in str(error)
    assert "create it, or correct BIST_DATABASE_URL" in str(error)


@ways
def test_nobody_listening_leads_to_the_doctor(theirs, opened, way):
    error = refused(opened(DatabaseUrl(theirs.url.set(port=1))), way)
    assert isinstance(error, DatabaseUnavailableError)
    assert "is the database running? See `bist-pipeline doctor`" in str(error)


@ways
def test_a_role_that_may_not_log_in_is_refused_by_name(theirs, opened, way):
    maintenance = opened(theirs)
    maintenance.run_alone("DROP ROLE IF EXISTS sleeper")
    maintenance.run_alone("CREATE ROLE sleeper NOLOGIN PASSWORD 'sleeper-pw'")
    error = refused(opened(DatabaseUrl(theirs.url.set(username="sleeper", password="sleeper-pw"))), way)
    assert isinstance(error, DatabaseUnavailableError)
    assert "the server refuses this user" in str(error)


def test_a_server_without_a_free_connection_says_so(theirs, opened):
    held = [psycopg2.connect(theirs.libpq) for _ in range(CONNECTIONS)]
    try:
        for way in (by_rows, by_frame):
            error = refused(opened(theirs), way)
            assert isinstance(error, DatabaseUnavailableError)
            assert "raise max_connections or stop other clients" in str(error)
    finally:
        for connection in held:
            connection.close()


def test_a_missing_privilege_is_no_outage(theirs, opened):
    maintenance = opened(theirs)
    maintenance.run_alone("CREATE TABLE treasure (coins int)")
    maintenance.run_alone("CREATE ROLE guest LOGIN PASSWORD 'guest-pw'")
    guest = opened(DatabaseUrl(theirs.url.set(username="guest", password="guest-pw")))
    sql = "SELECT coins FROM treasure"
    for way in (lambda database: database.rows(sql), lambda database: database.frame(sql), by_migrating):
        error = refused(guest, way)
        assert not isinstance(error, DatabaseUnavailableError)
        assert str(error).endswith("(the database user lacks a privilege)")


def test_a_user_who_may_not_create_roles_migrates_without_the_reader(theirs, opened):
    maintenance = opened(theirs)
    maintenance.run_alone("CREATE ROLE plain LOGIN PASSWORD 'plain-pw'")
    maintenance.run_alone("CREATE DATABASE plain OWNER plain")
    database = opened(DatabaseUrl(theirs.with_database("plain").url.set(username="plain", password="plain-pw")))
    assert migrate(database, database_shape())
    assert database.rows("SELECT count(*) FROM pg_roles WHERE rolname = 'bist_reader'")[0][0] == 0
    assert database.rows("SELECT count(*) FROM serving.signals_v1")[0][0] == 0


def test_a_statement_that_postgresql_rejects_is_named_with_what_was_being_done(theirs, opened):
    for way in (lambda database: database.rows("SELEC 1"), lambda database: database.frame("SELEC 1")):
        error = refused(opened(theirs), way)
        assert type(error) is StorageError
        assert 'syntax error at or near "SELEC"' in str(error)


@pytest.mark.parametrize("how", ["statement", "commit"])
def test_a_connection_cut_in_the_middle_of_a_bulk_transaction_tells_the_cause(theirs, opened, how):
    database, other = opened(theirs), opened(theirs)

    def cut(database: Database) -> None:
        with database.bulk("writing market.raw_prices") as bulk:
            pid = bulk.execute("SELECT pg_backend_pid()")[0][0]
            other.rows("SELECT pg_terminate_backend(:pid, 5000)", {"pid": pid})
            if how == "statement":
                bulk.execute("SELECT 1")

    error = refused(database, cut)
    assert isinstance(error, DatabaseUnavailableError)
    assert str(error).startswith("writing market.raw_prices: ")
    assert "rollback" not in str(error)
    assert by_rows(database)


def test_a_connection_cut_in_the_middle_of_a_small_transaction_tells_the_cause(theirs, opened):
    database, other = opened(theirs), opened(theirs)

    def cut(database: Database) -> None:
        with database.transaction("publishing") as connection:
            pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            other.rows("SELECT pg_terminate_backend(:pid, 5000)", {"pid": pid})
            connection.exec_driver_sql("SELECT 1")

    error = refused(database, cut)
    assert isinstance(error, DatabaseUnavailableError)
    assert str(error).startswith("publishing: ")
    assert by_rows(database)


def test_an_error_of_our_own_is_not_hidden_by_the_lost_connection(theirs, opened):
    database, other = opened(theirs), opened(theirs)

    def fail() -> None:
        with database.bulk("writing") as bulk:
            pid = bulk.execute("SELECT pg_backend_pid()")[0][0]
            other.rows("SELECT pg_terminate_backend(:pid, 5000)", {"pid": pid})
            raise ContractError("ours")

    with pytest.raises(ContractError, match="ours"):
        fail()


def test_a_server_that_is_shut_down_in_the_middle_is_named(opened):
    with external_server() as server:
        database = opened(DatabaseUrl.parse(server.url))
        pid = int(database.rows("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)")[0][0])

        def shut_down(database: Database) -> None:
            with database.bulk("writing market.raw_prices") as bulk:
                bulk.execute("SELECT 1")
                os.kill(pid, signal.SIGINT)
                assert wait_until(lambda: not listens(server.url), 30)
                bulk.execute("SELECT 1")

        assert isinstance(refused(database, shut_down), DatabaseUnavailableError)
        for way in (by_rows, by_frame):
            assert isinstance(refused(database, way), DatabaseUnavailableError)


def listens(url: str) -> bool:
    try:
        psycopg2.connect(url).close()
    except psycopg2.OperationalError as error:
        return "Connection refused" not in str(error)
    return True


def test_errors_that_are_ours_or_nobodys_pass_unchanged():
    for error in (BistError("ours"), KeyError("a mistake of the program")):
        with pytest.raises(type(error)) as caught, translated("writing"):
            raise error
        assert caught.value is error
