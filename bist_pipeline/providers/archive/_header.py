"""Where a text's table begins: delimiter, header line, and the lines that belong to the header.

Belongs here: everything between the first line and the first row. Does not belong here: the rows. Steps:
1. With each delimiter, find the line above the first row that names most columns; the best delimiter wins.
2. Set aside what follows it and is no row yet: yfinance's `Ticker,…` and `Date,,,` lines.
3. Compare the tickers those lines name with the file's name.
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bist_pipeline.core.errors import SymbolError
from bist_pipeline.core.symbols import normalise_symbol
from bist_pipeline.providers.archive._columns import role_of
from bist_pipeline.providers.archive._place import MISSING_MARKS, Place, quoted

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}

_SEARCHED_LINES = 60  # a licence text or a description above the header; rows end the search earlier
_AFTER_HEADER = 3
_LONGEST_LINE = 100_000  # characters; csv raises at 131,072, and no table of prices has such a header
_NUMBER = re.compile(r"[-+]?[\d., ']*\d[\d.,]*[%KMBkmb]?")
_EXPECTED = "expected a line of column names such as Date, Open, High, Low, Close, Volume above the first row"


@dataclass(frozen=True, slots=True)
class Layout:
    """How a text is laid out.

    Attributes:
        delimiter: Between cells.
        names: Header cells.
        header: Position of the header in the lines, from 0.
        first_row: Position of the first line after the header's lines.
        above: Lines above the header that are not blank.
    """

    delimiter: str
    names: tuple[str, ...]
    header: int
    first_row: int
    above: tuple[str, ...]


def find_layout(lines: Sequence[str], place: Place) -> Layout:
    """Find the header.

    Args:
        lines: All lines of the file.
        place: The file; its symbol may be part of the column names.

    Raises:
        BadPayloadError: There is none, or its ticker line names other symbols than the file.
    """
    roles, header, delimiter = _best_line(lines[:_SEARCHED_LINES], place.symbol)
    if not roles:
        raise place.refuse(f"has no header line: {_EXPECTED}")
    names = split_cells(lines[header], delimiter)
    first_row = header + 1
    while first_row < min(len(lines), header + 1 + _AFTER_HEADER) and _belongs_to_header(
        split_cells(lines[first_row], delimiter), place.symbol
    ):
        first_row += 1
    for position in [*range(header), *range(header + 1, first_row)]:
        _check_tickers(split_cells(lines[position], delimiter), position + 1, place)
    above = tuple(line[:80] for line in lines[:header] if line.strip())
    return Layout(delimiter, tuple(name.strip() for name in names), header, first_row, above)


def split_cells(line: str, delimiter: str) -> list[str]:
    """Return the cells of one line, trimmed; a blank line is one empty cell."""
    return [cell.strip() for cell in next(csv.reader([line[:_LONGEST_LINE]], delimiter=delimiter), [])] or [""]


def _best_line(lines: Sequence[str], symbol: str) -> tuple[int, int, str]:
    """Return how many roles the best header line names, where it stands, and its delimiter."""
    best = (0, 0, ",")
    for position, line in enumerate(lines):
        for delimiter in DELIMITERS:
            if delimiter not in line and delimiter != ",":
                continue
            cells = split_cells(line, delimiter)
            if _is_row(cells):
                return best
            count = len({role_of(cell, symbol) for cell in cells} - {None})
            # One known name in a long line of prose is no header.
            if count > best[0] and (count > 1 or cells.count("") == 0):
                best = (count, position, delimiter)
    return best


def _is_row(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell]
    numbers = sum(bool(_NUMBER.fullmatch(cell)) for cell in filled)
    return len(filled) > 2 and any(c.isdigit() for c in cells[0]) and 2 * numbers >= len(filled)


def _belongs_to_header(cells: Sequence[str], symbol: str) -> bool:
    first, filled = cells[0], [cell for cell in cells[1:] if cell]
    role = role_of(first, symbol)
    if role in {"date", "time"}:
        return not filled
    # A row without a date is no header: its missing marks must reach the person as the unreadable date they are.
    return _looks_like_tickers(cells) and not any(_is_value(cell) for cell in filled)


def _is_value(cell: str) -> bool:
    return cell.lower() in MISSING_MARKS or _NUMBER.fullmatch(cell) is not None


def _check_tickers(cells: Sequence[str], line: int, place: Place) -> None:
    if not _looks_like_tickers(cells):
        return
    codes = sorted({cell for cell in cells[1:] if cell})
    if len(codes) > 1:
        shown = quoted(", ".join(codes))
        raise place.refuse(f"names {len(codes)} symbols ({shown}); the archive takes one file per symbol", row=line)
    if not same_symbol(codes[0], place.symbol):
        raise place.refuse(f"{quoted(codes[0])} contradicts the file's name", row=line)


def _looks_like_tickers(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells[1:] if cell]
    if role_of(cells[0], "") == "symbol":
        return bool(filled) and all(role_of(cell, "") is None for cell in filled)
    return not cells[0] and len(filled) > 1 and len(set(filled)) == 1


def same_symbol(text: str, symbol: str) -> bool:
    """Say whether `text` spells `symbol`, an exchange's prefix such as `BIST:` aside."""
    try:
        return normalise_symbol(text.strip().rpartition(":")[2]) == symbol
    except SymbolError:
        return False
