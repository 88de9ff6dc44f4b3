"""Bringing a database to the shape that the contracts state.

Belongs here: running alembic's revisions (frozen, for tables), appending the columns of newly registered parts
(recorded in `reference.schema_changes`), making the served views. A fingerprint of all that is kept as the comment of
the schema `serving`: a database that already has it is left alone.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from bist_pipeline.schemas.contract import Contract
from bist_pipeline.storage import views
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.tables import column, metadata_of

SCHEMAS = ("reference", "market", "analytics", "serving", "operations")
_MIGRATIONS = Path(__file__).parent / "migrations"
_FINGERPRINT = sa.text("SELECT obj_description(to_regnamespace('serving')::oid, 'pg_namespace')")
_ALEMBIC = Lock()  # its context is a global of the process: two databases migrated at once would be mixed up


@dataclass(frozen=True, slots=True)
class Shape:
    """What a database must look like.

    Attributes:
        contracts: Every table.
        indicators: The contract of `analytics.indicators` among them.
        terms: (term, sub-signal) of every registered signal term, in order.
    """

    contracts: tuple[Contract, ...]
    indicators: Contract
    terms: tuple[tuple[str, str], ...]

    def statements(self, indicator_columns: Sequence[str] | None = None) -> list[str]:
        """SQL of the served views.

        Args:
            indicator_columns: In the order in which the table has them; None for the contract's order. A view's columns
                cannot change places, and a new indicator may stand anywhere in the contract.
        """
        return views.statements(indicator_columns or self.indicators.columns, self.terms)

    def fingerprint(self) -> str:
        """Changes whenever a table, a view or a revision does."""
        columns = [_told(contract, name) for contract in self.contracts for name in contract.columns]
        revisions = sorted(path.name for path in (_MIGRATIONS / "versions").glob("*.py"))
        text = "\n".join([*columns, *comments(self.contracts), *revisions, *self.statements()])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def migrate(database: Database, shape: Shape) -> bool:
    """Bring the database to its shape; return whether anything had to be done.

    Raises:
        StorageError: The server is too old, or refuses.
    """
    wanted = f"bist_pipeline {shape.fingerprint()}"
    if current_fingerprint(database) == wanted:
        return False
    database.check_version()
    with database.transaction("migrating the database") as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended('bist_pipeline:migrate', 0))"))
        if connection.scalar(_FINGERPRINT) == wanted:
            return False  # another process was faster
        for name in SCHEMAS:
            connection.execute(sa.text(f"CREATE SCHEMA IF NOT EXISTS {name}"))
        with _ALEMBIC:
            command.upgrade(_config(connection), "head")
        _append_columns(connection, [c for c in shape.contracts if c.additive])
        for statement in [*shape.statements(_columns(connection, shape.indicators)), *comments(shape.contracts)]:
            # Else psycopg2 would look for parameters behind every percent sign.
            connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
        connection.execute(sa.text(f"COMMENT ON SCHEMA serving IS '{wanted}'"))
    return True


def current_fingerprint(database: Database) -> str | None:
    """What `migrate` last left behind; None in a database that it has never seen."""
    return database.rows(_FINGERPRINT.text)[0][0]


def _config(connection: sa.Connection) -> Config:
    config = Config()
    # A percent sign in the path would be read as interpolation by alembic's parser.
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _append_columns(connection: sa.Connection, contracts: Sequence[Contract]) -> None:
    """Add the columns that a table lacks, each recorded with its number."""
    number = connection.execute(
        sa.text("SELECT coalesce(max(change_number), 0) FROM reference.schema_changes")
    ).scalar_one()
    for contract in contracts:
        present = _columns(connection, contract)
        for name in contract.columns:
            if name not in present:
                number += 1
                _append_column(connection, contract, name, number)


def _columns(connection: sa.Connection, contract: Contract) -> list[str]:
    """The columns that a table has, in its order."""
    return [found["name"] for found in sa.inspect(connection).get_columns(contract.table, schema=contract.schema)]


def _append_column(connection: sa.Connection, contract: Contract, name: str, number: int) -> None:
    built = column(contract, name)
    kind = built.type.compile(connection.dialect)
    connection.execute(sa.text(f'ALTER TABLE {contract.name} ADD COLUMN "{name}" {kind}'))
    connection.execute(
        sa.text(
            "INSERT INTO reference.schema_changes (table_name, column_name, sql_type, change_number) "
            "VALUES (:table_name, :column_name, :sql_type, :change_number)"
        ),
        {"table_name": contract.name, "column_name": name, "sql_type": kind, "change_number": number},
    )


def comments(contracts: Sequence[Contract]) -> list[str]:
    """Statements that say in the database itself what each table and column is."""
    said = [("TABLE", c.name, c.description) for c in contracts]
    said += [("COLUMN", f'{c.name}."{n}"', c.frame.columns[n].description) for c in contracts for n in c.columns]
    return [f"COMMENT ON {kind} {name} IS {_literal(text)}" for kind, name, text in said]


def _told(contract: Contract, name: str) -> str:
    declared = contract.frame.columns[name]
    return f"{contract.name}.{name}: {(declared.metadata or {})['sql']}, {declared.nullable}"


def _literal(text: str | None) -> str:
    return "'" + (text or "").replace("'", "''") + "'"


def described(shape: Shape) -> sa.MetaData:
    """The whole database as SQLAlchemy describes it, for comparing and for writing revisions."""
    return metadata_of(shape.contracts)
