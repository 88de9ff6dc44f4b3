"""Database addresses in the three dialects that our libraries read.

Belongs here: parsing what a person wrote and writing it as libpq, SQLAlchemy and Dagster want it. A bare
`postgresql://` means psycopg 3 to SQLAlchemy 2.1, which is not installed: every SQLAlchemy URL names psycopg2.
"""

from dataclasses import dataclass
from typing import Self

from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from bist_pipeline.core.errors import SettingsError

_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg2", "postgresql+psycopg")
DRIVER = "postgresql+psycopg2"


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """One database's address. Shows itself without the password.

    Attributes:
        url: Parsed, with the driver named.
    """

    url: URL

    @classmethod
    def parse(cls, text: str, *, variable: str = "BIST_DATABASE_URL") -> Self:
        """Parse an address.

        Raises:
            SettingsError: It is no PostgreSQL URL with a database name. The text, which may hold a password, is not
                repeated.
        """
        legal = f"{variable}: expected postgresql://user:password@host:5432/database"
        try:
            url = make_url(text)
        except (ArgumentError, ValueError):
            # Not chained: SQLAlchemy repeats what it took for a port, which may be the password.
            raise SettingsError(f"{legal}; what was given is no URL") from None
        if url.drivername not in _SCHEMES:
            raise SettingsError(f"{legal}; got the scheme {url.drivername!r}")
        if not url.database:
            raise SettingsError(f"{legal}; the database's name is missing")
        if "@" in (url.host or ""):
            raise SettingsError(f"{legal}; an @ in the password is written %40")
        return cls(_credentials_in_place(url.set(drivername=DRIVER)))

    @property
    def sqlalchemy(self) -> str:
        """For SQLAlchemy and dagster-postgres, password included."""
        return self.url.render_as_string(hide_password=False)

    @property
    def libpq(self) -> str:
        """For libpq (ADBC, psql), password included."""
        written = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        address, mark, query = written.partition("?")
        # libpq wants %20 everywhere; it refuses a space, quoting the password it stands in, and takes a + for itself.
        return address.replace(" ", "%20") + mark + query.replace("+", "%20")

    @property
    def database(self) -> str:
        """The database's name."""
        return str(self.url.database)

    def with_database(self, name: str) -> Self:
        """Return the address of another database on the same server."""
        return type(self)(self.url.set(database=name))

    def with_user(self, name: str) -> Self:
        """Return the address for another user, without a password."""
        return type(self)(self.url.set(username=name, password=None))

    def with_search_path(self, schema: str) -> Self:
        """Return the address with a schema that unqualified names resolve to."""
        options = (*self.url.normalized_query.get("options", ()), f"-csearch_path={schema}")
        return type(self)(self.url.update_query_dict({"options": " ".join(options)}))

    def __str__(self) -> str:
        shown = self.url.set(drivername="postgresql")
        if "sslpassword" in shown.query:
            shown = shown.update_query_dict({"sslpassword": "***"})
        return shown.render_as_string(hide_password=True)

    def __repr__(self) -> str:
        return f"DatabaseUrl({str(self)!r})"


def _credentials_in_place(url: URL) -> URL:
    """Move user and password, which libpq also takes behind the question mark, to where they are hidden."""
    query = {name: values[-1] for name, values in url.normalized_query.items()}
    return url.difference_update_query(["user", "password"]).set(
        username=query.get("user", url.username), password=query.get("password", url.password)
    )
