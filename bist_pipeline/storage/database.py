"""One database: connections for small statements, bulk reads, bulk transactions.

Belongs here: opening and closing connections. Small statements go through SQLAlchemy on psycopg2; anything that moves
rows goes through ADBC, whose reads and writes are PostgreSQL's binary COPY.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any, cast

import adbc_driver_postgresql.dbapi as adbc
import pandas as pd
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError

from bist_pipeline.core.errors import StorageError
from bist_pipeline.storage.arrow import fetch, to_frame
from bist_pipeline.storage.bulk import BulkTransaction
from bist_pipeline.storage.failures import translated
from bist_pipeline.storage.url import DatabaseUrl

OLDEST_SERVER = 14


class Statements:
    """Small statements with `:name` parameters in one open transaction. Made by `Database.statements`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def run(self, sql: str, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] = ()) -> int:
        """Run one statement, once per set of parameters, and return how many rows it touched."""
        return self._connection.execute(sa.text(sql), parameters or None).rowcount

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Run one query and return its rows by column name."""
        return [dict(row) for row in self._connection.execute(sa.text(sql), dict(parameters or {})).mappings()]


class Database:
    """A PostgreSQL database. Holds no connection until it is used; `close` ends the pool."""

    def __init__(self, url: DatabaseUrl) -> None:
        self.url = url
        self._engine = sa.create_engine(url.url, pool_size=2, max_overflow=4, pool_pre_ping=True, pool_recycle=1800)
        self._readers = _readers(url)

    def close(self) -> None:
        """Close all pooled connections."""
        self._engine.dispose()
        self._readers.dispose()

    @contextmanager
    def transaction(self, doing: str = "querying the database") -> Iterator[sa.Connection]:
        """Open a transaction for small statements; it commits at the end and rolls back on any error."""
        with translated(doing), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def statements(self, doing: str) -> Iterator[Statements]:
        """Open a transaction for small statements, for those who do not speak the driver's language."""
        with self.transaction(doing) as connection:
            yield Statements(connection)

    def run_alone(self, statement: str) -> None:
        """Run one statement outside any transaction, as `CREATE DATABASE` needs it."""
        engine = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        with translated(f"running {statement}"), engine.connect() as connection:
            connection.exec_driver_sql(statement)

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Sequence[sa.Row[Any]]:
        """Run one small query with `:name` parameters."""
        with self.transaction() as connection:
            return connection.execute(sa.text(sql), dict(parameters or {})).all()

    def frame(self, sql: str, parameters: Sequence[Any] = ()) -> pd.DataFrame:
        """Run a query with `$1` parameters and return a frame.

        Dates arrive as datetime64[us], moments as datetime64[us, UTC], text as str, NULL numbers as NaN.
        """
        with translated("reading from the database"), closing(self._readers.connect()) as connection:
            return to_frame(fetch(cast(adbc.Connection, connection.dbapi_connection), sql, parameters))

    @contextmanager
    def bulk(self, doing: str) -> Iterator[BulkTransaction]:
        """Open a transaction that moves many rows; it commits at the end and rolls back on any error."""
        with translated(doing), adbc.connect(self.url.libpq) as connection:
            try:
                yield BulkTransaction(connection)
            except BaseException:
                # A connection that is gone has rolled back already; why it went is what a person needs to read.
                with suppress(adbc.Error):
                    connection.rollback()
                raise
            connection.commit()

    def check_version(self) -> str:
        """Return the server's version.

        Raises:
            DatabaseUnavailableError: Nobody answers.
            StorageError: The server is older than what the SQL here needs.
        """
        number = int(self.rows("SELECT current_setting('server_version_num')")[0][0])
        if number < OLDEST_SERVER * 10_000:
            raise StorageError(
                f"PostgreSQL {number // 10_000} at {self.url} is too old: {OLDEST_SERVER} or newer is needed"
            )
        return str(self.rows("SHOW server_version")[0][0])


def _readers(url: DatabaseUrl) -> sa.Pool:
    """A pool of ADBC connections for reads; each read is a transaction of its own, which is rolled back.

    Opening one loads the server's whole list of types: 30 ms, more than most questions take.
    """
    pool = sa.QueuePool(lambda: cast(Any, adbc.connect(url.libpq)), pool_size=1, max_overflow=-1, recycle=1800)
    event.listen(pool, "checkout", _ping)
    return pool


def _ping(connection: Any, *_: Any) -> None:
    """Notice a server that was started anew: the pool then opens another connection."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchall()
        connection.rollback()
    except adbc.Error as error:
        raise DisconnectionError from error
