"""Reading an answer of `/v7/finance/quote`.

Belongs here: from bytes to a table of quotes, and what screener and spark share with it, whose rows are made to look
like quotes. Does not belong here: asking (`quote.py`, `spark.py`); judging whether a price is plausible (`market/`).

A body that is not this route's is `BadBody`: the request is tried again. A row that tells no price, no time, another
currency or no symbol is that symbol's failure alone: the others of the batch stand.
"""

import hashlib
import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from bist_pipeline.core.symbols import YAHOO_SUFFIX
from bist_pipeline.providers.contract import QUOTE_COLUMNS
from bist_pipeline.providers.yahoo._errors import BadBody, printable

CURRENCY = "TRY"

# Yahoo writes 0 for what it has not got yet (the open before the first trade): no price of ours is 0.
_PRICES = {
    "last_try": "regularMarketPrice",
    "open_try": "regularMarketOpen",
    "high_try": "regularMarketDayHigh",
    "low_try": "regularMarketDayLow",
    "previous_close_try": "regularMarketPreviousClose",
}
_VOLUME = "regularMarketVolume"
_TIME = "regularMarketTime"
FIELDS = ("symbol", "currency", _TIME, _VOLUME, *_PRICES.values())

# Seconds since 1970 that are no milliseconds by mistake: up to the year 2100.
_LAST_SECOND = 4_102_444_800

_NAMELESS = "Yahoo's answer has a row without a symbol, which may be this one's"

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What one answer tells.

    Attributes:
        quotes: Columns `QUOTE_COLUMNS`, one row per symbol told of.
        failed: Why nothing is known, by symbol, of those that the answer has without a usable quote.
    """

    quotes: pd.DataFrame
    failed: Mapping[str, str]

    def silent(self, asked: Sequence[str]) -> tuple[str, ...]:
        """Return the asked symbols that the answer does not have."""
        had = {*self.quotes["symbol"], *self.failed}
        return tuple(symbol for symbol in asked if symbol not in had)


def read_quotes(
    body: bytes, *, asked: Collection[str] | None = None, currency: str | None = CURRENCY, now: datetime | None = None
) -> Told:
    """Read an answer of `/v7/finance/quote`.

    Args:
        body: What came.
        asked: Normalised codes that count; what else the answer has is left out. None for all.
        currency: What prices must be in; None for any.
        now: The time at the exchange: a quote of the future is refused. None not to compare.

    Raises:
        BadBody: It is no such answer.
    """
    rows = result_rows(load(body), "quoteResponse")
    return tell(rows, body, asked=asked, currency=currency, now=now)


def load(body: bytes) -> dict[str, Any]:
    """Return the JSON object that a body is.

    Raises:
        BadBody: It is none, or only the beginning of one.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadBody(f"no JSON: {type(error).__name__}") from error
    if not isinstance(document, dict):
        raise BadBody(f"JSON, but a {type(document).__name__}")
    return document


def result_rows(document: Mapping[str, Any], root: str) -> list[Row]:
    """Return the objects in `{root: {"result": [...], "error": null}}`, an empty one for whatever else is among them.

    Raises:
        BadBody: There is no such list, or an error in its place.
    """
    envelope = document.get(root)
    if not isinstance(envelope, dict):
        raise BadBody(f"no object {root!r} in it")
    rows = envelope.get("result")
    if envelope.get("error") is not None or not isinstance(rows, list):
        raise BadBody(f"{root!r} has an error in place of a result")
    return [row if isinstance(row, dict) else {} for row in rows]


def tell(
    rows: Sequence[Row], body: bytes, *, asked: Collection[str] | None, currency: str | None, now: datetime | None
) -> Told:
    """Make a table of rows in Yahoo's quote fields.

    A row that names no symbol may be anybody's: no asked symbol that the answer lacks is silent then, each is failed.
    """
    by_symbol: dict[str, Row] = {}
    codes = [_code(row) for row in rows]
    for symbol, row in zip(codes, rows, strict=True):
        if symbol and (asked is None or symbol in asked) and _is_later(row, by_symbol.get(symbol)):
            by_symbol[symbol] = row
    symbols, kept = list(by_symbol), list(by_symbol.values())
    reasons = [_fault(row, currency=currency, now=now) for row in kept]
    good = [place for place, reason in enumerate(reasons) if reason is None]
    failed = {symbol: reason for symbol, reason in zip(symbols, reasons, strict=True) if reason is not None}
    if "" in codes and asked is not None:
        failed |= dict.fromkeys(sorted({*asked} - by_symbol.keys()), _NAMELESS)
    quotes = _frame([symbols[place] for place in good], [kept[place] for place in good], payload_hash(body))
    return Told(quotes, failed)


def payload_hash(body: bytes) -> str:
    """Return the SHA-256 of a body."""
    return hashlib.sha256(body).hexdigest()


def number(value: object, *, default: float = math.nan) -> float:
    """Return a finite number, `default` for whatever else Yahoo wrote: null, "Infinity", a text, an object."""
    if isinstance(value, dict):  # {"raw": 1.5, "fmt": "1.50"}, how Yahoo writes numbers where it formats them
        value = value.get("raw")
    if not isinstance(value, int | float) or isinstance(value, bool):
        return default
    try:
        read = float(value)
    except OverflowError:
        return default
    return read if math.isfinite(read) else default


def empty_quotes() -> pd.DataFrame:
    """Return a table of no quotes, with the types of one that has some."""
    return _frame([], [], "")


def _frame(symbols: Sequence[str], rows: Sequence[Row], digest: str) -> pd.DataFrame:
    columns: dict[str, Any] = {name: _column(rows, field) for name, field in _PRICES.items()}
    columns = {name: np.where(column > 0, column, np.nan) for name, column in columns.items()}
    volume = _column(rows, _VOLUME)
    columns["volume_shares"] = np.where(volume >= 0, volume, np.nan)
    microseconds = np.rint(_column(rows, _TIME) * 1e6).astype("int64")
    columns["as_of"] = pd.DatetimeIndex(microseconds.view("datetime64[us]")).tz_localize("UTC")
    columns["symbol"] = pd.array(list(symbols), dtype="str")
    columns["payload_hash"] = pd.array([digest] * len(symbols), dtype="str")
    return pd.DataFrame({name: columns[name] for name in QUOTE_COLUMNS})


def _column(rows: Sequence[Row], field: str) -> np.ndarray:
    return np.array([number(row.get(field)) for row in rows], dtype="float64")


def _fault(row: Row, *, currency: str | None, now: datetime | None) -> str | None:
    """Say why a row is no quote; None if it is one."""
    # Yahoo may leave it out where only some fields are asked for, and quotes the shares of Istanbul in lira alone.
    implied = CURRENCY if row.get("exchange") == "IST" or str(row.get("symbol")).endswith(YAHOO_SUFFIX) else None
    seconds, stated = number(row.get(_TIME)), row.get("currency", implied) or "no currency"
    if row.get("quoteType") == "NONE":
        return "Yahoo has the code without an instrument behind it"
    if not number(row.get(_PRICES["last_try"])) > 0:
        return "Yahoo's quote has no price"
    if not 0 < seconds < _LAST_SECOND:
        return "Yahoo's quote has no time"
    if now is not None and seconds > now.timestamp():
        return f"Yahoo's quote is of the future: {seconds:.0f} s since 1970"
    if currency is not None and stated != currency:
        return f"Yahoo's quote is in {printable(str(stated), limit=12)}, not in {currency}"
    return None


def _is_later(row: Row, held: Row | None) -> bool:
    return held is None or number(row.get(_TIME), default=0.0) > number(held.get(_TIME), default=0.0)


def _code(row: Row) -> str:
    """The normalised code of a row; empty where it names none."""
    symbol = row.get("symbol")
    return symbol.removesuffix(YAHOO_SUFFIX) if isinstance(symbol, str) and symbol.isascii() else ""
