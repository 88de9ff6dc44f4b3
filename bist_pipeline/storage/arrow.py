"""Frames to Arrow and back, with exactly the types that contracts and PostgreSQL name.

Belongs here: conversions, and the one way to run a query that answers in Arrow. NaN and NaT become NULL on the way in;
NULL numbers become NaN on the way out.
"""

from collections.abc import Sequence
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
}


def fetch(connection: adbc.Connection, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
    """Run a query on an ADBC connection and return Arrow data."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters=list(parameters) or None)
        return cursor.fetch_arrow_table()


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Convert Arrow to pandas with the dtypes that contracts name."""
    for index, field in enumerate(table.schema):
        if pa.types.is_date(field.type):
            table = table.set_column(index, field.name, table.column(index).cast(pa.timestamp("us")))
    return table.to_pandas()


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
    target = _ARROW[sql_type(contract, name)]
    try:
        built = pa.Array.from_pandas(values)
        array = built.combine_chunks() if isinstance(built, pa.ChunkedArray) else built
        return array if array.type == target else array.cast(target)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise ContractError(f"{contract.name}.{name}: {str(error).splitlines()[0]}") from error


def sql_type(contract: Contract, name: str) -> str:
    """The PostgreSQL type that a contract's column declares."""
    return str((contract.frame.columns[name].metadata or {})["sql"])
