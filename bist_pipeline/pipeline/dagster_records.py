"""Where Dagster keeps its records: beside the data, on the same server.

Belongs here: finding and preparing that place, and the little that `status` reads there. A database `dagster` of its
own where one can be had, else a schema `dagster` in the data's database. Dagster itself is not imported here.
"""

from datetime import timedelta
from typing import Any

import pandas as pd

from bist_pipeline.core.errors import DatabaseUnavailableError, StorageError
from bist_pipeline.settings import Settings
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.embedded.server import EmbeddedServer
from bist_pipeline.storage.url import DatabaseUrl

RECORDS = "dagster"


def running_dagster_url(settings: Settings) -> DatabaseUrl:
    """Find Dagster's records without starting anything.

    Raises:
        DatabaseUnavailableError: No database is running; the message says what to type.
    """
    if settings.bist_database_url is not None:
        return _external(DatabaseUrl.parse(settings.bist_database_url.get_secret_value()))
    server = EmbeddedServer(settings.bist_home)
    if not server.is_running():
        raise DatabaseUnavailableError(
            f"no database runs in {settings.bist_home}. Type `bist-pipeline up` for everything, "
            'or `eval "$(bist-pipeline env)"` before dagster dev'
        )
    return DatabaseUrl.parse(server.url(RECORDS))


def prepare_records(data: DatabaseUrl) -> DatabaseUrl:
    """Make the place for Dagster's records if it is missing, and return its address.

    A lost second of Dagster's event log does no harm, so its commits need not wait for the disk; those of the data do.
    """
    database = Database(data)
    try:
        _create(database)
        url = _external(data)
        if url.database != data.database:  # never the data's own database, should that be called `dagster`
            _try(database, f"ALTER DATABASE {RECORDS} SET synchronous_commit = off")
            _try(database, f"REVOKE ALL ON DATABASE {RECORDS} FROM PUBLIC")
        return url
    finally:
        database.close()


# Dagster's own table; a run that never started has no end.
_FAILED = """
SELECT job, count(*) AS runs, max(failed_at) AS last_failed FROM (
    SELECT pipeline_name AS job, coalesce(to_timestamp(end_time), update_timestamp AT TIME ZONE 'UTC') AS failed_at
    FROM runs WHERE status = 'FAILURE') AS failed
WHERE failed_at >= clock_timestamp() - $1 * interval '1 second' GROUP BY job ORDER BY last_failed DESC, job"""


def failed_runs(settings: Settings, within: timedelta) -> pd.DataFrame:
    """Count the runs that failed lately.

    Returns:
        `job`, `runs`, `last_failed`; no rows where Dagster has no records yet. Where they cannot be read, which is not
        the same as that nothing failed, one row says why in place of a job.
    """
    try:
        database = Database(running_dagster_url(settings))
        try:
            there = database.rows("SELECT to_regclass('runs') IS NOT NULL AS there")[0].there
            return database.frame(_FAILED, [within.total_seconds()]) if there else _told([])
        finally:
            database.close()
    except DatabaseUnavailableError:
        return _told([])  # no place for records was made: only `up` and `env` need one
    except StorageError as error:
        return _told([(f"cannot be read: {error}", 0, pd.NaT)])


def _told(rows: list[tuple[str, int, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["job", "runs", "last_failed"])


def _create(database: Database) -> None:
    if _own_database(database) or _try(database, f"CREATE DATABASE {RECORDS}"):
        return
    with database.transaction("preparing Dagster's records") as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {RECORDS}")


def _external(data: DatabaseUrl) -> DatabaseUrl:
    database = Database(data)
    try:
        own = _own_database(database)
    finally:
        database.close()
    return data.with_database(RECORDS) if own else data.with_search_path(RECORDS)


def _own_database(database: Database) -> bool:
    """Whether there is a database of that name, other than the data's, in which this user may make tables."""
    if database.url.database == RECORDS:
        return False
    sql = """SELECT has_database_privilege(oid, 'CONNECT') AND has_database_privilege(oid, 'CREATE')
        FROM pg_database WHERE datname = :name"""
    rows = database.rows(sql, {"name": RECORDS})
    return bool(rows and rows[0][0])


def _try(database: Database, statement: str) -> bool:
    """Run a statement that needs a privilege which a shared server may not grant."""
    try:
        database.run_alone(statement)
    except StorageError:
        return False
    return True
