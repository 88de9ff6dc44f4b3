"""Talking to the embedded server about itself.

Belongs here: its address, whether it answers, creating a database. Does not belong here: what is in a database.
"""

from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import psycopg2
from psycopg2 import errors, sql

from bist_pipeline.core.errors import EmbeddedServerError
from bist_pipeline.storage.embedded.diagnosis import one_line
from bist_pipeline.storage.embedded.layout import PORT

SUPERUSER = "postgres"
MAINTENANCE_DATABASE = "postgres"
_CONNECT_SECONDS = 5
# PostgreSQL's words for ERRCODE_CANNOT_CONNECT_NOW.
_NOT_NOW = ("starting up", "shutting down", "not yet accepting connections", "recovery")


def socket_url(socket_directory: Path, database: str) -> str:
    """Return the libpq URI of a database; user and port are named, so that PGUSER and PGPORT have no say."""
    host = quote(str(socket_directory), safe="")
    return f"postgresql://{SUPERUSER}@/{quote(database, safe='')}?host={host}&port={PORT}"


def answers(url: str) -> bool:
    """Return whether the server takes connections; one that has taken all it can does.

    Raises:
        EmbeddedServerError: It turns us away for a reason that waiting does not change: its files are damaged.
    """
    try:
        psycopg2.connect(url, connect_timeout=_CONNECT_SECONDS).close()
    except psycopg2.OperationalError as error:
        told = str(error)  # a refused connection carries no SQLSTATE
        if "too many clients" in told:
            return True
        if "FATAL" not in told or any(phrase in told for phrase in _NOT_NOW):
            return False
        raise EmbeddedServerError(f"the embedded PostgreSQL refuses connections: {one_line(told)}") from error
    return True


def create_database_if_missing(url: str, name: str) -> None:
    """Create a database in UTF-8, in the cluster's locale; two who do it at once both succeed.

    Args:
        url: Of the maintenance database.
        name: Of the database wanted.

    Raises:
        EmbeddedServerError: The server refused.
    """
    try:
        with closing(psycopg2.connect(url, connect_timeout=_CONNECT_SECONDS)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
                if cursor.fetchone() is None:
                    statement = sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0")
                    cursor.execute(statement.format(sql.Identifier(name)))
    except (errors.DuplicateDatabase, errors.UniqueViolation):
        return  # somebody else made it between the question and the statement
    except psycopg2.Error as error:
        reason = " ".join(str(error).split())
        raise EmbeddedServerError(f"cannot create the database {name} in the embedded PostgreSQL: {reason}") from error
