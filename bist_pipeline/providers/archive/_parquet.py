"""A Parquet file as a table.

Belongs here: opening Parquet and naming its columns. Does not belong here: what they mean. An index that pandas stored
is a column like any other; its position is moved to the front, where an unnamed one is taken for the dates.
"""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bist_pipeline.providers.archive._place import Place
from bist_pipeline.providers.archive._table import Table

MAGIC = b"PAR1"


def read_parquet_table(payload: bytes, place: Place) -> Table:
    """Read every column as it is typed; dictionaries are decoded.

    Raises:
        BadPayloadError: Not Parquet, damaged, or without rows.
    """
    try:
        table = pq.ParquetFile(pa.BufferReader(payload)).read(use_threads=False, use_pandas_metadata=False)
    except (pa.ArrowException, OSError) as error:
        raise place.refuse(f"is not readable Parquet: {str(error).splitlines()[0]}") from error
    if not table.num_rows:
        raise place.refuse("has columns but no rows")
    order = sorted(range(table.num_columns), key=lambda position: not _is_index(table.field(position).name))
    columns = tuple(_plain(table.column(position)) for position in order)
    names = tuple(table.field(position).name for position in order)
    return Table(names, columns, np.arange(1, table.num_rows + 1, dtype=np.int64), {"encoding": "parquet"})


def _is_index(name: str) -> bool:
    return name.startswith("__index_level_")


def _plain(column: pa.ChunkedArray) -> pa.Array:
    array = column.combine_chunks()
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
