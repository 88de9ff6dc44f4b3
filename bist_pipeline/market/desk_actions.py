"""A desk's own list of corporate actions: `corporate_actions.csv`.

Belongs here: its columns, and what is wrong with a line. Does not belong here: reading the file from disk, whose word
counts (`actions.py`).

    # dates, kinds and terms as the company announced them; ratios per old share, amounts gross
    symbol,ex_date,kind,ratio,amount_try,subscription_try,new_symbol,note
    DAGI,2025-02-19,bonus,1.5,,,,150 % out of the reserves
    DAGI,2025-02-19,rights,1.0,,1.00,,100 % at 1 lira
    FROTO,2024-11-22,dividend,,14.25,,,
    KOZAL,2025-09-01,rename,,,,TRALT,

The separator is a comma, or a semicolon, with which numbers may have a decimal comma. A split of ratio 1 or a dividend
of 0 overrules a provider that tells of what did not happen.
"""

import csv
import io
import math
from collections.abc import Iterator, Mapping
from datetime import date, datetime

import pandas as pd

from bist_pipeline.core.errors import BistError, SymbolError
from bist_pipeline.core.symbols import normalise_symbol
from bist_pipeline.market.actions import KINDS

DESK_COLUMNS = ("symbol", "ex_date", "kind", "ratio", "amount_try", "subscription_try", "new_symbol", "note")
FRAME_COLUMNS = (*DESK_COLUMNS, "source")

_REQUIRED = DESK_COLUMNS[:3]
_NUMBERS = ("ratio", "amount_try", "subscription_try")
# What each kind says, and nothing else may be said of it.
_TERMS = {
    "split": ("ratio",),
    "bonus": ("ratio",),
    "rights": ("ratio", "subscription_try"),
    "dividend": ("amount_try",),
    "rename": ("new_symbol",),
}
_LEGAL = {
    "ratio": "a number above 0 (split: shares after per share before; bonus and rights: new shares per old share)",
    "amount_try": "lira per share as traded, 0 or more",
    "subscription_try": "lira per new share, 0 or more",
    "new_symbol": "the code it goes on under",
    "ex_date": "2025-02-19 or 19.02.2025",
}
# A hundred new shares per old one has never been; 100 stands for per cent.
_PER_CENT = 100.0
_FAULTS_SHOWN = 5


class ActionsFileError(BistError):
    """The desk's list of actions is wrong; the message names file, line, column and what is legal."""


def parse_desk_actions(text: str, name: str = "corporate_actions.csv") -> pd.DataFrame:
    """Read the list.

    Args:
        text: What the file holds.
        name: What to call it in messages and in `source`.

    Returns:
        Columns `FRAME_COLUMNS` in the order of the file: numbers NaN and texts empty where nothing is said, `source`
        the file and line.

    Raises:
        ActionsFileError: A line is wrong, or says again what another line says.
    """
    rows, faults = [], []
    lines: dict[tuple, int] = {}
    for line, fields, decimal in _rows(text, name):
        try:
            row = _action(fields, decimal)
        except (ActionsFileError, SymbolError) as error:
            faults.append(f"line {line}: {error}")
            continue
        first = lines.setdefault(row[:3], line)
        if first != line:
            faults.append(f"line {line}: {row[0]} {row[1]} {row[2]} is already on line {first}; keep one")
        rows.append((*row, f"{name}:{line}"))
    if faults:
        more = f"; and {len(faults) - _FAULTS_SHOWN} more" if len(faults) > _FAULTS_SHOWN else ""
        raise ActionsFileError(f"{name}, {'; '.join(faults[:_FAULTS_SHOWN])}{more}")
    types = {name: "float64" if name in _NUMBERS else "str" for name in FRAME_COLUMNS} | {"ex_date": "datetime64[us]"}
    return pd.DataFrame(rows, columns=list(FRAME_COLUMNS)).astype(types)


def _rows(text: str, name: str) -> Iterator[tuple[int, dict[str, str], str]]:
    """Yield line number, fields by column and decimal sign of every line that is neither blank nor a comment."""
    lines = text.removeprefix("\ufeff").splitlines()
    kept = [(n, line) for n, line in enumerate(lines, start=1) if line.strip() and not line.lstrip().startswith("#")]
    if not kept:
        return
    delimiter = ";" if ";" in kept[0][1] else ","
    header = _header(_cells(kept[0][1], delimiter), kept[0][0], name)
    for line, content in kept[1:]:
        values = _cells(content, delimiter)
        if any(values[len(header) :]):
            raise ActionsFileError(f"{name}, line {line}: {len(values)} fields under {len(header)} column names")
        if any(values):
            yield line, dict(zip(header, values, strict=False)), "," if delimiter == ";" else "."


def _cells(line: str, delimiter: str) -> list[str]:
    return [value.strip() for value in next(csv.reader(io.StringIO(line), delimiter=delimiter))]


def _header(names: list[str], line: int, file: str) -> list[str]:
    header = [name.lower() for name in names]
    missing = [name for name in _REQUIRED if name not in header]
    unknown = [name for name in header if name not in DESK_COLUMNS]
    twice = sorted({name for name in header if header.count(name) > 1})
    for fault, found in (("no column", missing), ("unknown column", unknown), ("twice the column", twice)):
        if found:
            raise ActionsFileError(
                f"{file}, line {line}: {fault} {', '.join(map(repr, found))}; legal: {', '.join(DESK_COLUMNS)}"
            )
    return header


def _action(fields: Mapping[str, str], decimal: str) -> tuple:
    symbol = normalise_symbol(fields["symbol"])
    day = _day(fields.get("ex_date", ""))
    kind = fields.get("kind", "").lower()
    if kind not in KINDS:
        raise _illegal("kind", fields.get("kind", ""), ", ".join(KINDS))
    for column in ("ratio", "amount_try", "subscription_try", "new_symbol"):
        _require_term(column, fields.get(column, ""), kind)
    numbers = [_number(column, fields.get(column, ""), kind, decimal) for column in _NUMBERS]
    renamed = normalise_symbol(fields["new_symbol"]) if fields.get("new_symbol") else ""
    return (symbol, day, kind, *numbers, renamed, fields.get("note", ""))


def _require_term(column: str, text: str, kind: str) -> None:
    is_asked = column in _TERMS[kind]
    if is_asked and not text:
        raise ActionsFileError(f"{column} is empty, a {kind} needs it: {_LEGAL[column]}")
    if text and not is_asked:
        raise ActionsFileError(f"{column} = {text!r} says nothing of a {kind}; legal: {', '.join(_TERMS[kind])}")


def _day(text: str) -> date:
    for form in ("%Y-%m-%d", "%d.%m.%Y"):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day in Istanbul, not a moment
        except ValueError:
            continue
    raise _illegal("ex_date", text, _LEGAL["ex_date"])


def _number(column: str, text: str, kind: str, decimal: str) -> float:
    if not text:
        return math.nan
    try:
        value = float(text.replace(decimal, "."))
    except ValueError:
        raise _illegal(column, text, _LEGAL[column]) from None
    if not math.isfinite(value) or value < 0 or (column == "ratio" and value == 0):
        raise _illegal(column, text, _LEGAL[column])
    if column == "ratio" and kind != "split" and value >= _PER_CENT:
        raise _illegal(column, text, "new shares per old share: 100 % is 1")
    return value


def _illegal(column: str, text: str, legal: str) -> ActionsFileError:
    return ActionsFileError(f"{column} = {text!r}; legal: {legal}")
