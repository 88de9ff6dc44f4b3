"""PostgreSQL tables built from contracts.

Belongs here: the translation of a contract into SQLAlchemy's description of a table, for migrations and for writing
SQL by column. Does not belong here: what the columns are (`schemas/`).
"""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from bist_pipeline.schemas.contract import Contract

_TYPES: dict[str, type[sa.types.TypeEngine]] = {
    "text": sa.Text,
    "date": sa.Date,
    "double precision": sa.Double,
    "bigint": sa.BigInteger,
    "boolean": sa.Boolean,
    "jsonb": JSONB,
    "bytea": sa.LargeBinary,
}

# Stamps that the server sets by itself when a row is written without them.
SERVER_STAMPS = frozenset({"updated_at", "quarantined_at", "changed_at", "found_at", "compared_at"})


def column(contract: Contract, name: str) -> sa.Column:
    """Build one column. A number refuses NaN: a value that is not known is NULL, and NaN would compare as equal."""
    declared = contract.frame.columns[name]
    sql = (declared.metadata or {})["sql"]
    kind = sa.DateTime(timezone=True) if sql == "timestamptz" else _TYPES[sql]()
    default = sa.text("now()") if name in SERVER_STAMPS else None
    return sa.Column(name, kind, nullable=bool(declared.nullable), server_default=default, comment=declared.description)


def table(contract: Contract, metadata: sa.MetaData) -> sa.Table:
    """Build the whole table with its key, its indexes and its comment."""
    built = sa.Table(
        contract.table,
        metadata,
        *(column(contract, name) for name in contract.columns),
        sa.PrimaryKeyConstraint(*contract.key, name=f"{contract.table}_pkey"),
        schema=contract.schema,
        comment=contract.description,
    )
    for columns in contract.indexes:
        sa.Index(f"{contract.table}_{'_'.join(columns)}_idx", *(built.c[name] for name in columns))
    return built


def metadata_of(contracts: Iterable[Contract]) -> sa.MetaData:
    """Build all tables into one description of the database."""
    metadata = sa.MetaData()
    for contract in contracts:
        table(contract, metadata)
    return metadata
