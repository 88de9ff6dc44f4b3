"""The one boundary at which driver errors become our own.

Belongs here: telling a person in one line what the database refused and what to do. Everything in `storage/` that
talks to a driver does so inside `translated`.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import adbc_driver_manager
import psycopg2
import sqlalchemy.exc

from bist_pipeline.core.errors import BistError, DatabaseUnavailableError, StorageError

# SQLSTATE → what to tell. https://www.postgresql.org/docs/current/errcodes-appendix.html
_ADVICE = {
    "53100": "the database's disk is full; nothing was written: free some space and run again",
    "53200": "the database is out of memory; nothing was written",
    "53300": "the database has no connection left: raise max_connections or stop other clients",
    "28P01": "the password is wrong: check BIST_DATABASE_URL",
    "28000": "the server refuses this user: check BIST_DATABASE_URL and pg_hba.conf",
    "3D000": "there is no such database: create it, or correct BIST_DATABASE_URL",
    "42501": "the database user lacks a privilege",
    "57P01": "the database server was shut down; what was being written has been rolled back",
    "57P03": "the database server is starting or stopping: try again in a moment",
    "08006": "the server ended; nothing was written. Its disk may be full: `bist-pipeline doctor`",
}
_UNREACHABLE = ("08", "57P03", "28", "3D000", "53300", "57P01")

# A connection that is refused carries no SQLSTATE through libpq: only the server's words tell why.
_REFUSALS = (
    (r"password authentication failed", "28P01"),
    (r"no pg_hba\.conf entry|no password supplied|FATAL: role ", "28000"),
    (r"FATAL: database .* does not exist", "3D000"),
    (r"FATAL: permission denied for database", "42501"),
    (r"too many clients|remaining connection slots|too many connections for", "53300"),
    (r"FATAL: the database system is", "57P03"),
    (r"server closed the connection unexpectedly", "08006"),
    (r"terminating connection due to administrator command", "57P01"),
)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn driver errors into `StorageError` with one line that says what was being done.

    Args:
        doing: What was being done, such as `writing analytics.signals`.
    """
    try:
        yield
    except BistError:
        raise
    except (sqlalchemy.exc.SQLAlchemyError, psycopg2.Error, adbc_driver_manager.Error) as error:
        raise _translate(error, doing) from error


def _translate(error: Exception, doing: str) -> StorageError:
    cause = getattr(error, "orig", None) or error
    text = " ".join(str(cause).split())
    state = getattr(cause, "pgcode", None) or getattr(cause, "sqlstate", None) or _refusal(text)
    connecting = state.startswith(_UNREACHABLE) if state else _mentions_connection(text)
    advice = _ADVICE.get(state) or ("is the database running? See `bist-pipeline doctor`" if connecting else "")
    message = f"{doing}: {text[:300]}" + (f" ({advice})" if advice else "")
    return (DatabaseUnavailableError if connecting else StorageError)(message)


def _refusal(text: str) -> str:
    return next((state for pattern, state in _REFUSALS if re.search(pattern, text)), "")


def _mentions_connection(text: str) -> bool:
    marks = (
        "could not connect",
        "connection to server",
        "server closed the connection",
        "could not translate host",
        "no connection to the server",
        "connection already closed",
    )
    return any(mark in text for mark in marks)
