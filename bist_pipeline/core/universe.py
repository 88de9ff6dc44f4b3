"""Which symbols the pipeline follows, and what is known about them.

Belongs here: the packaged list and reading a desk's own list. Does not belong here: how a code is spelt
(`core/symbols.py`), what the database remembers of symbols that left (`storage/`).

`data/universe.csv` holds 592 codes with name, sector and membership of BIST 30, 50 and 100 from public listings,
October 2025 (the spelling of one name and three sectors corrected); `data/indices.csv` the exchange's main indices.
Renames after that (KOZAL to TRALT, KOZAA to TRMET, IPEKE to TRENJ) are not in it.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pandas as pd

from bist_pipeline.core.errors import SymbolError, UniverseError
from bist_pipeline.core.symbols import normalise_symbol, normalise_symbols, symbol_kind

PACKAGED = "packaged"

MEMBERSHIP_COLUMNS = ("in_xu030", "in_xu050", "in_xu100")
UNIVERSE_COLUMNS = ("symbol", "name", "sector", "kind", *MEMBERSHIP_COLUMNS, "origin")

_DATA = Path(__file__).with_name("data")
_FLAGS = {"1": True, "true": True, "0": False, "false": False}
_LEGAL = (
    f"expected `{PACKAGED}` or the path of a CSV with a header and a column `symbol` "
    "(comma or semicolon, UTF-8 or Windows-1254)"
)
# A wrong file may be wrong on every line; a person needs the first few.
_FAULTS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class _Stock:
    symbol: str
    name: str = ""
    sector: str = ""
    in_xu030: bool = False
    in_xu050: bool = False
    in_xu100: bool = False


def load_universe(source: str, *, also: Sequence[str] = ()) -> pd.DataFrame:
    """List the symbols to follow.

    Args:
        source: `packaged`, or the path of a CSV with at least a column `symbol`. Of its other columns `name`, `sector`
            and the memberships are read; what it leaves out of a known symbol comes from the packaged list.
        also: Symbols to add to the packaged list where it lacks them (what an archive holds); ignored for a file,
            which says itself what is wanted.

    Returns:
        One row per symbol, sorted by symbol, columns `UNIVERSE_COLUMNS`: texts (empty where unknown), `kind` share or
        index, memberships as bool, `origin` packaged, file or archive.

    Raises:
        UniverseError: The file cannot be read, or a line is wrong; the message names file, line and legal form.
        SymbolError: A text of `also` is no symbol.
    """
    known = _packaged()
    if source != PACKAGED:
        return _frame((stock, "file") for stock in _read(Path(source).expanduser(), known).values())
    extra = sorted(set(normalise_symbols(also)) - known.keys())
    listed = [(stock, PACKAGED) for stock in known.values()]
    return _frame([*listed, *((_Stock(symbol), "archive") for symbol in extra)])


@cache
def _packaged() -> Mapping[str, _Stock]:
    return _read(_DATA / "universe.csv", {}) | _read(_DATA / "indices.csv", {})


def _frame(stocks: Iterable[tuple[_Stock, str]]) -> pd.DataFrame:
    rows = [
        (s.symbol, s.name, s.sector, symbol_kind(s.symbol), s.in_xu030, s.in_xu050, s.in_xu100, origin)
        for s, origin in sorted(stocks, key=lambda pair: pair[0].symbol)
    ]
    return pd.DataFrame(rows, columns=list(UNIVERSE_COLUMNS)).astype(dict.fromkeys(MEMBERSHIP_COLUMNS, bool))


def _read(path: Path, known: Mapping[str, _Stock]) -> dict[str, _Stock]:
    """Read a list: each line is checked alone, then against the lines before it."""
    stocks: dict[str, _Stock] = {}
    first_lines: dict[str, int] = {}
    faults: list[str] = []
    for line, row in _rows(path):
        try:
            stock = _stock(row, known)
        except (SymbolError, UniverseError) as error:
            faults.append(f"line {line}: {error}")
            continue
        if stock.symbol in stocks:
            faults.append(f"line {line}: {stock.symbol} is already on line {first_lines[stock.symbol]}")
            continue
        stocks[stock.symbol] = stock
        first_lines[stock.symbol] = line
    if faults:
        more = f"; and {len(faults) - _FAULTS_SHOWN} more" if len(faults) > _FAULTS_SHOWN else ""
        raise UniverseError(f"universe {path}: {'; '.join(faults[:_FAULTS_SHOWN])}{more}")
    if not stocks:
        raise UniverseError(f"universe {path} names no symbol; {_LEGAL}")
    return stocks


def _stock(row: Mapping[str, str], known: Mapping[str, _Stock]) -> _Stock:
    symbol = normalise_symbol(row["symbol"])
    texts = {column: row[column] for column in ("name", "sector") if row.get(column)}
    flags = {column: _flag(column, row[column]) for column in MEMBERSHIP_COLUMNS if row.get(column)}
    return replace(known.get(symbol, _Stock(symbol)), **texts, **flags)


def _flag(column: str, text: str) -> bool:
    flag = _FLAGS.get(text.lower())
    if flag is None:
        raise UniverseError(f"{column} = {text!r}; legal: 0, 1, false, true")
    return flag


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and fields by column name of every line that is not blank."""
    text = _text(path)
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if header.count("symbol") != 1:
            raise UniverseError(f"universe {path}, line 1: no single column `symbol` in {_listed(header)}; {_LEGAL}")
        for fields in reader:
            values = [field.strip() for field in fields]
            if any(values[len(header) :]):
                raise UniverseError(
                    f"universe {path}, line {reader.line_num}: {len(values)} fields under {len(header)} column names"
                )
            if any(values):
                yield reader.line_num, dict(zip(header, values, strict=False))
    except csv.Error as error:
        raise UniverseError(f"universe {path}, line {reader.line_num}: {error}; {_LEGAL}") from error


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UniverseError(f"universe {path} cannot be read: {reason}; {_LEGAL}") from error
    for encoding in ("utf-8-sig", "cp1254"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise UniverseError(f"universe {path} is not text in UTF-8 or Windows-1254; {_LEGAL}")


def _listed(names: Sequence[str]) -> str:
    return repr(",".join(names)[:80])
