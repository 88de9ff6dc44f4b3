"""The desk's own list of listings, delistings and renames: `listings.csv` in the home.

Belongs here: reading and checking the file. Does not belong here: storing it (`pipeline/listings.py`), and any real
date: a desk states what it knows.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from bist_pipeline.core.errors import BistError, UniverseError
from bist_pipeline.core.symbols import normalise_symbol

LISTINGS_FILE = "listings.csv"

_DAYS = ("listed_on", "delisted_on", "renamed_on")
_COLUMNS = ("symbol", *_DAYS, "renamed_to")
_LEGAL = (
    f"expected a header of symbol and any of {', '.join(_COLUMNS[1:])}, comma or semicolon, UTF-8 or Windows-1254, "
    "days as 2025-03-17"
)
# A wrong file may be wrong on every line; a person needs the first few.
_FAULTS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Listing:
    """What a desk says of one share; None or empty where it says nothing.

    Attributes:
        symbol: Normalised code.
        line: Where it stands in the file, from 1.
        listed_on: First session.
        delisted_on: First session without it.
        renamed_on: First session under the new code.
        renamed_to: The new code.
    """

    symbol: str
    line: int
    listed_on: date | None = None
    delisted_on: date | None = None
    renamed_on: date | None = None
    renamed_to: str = ""


def read_listings(path: Path) -> list[Listing]:
    """Read the file, in its order; an absent file says nothing.

    Raises:
        UniverseError: The file cannot be read, or lines are wrong; the message names file, lines and reasons.
    """
    if not path.exists():
        return []
    listings: dict[str, Listing] = {}
    faults: list[str] = []
    for line, row in _rows(path):
        try:
            listing = _listing(line, row)
        except BistError as error:
            faults.append(f"line {line}: {error}")
            continue
        if listing.symbol in listings:
            faults.append(f"line {line}: {listing.symbol} is already on line {listings[listing.symbol].line}")
        listings.setdefault(listing.symbol, listing)
    if faults:
        more = f"; and {len(faults) - _FAULTS_SHOWN} more" if len(faults) > _FAULTS_SHOWN else ""
        raise UniverseError(f"listings {path}: {'; '.join(faults[:_FAULTS_SHOWN])}{more}")
    return list(listings.values())


def _listing(line: int, row: Mapping[str, str]) -> Listing:
    symbol = normalise_symbol(row["symbol"])
    listed, delisted, renamed = (_day(name, row.get(name, "")) for name in _DAYS)
    new = normalise_symbol(row["renamed_to"]) if row.get("renamed_to") else ""
    if listed is None and delisted is None and renamed is None:
        raise UniverseError(f"{symbol} states no day: fill at least one of {', '.join(_DAYS)}")
    if new and renamed is None:
        raise UniverseError(f"{symbol} is renamed to {new} on no day: fill renamed_on")
    if new == symbol:
        raise UniverseError(f"{symbol} is renamed to itself")
    for name, day in (("delisted_on", delisted), ("renamed_on", renamed)):
        if listed is not None and day is not None and day <= listed:
            raise UniverseError(f"{symbol} has {name} {day}, which is not after listed_on {listed}")
    return Listing(symbol, line, listed, delisted, renamed, new)


def _day(name: str, text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UniverseError(f"{name} = {text!r} is no day like 2025-03-17") from None


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and fields by column name of every line that is not blank."""
    text = _text(path)
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        strangers = [name for name in header if name not in _COLUMNS]
        if header.count("symbol") != 1 or strangers or len(set(header)) < len(header):
            raise UniverseError(f"listings {path}, line 1: columns {','.join(header)[:80]!r}; {_LEGAL}")
        for fields in reader:
            values = [field.strip() for field in fields]
            if any(values[len(header) :]):
                raise UniverseError(f"listings {path}, line {reader.line_num}: more fields than column names; {_LEGAL}")
            if any(values):
                yield reader.line_num, dict(zip(header, values, strict=False))
    except csv.Error as error:
        raise UniverseError(f"listings {path}, line {reader.line_num}: {error}; {_LEGAL}") from error


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UniverseError(f"listings {path} cannot be read: {error.strerror}; {_LEGAL}") from error
    for encoding in ("utf-8-sig", "cp1254"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise UniverseError(f"listings {path} is no text; {_LEGAL}")
