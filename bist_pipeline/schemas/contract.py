"""What a table's contract is, and the column kinds that contracts are written with.

Belongs here: the `Contract` type and one factory per kind of column. A contract holds a pandera schema (columns, types,
units, rules) with its key and indexes. `storage/` makes the table from it, `defs/` the column schema that the UI
shows, `pipeline/dictionary.py` the documentation. Nothing is said twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandera.pandas as pa

SqlType = Literal["text", "date", "timestamptz", "double precision", "bigint", "boolean", "jsonb", "bytea"]


@dataclass(frozen=True, slots=True)
class Contract:
    """The contract of one table.

    Attributes:
        schema: PostgreSQL schema; the first segment of the asset key.
        table: Table name; the second segment.
        frame: The pandera schema of its rows.
        key: Primary key columns, in index order.
        indexes: Further indexes, each a tuple of columns.
        stamps: Columns that say when or by whom a row was written. They do not count when rows are compared: a row
            whose other columns are unchanged is left as it is.
        additive: Whether columns are appended as parts are added (a new indicator), by a recorded migration step.
    """

    schema: str
    table: str
    frame: pa.DataFrameSchema
    key: tuple[str, ...]
    indexes: tuple[tuple[str, ...], ...] = ()
    stamps: tuple[str, ...] = ()
    additive: bool = False

    @property
    def name(self) -> str:
        """Qualified name, `schema.table`."""
        return f"{self.schema}.{self.table}"

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(self.frame.columns)

    @property
    def description(self) -> str:
        """What one row of the table is."""
        return self.frame.description or ""


def contract(
    name: str,
    description: str,
    columns: dict[str, pa.Column],
    *,
    key: Sequence[str],
    checks: Sequence[pa.Check] = (),
    indexes: Sequence[Sequence[str]] = (),
    stamps: Sequence[str] = (),
    additive: bool = False,
) -> Contract:
    """Build a contract from `schema.table`, a sentence and its columns; the key is unique and never null."""
    schema, table = name.split(".")
    frame = pa.DataFrameSchema(
        columns, checks=list(checks), unique=list(key), strict=True, name=name, description=description, coerce=False
    )
    return Contract(schema, table, frame, tuple(key), tuple(map(tuple, indexes)), tuple(stamps), additive)


def _column(dtype: str, sql: SqlType, unit: str, description: str, *checks: pa.Check, null: bool) -> pa.Column:
    return pa.Column(
        dtype, checks=list(checks), nullable=null, description=description, metadata={"sql": sql, "unit": unit}
    )


def text(description: str, *checks: pa.Check, null: bool = False) -> pa.Column:
    """Text; empty where there is nothing to say, NULL only where unknown differs from nothing."""
    return _column("str", "text", "", description, *checks, null=null)


def choice(description: str, values: Sequence[str], *, null: bool = False) -> pa.Column:
    """Text out of a closed list; the empty text in it is said in words."""
    named = ", ".join(filter(None, values)) + (", or empty" if "" in values else "")
    return text(f"{description} One of {named}.", pa.Check.isin(list(values)), null=null)


def session(description: str = "Day of the session in Europe/Istanbul.", *, null: bool = False) -> pa.Column:
    """A session date."""
    return _column("datetime64[us]", "date", "date", description, null=null)


def timestamp(description: str, *, null: bool = False) -> pa.Column:
    """A moment, in UTC."""
    return _column("datetime64[us, UTC]", "timestamptz", "UTC", description, null=null)


def number(unit: str, description: str, *checks: pa.Check, null: bool = False) -> pa.Column:
    """A double precision number with its unit; never NaN in the database."""
    return _column("float64", "double precision", unit, description, *checks, null=null)


def price(description: str, *, null: bool = False) -> pa.Column:
    """A price in lira, above zero."""
    return number("TRY", description, pa.Check.gt(0), pa.Check(_finite, name="finite"), null=null)


def integer(unit: str, description: str, *checks: pa.Check) -> pa.Column:
    """A whole number; never null."""
    return _column("int64", "bigint", unit, description, *checks, null=False)


def flag(description: str) -> pa.Column:
    """True or false; never null."""
    return _column("bool", "boolean", "", description, null=False)


def maybe_flag(description: str) -> pa.Column:
    """True, false or unknown."""
    return _column("boolean", "boolean", "", description, null=True)


def binary(description: str) -> pa.Column:
    """Bytes; never null."""
    return _column("object", "bytea", "bytes", description, null=False)


def symbol(description: str = "Borsa Istanbul code without suffix.") -> pa.Column:
    """A normalised symbol."""
    return text(description, pa.Check.str_matches(r"^[A-Z0-9]{1,12}$"))


def _finite(values: Any) -> Any:
    return values.abs() != float("inf")
