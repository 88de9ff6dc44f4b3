"""A market from files: one CSV per symbol, every number exactly as it stands there.

Belongs here: reading plain CSV strictly. Does not belong here: guessing odd formats (the archive provider does): a file
that is not plain is refused, since a replay that guesses proves nothing.
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from bist_pipeline.core.errors import SymbolError
from bist_pipeline.core.symbols import normalise_symbol
from bist_pipeline.simulator.errors import SimulatorError
from bist_pipeline.simulator.shares import Action, Share

BASES = ("as_traded", "split_adjusted", "fully_adjusted")

_COLUMNS = {
    "open": "open",
    "high": "high",
    "low": "low",
    "close": "close",
    "volume": "volume",
    "adj close": "adjusted",
    "adj_close": "adjusted",
    "adjclose": "adjusted",
    "dividends": "dividend",
    "stock splits": "split",
}
_DATES = ("date", "datetime", "price")  # yfinance heads the column of dates `Price`
_NEEDED = ("open", "high", "low", "close", "volume")
_MISSING = frozenset({"", "nan", "null", "none", "-", "n/a"})
# yfinance puts two lines under its header: `Ticker,THYAO.IS,…` and `Date,,,`.
_NOT_ROWS = frozenset({"ticker", "date"})
_WORD_BREAKS = re.compile(r"[\s_\-]+")


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    index: int


def read_folder(folder: Path, basis: str, seed: int) -> list[Share]:
    """Read every CSV of a folder.

    Raises:
        SimulatorError: The basis is none, the folder or a file cannot be read, or two files hold one symbol.
    """
    if basis not in BASES:
        raise SimulatorError(f"basis {basis!r}; legal: {', '.join(BASES)}")
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".csv")
    except OSError as error:
        raise SimulatorError(
            f"{folder} cannot be read: {error.strerror}; name a folder with a CSV per symbol"
        ) from error
    if not paths:
        raise SimulatorError(f"{folder} holds no file that ends in .csv; name a folder with a CSV per symbol")
    found: dict[str, Path] = {}
    shares = []
    for path in paths:
        symbol = _symbol(path)
        if symbol in found:
            raise SimulatorError(f"{path} and {found[symbol]} both hold {symbol}; keep one")
        found[symbol] = path
        shares.append(_read(path, symbol, basis, seed))
    return shares


def _symbol(path: Path) -> str:
    try:
        return normalise_symbol(_WORD_BREAKS.split(path.stem)[0])
    except SymbolError as error:
        raise SimulatorError(f"{path}: its name does not begin with a symbol: {error}") from error


def _read(path: Path, symbol: str, basis: str, seed: int) -> Share:
    lines = _lines(path)
    columns = _columns(path, lines[0] if lines else [])
    days: list[date] = []
    values: list[list[float]] = []
    for number, cells in enumerate(lines[1:], start=2):
        if any(cell.strip() for cell in cells) and cells[columns[0].index].strip().lower() not in _NOT_ROWS:
            days.append(_day(cells[columns[0].index], path, number))
            values.append([_number(cells, column, path, number) for column in columns[1:]])
    table = np.array(values, dtype=np.float64).reshape(len(days), len(columns) - 1)
    by_name = {column.name: np.ascontiguousarray(table[:, at]) for at, column in enumerate(columns[1:])}
    return Share(
        symbol, f"REPLAYED {symbol}", "REPLAYED", seed, np.array(days, dtype="datetime64[D]"),
        *(by_name[name] for name in _NEEDED), adj_close=by_name.get("adjusted"),
        actions=_actions(days, by_name), is_traded=basis == "as_traded",
    )  # fmt: skip


def _lines(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        return list(csv.reader(text.splitlines(), strict=True))
    except OSError as error:
        raise SimulatorError(f"{path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise SimulatorError(f"{path} is no plain CSV in UTF-8: {error}") from error


def _columns(path: Path, header: Sequence[str]) -> list[_Column]:
    """Return the columns that are read, the dates first."""
    names = [name.strip().lower() for name in header]
    dates = [_Column("date", at) for at, name in enumerate(names) if name in _DATES]
    read = [_Column(_COLUMNS[name], at) for at, name in enumerate(names) if name in _COLUMNS]
    held = [column.name for column in read]
    lacking = [name for name in _NEEDED if name not in held]
    if len(dates) != 1 or lacking or len(set(held)) != len(held):
        raise SimulatorError(
            f"{path}, line 1: columns {','.join(header)[:120]!r}; expected one of Date or Price, "
            f"and once each Open, High, Low, Close, Volume"
        )
    return [*dates, *read]


def _day(text: str, path: Path, number: int) -> date:
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError as error:
        raise SimulatorError(f"{path}, line {number}: {text!r} is no date; write it as 2026-08-07") from error


def _number(cells: Sequence[str], column: _Column, path: Path, number: int) -> float:
    text = cells[column.index].strip() if column.index < len(cells) else ""
    if text.lower() in _MISSING:
        return float("nan")
    try:
        return float(text)
    except ValueError as error:
        raise SimulatorError(f"{path}, line {number}: {column.name} {text!r} is no number") from error


def _actions(days: Sequence[date], columns: dict[str, np.ndarray]) -> tuple[Action, ...]:
    nothing = np.zeros(len(days))
    splits = np.nan_to_num(columns.get("split", nothing))
    dividends = np.nan_to_num(columns.get("dividend", nothing))
    found = [
        Action(day, float(ratio) if ratio > 0 else 1.0, float(amount))
        for day, ratio, amount in zip(days, splits, dividends, strict=True)
        if (ratio > 0 and ratio != 1) or amount > 0
    ]
    return tuple(sorted(found, key=lambda action: action.day))
