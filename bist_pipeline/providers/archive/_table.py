"""A file as named columns of text (or of typed values), before anything in it is understood.

Belongs here: splitting lines into columns and keeping each row's line number. Does not belong here: dates and numbers.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pa_csv

from bist_pipeline.providers.archive._header import DELIMITERS, Layout, find_layout, split_cells
from bist_pipeline.providers.archive._place import Place
from bist_pipeline.providers.archive._text import decode

_BLOCK_BYTES = 1 << 24  # one block for all but freak files: pyarrow then neither splits nor threads


@dataclass(frozen=True, slots=True)
class Table:
    """Columns by position.

    Attributes:
        names: Header texts, shape (columns,).
        columns: One array per name, each of shape (rows,); strings from a text, any type from Parquet.
        rows: Line or row number in the file, from 1, shape (rows,).
        notes: What was recognised so far.
    """

    names: tuple[str, ...]
    columns: tuple[pa.Array, ...]
    rows: npt.NDArray[np.int64]
    notes: Mapping[str, Any]


def read_text_table(payload: bytes, place: Place) -> Table:
    """Read delimited text.

    Raises:
        BadPayloadError: Not text, no header, no rows, or a row of the wrong width.
    """
    text = decode(payload, place)
    layout = find_layout(text.lines, place)
    kept = list(_rows(text.lines, layout))
    if not kept:
        raise place.refuse("has a header but no rows")
    rows = np.fromiter((number for number, _ in kept), dtype=np.int64, count=len(kept))
    lines = [line for _, line in kept]
    _refuse_open_quotes(lines, rows, place)
    columns = _split(lines, rows, layout, place)
    notes: dict[str, Any] = {
        "encoding": text.encoding,
        "delimiter": DELIMITERS[layout.delimiter],
        "header_lines": [layout.header + 1, layout.first_row],
    }
    if layout.above:
        notes["lines_above_header"] = list(layout.above)
    repeated = text.lines[layout.first_row :].count(text.lines[layout.header])
    if repeated:
        notes["repeated_headers"] = repeated
    return Table(layout.names, columns, rows, notes)


def _rows(lines: Sequence[str], layout: Layout) -> Iterator[tuple[int, str]]:
    """Yield number and text of each row; blank lines, comments and repeated headers (appended exports) are none."""
    header = set(lines[layout.header : layout.first_row])
    blank = layout.delimiter + ' "\t\x1a'  # the last is how DOS ends a text
    for number, line in enumerate(lines[layout.first_row :], start=layout.first_row + 1):
        if line.strip(blank) and not line.startswith("#") and line not in header:
            yield number, line


def _refuse_open_quotes(lines: Sequence[str], rows: npt.NDArray[np.int64], place: Place) -> None:
    for number, line in zip(rows, lines, strict=True):
        if '"' in line and line.count('"') % 2:
            raise place.refuse("a quotation mark is not closed on its line", row=int(number))


def _split(lines: Sequence[str], rows: npt.NDArray[np.int64], layout: Layout, place: Place) -> tuple[pa.Array, ...]:
    """Split rows into columns. A delimiter that ends every row, though not the header, is tolerated."""
    width = len(layout.names)
    cells = split_cells(lines[0], layout.delimiter)
    padded = width + 1 if len(cells) == width + 1 and not cells[-1] else width
    misfits: list[tuple[int, int]] = []

    def note(row: pa_csv.InvalidRow) -> str:
        misfits.append((row.number or 1, row.actual_columns))
        return "skip"

    names = [str(position) for position in range(padded)]
    try:
        table = pa_csv.read_csv(
            pa.py_buffer("\n".join(lines).encode()),
            read_options=pa_csv.ReadOptions(use_threads=False, column_names=names, block_size=_BLOCK_BYTES),
            parse_options=pa_csv.ParseOptions(delimiter=layout.delimiter, invalid_row_handler=note),
            convert_options=pa_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
        )
    except pa.ArrowInvalid as error:
        raise place.refuse(f"cannot be split into columns: {str(error).splitlines()[0]}") from error
    if misfits:
        number, found = misfits[0]
        raise place.refuse(f"has {found} cells, the header names {width}", row=int(rows[number - 1]))
    columns = tuple(column.combine_chunks() for column in table.columns)
    if padded > width and any(cell.as_py().strip() for cell in columns[-1]):
        raise place.refuse(f"rows have {padded} cells, the header names {width}")
    return columns[:width]
