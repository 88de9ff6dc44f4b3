"""Frames to Arrow and back, with exactly the types that contracts and PostgreSQL name.

Belongs here: conversions, and the one way to run a query that answers in Arrow. NaN and NaT become NULL on the way in;
NULL numbers become NaN on the way out.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import pandas as pd
import pyarrow as pa

from bist_pipeline.core.errors import ContractError
from bist_pipeline.schemas.contract import Contract
from bist_pipeline.storage.tables import SERVER_STAMPS

_ARROW: dict[str, pa.DataType] = {
    "text": pa.string(),
    "jsonb": pa.string(),
    "date": pa.date32(),
    "timestamptz": pa.timestamp("us", tz="UTC"),
    "double precision": pa.float64(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "bytea": pa.binary(),
}

_TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_dictionary)
_NUMBERS = (pa.types.is_integer, pa.types.is_floating)
# What is taken for each type beside itself; NULLs alone always are.
_FITTING: dict[str, tuple[Callable[[pa.DataType], bool], ...]] = {
    "text": _TEXTS,
    "jsonb": _TEXTS,
    "date": (lambda kind: pa.types.is_timestamp(kind) and kind.tz is None,),
    "timestamptz": (lambda kind: pa.types.is_timestamp(kind) and kind.tz is not None,),
    "double precision": _NUMBERS,
    "bigint": _NUMBERS,
    "boolean": (),
    "bytea": (),
}

_NULLABLE: dict[pa.DataType, Any] = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}


def fetch(connection: adbc.Connection, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
    """Run a query on an ADBC connection and return Arrow data."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters=bindable(parameters))
        return cursor.fetch_arrow_table()


def bindable(parameters: Sequence[Any]) -> list[Any] | None:
    """Parameters as the driver takes them: it sends a moment's wall clock without its zone, unless that is UTC."""
    return [v.astimezone(UTC) if isinstance(v, datetime) and v.tzinfo else v for v in parameters] or None


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Convert Arrow to pandas with the dtypes that contracts name; whole numbers and flags with NULLs are nullable."""
    for index, field in enumerate(table.schema):
        if pa.types.is_date(field.type):
            table = table.set_column(index, field.name, table.column(index).cast(pa.timestamp("us")))
    # As floats, whole numbers beyond 2⁵³ would change; as objects, flags would be neither true nor false.
    gaps = [name for name in table.column_names if table[name].null_count and table[name].type in _NULLABLE]
    exact = {name: table[name].to_pandas(types_mapper=_NULLABLE.get) for name in gaps}
    return table.to_pandas().assign(**exact)


def to_arrow(contract: Contract, frame: pd.DataFrame) -> pa.Table:
    """Convert a frame to Arrow with exactly the contract's columns and types; NaN and NaT become NULL.

    Raises:
        ContractError: A column is missing or has values of another type.
    """
    absent = [name for name in contract.columns if name not in frame.columns]
    missing = [name for name in absent if name not in SERVER_STAMPS]
    if missing:
        raise ContractError(f"{contract.name}: the frame lacks {', '.join(missing)}")
    columns = {n: _array(contract, n, frame[n]) for n in contract.columns if n not in absent}
    return pa.table(columns)


def _array(contract: Contract, name: str, values: pd.Series) -> pa.Array:
    sql = sql_type(contract, name)
    try:
        built = pa.Array.from_pandas(values)
        array = built.combine_chunks() if isinstance(built, pa.ChunkedArray) else built
        return array if array.type == _ARROW[sql] else _cast(array, sql)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, UnicodeEncodeError) as error:
        raise ContractError(f"{contract.name}.{name}: {str(error).splitlines()[0]}") from error


def _cast(array: pa.Array, sql: str) -> pa.Array:
    """Cast what means the same in another width; Arrow by itself would read numbers and days out of text."""
    if array.null_count == len(array):
        return pa.nulls(len(array), _ARROW[sql])
    if not any(is_fit(array.type) for is_fit in _FITTING[sql]):
        raise pa.ArrowTypeError(f"{array.type} is no {sql}")
    cast = array.cast(_ARROW[sql])
    if pa.types.is_timestamp(array.type) and not cast.cast(array.type).equals(array):
        raise pa.ArrowTypeError("a session is a day, without a time of day")
    return cast


def sql_type(contract: Contract, name: str) -> str:
    """The PostgreSQL type that a contract's column declares."""
    return str((contract.frame.columns[name].metadata or {})["sql"])
