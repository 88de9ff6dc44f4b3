"""Reading an answer of `/v8/finance/chart`.

Belongs here: from bytes to arrays, every value as Yahoo states it. Does not belong here: what a history or a quote is
made of them (`_chart_history.py`, `_chart_live.py`).

Python's reader accepts the literals `NaN` and `Infinity`, which Yahoo has sent: they stay in, cleaning withholds them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.bars import DayArray, FloatArray
from bist_pipeline.providers.yahoo._errors import BadBody, BadField, printable
from bist_pipeline.providers.yahoo._quote_answer import load, number, payload_hash, result_rows
from bist_pipeline.providers.yahoo._session import Answer

VALUES = ("open", "high", "low", "close", "volume")
ADJUSTED = "adjclose"

# Seconds since 1970 that are no milliseconds by mistake: up to the year 2100.
_LAST_SECOND = 4_102_444_800


@dataclass(frozen=True, slots=True)
class Event:
    """A corporate action as Yahoo states it.

    Attributes:
        seconds: Since 1970: the opening of the ex-day.
        kind: split or dividend.
        value: New shares per old share, or money per share in today's shares.
    """

    seconds: int
    kind: str
    value: float


@dataclass(frozen=True, slots=True)
class Chart:
    """One answer. All arrays have the shape (rows,), in the answer's order.

    Attributes:
        meta: What Yahoo says of the instrument.
        zone: The exchange's time zone: a bar's day is the day there.
        market_time: Of the last trade it knows of, seconds since 1970.
        seconds: The opening of each bar's session, or the live row's last trade; int64, seconds since 1970.
        columns: By name, `VALUES` and `ADJUSTED`: float64, NaN where null or not told.
        events: Splits, then dividends, each by date.
        refused_events: Those that no action can be made of, for people.
        payload_hash: SHA-256 of the body.
    """

    meta: Mapping[str, Any]
    zone: ZoneInfo
    market_time: int
    seconds: npt.NDArray[np.int64]
    columns: Mapping[str, FloatArray]
    events: tuple[Event, ...]
    refused_events: tuple[str, ...]
    payload_hash: str

    @property
    def symbol(self) -> str:
        """Whose chart it is, in Yahoo's spelling; empty where it does not say."""
        return str(self.meta.get("symbol") or "")

    def days(self) -> DayArray:
        """Return the day of each row in the exchange's zone, datetime64[D]; never the day in UTC."""
        return to_days(self.seconds, self.zone)


def to_days(seconds: npt.ArrayLike, zone: ZoneInfo) -> DayArray:
    """Return the days of moments in a zone, datetime64[D]."""
    moments = pd.DatetimeIndex(np.asarray(seconds, dtype=np.int64).astype("datetime64[s]")).tz_localize("UTC")
    return moments.tz_convert(zone).tz_localize(None).to_numpy().astype("datetime64[D]")


def read_chart(answer: Answer) -> Chart:
    """Read an answer with status 200. It may have no rows at all.

    Raises:
        BadBody: It is no chart, or its arrays do not fit together.
        BadField: It is one, and something in it is missing or cannot be.
    """
    rows = result_rows(load(answer.body), "chart")
    if len(rows) != 1 or not isinstance(meta := rows[0].get("meta"), dict):
        raise BadField("a chart without its meta")
    result = rows[0]
    seconds = _seconds(result.get("timestamp") or [])
    events, refused = _events(result.get("events") or {})
    return Chart(
        meta=meta,
        zone=_zone(meta.get("exchangeTimezoneName")),
        market_time=int(_moment(meta.get("regularMarketTime"), "regularMarketTime")),
        seconds=seconds,
        columns=_columns(result.get("indicators"), len(seconds)),
        events=events,
        refused_events=refused,
        payload_hash=payload_hash(answer.body),
    )


def _zone(name: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(name))
    except (KeyError, ValueError, OSError) as error:
        raise BadField(f"the time zone {printable(str(name))!r}") from error


def _moment(value: object, name: str) -> float:
    read = number(value)
    if not 0 < read < _LAST_SECOND:
        raise BadField(f"{name} is {printable(str(value))}")
    return read


def _seconds(values: object) -> npt.NDArray[np.int64]:
    read = _numbers(values, "timestamp")
    # Null became NaN, which no comparison lets pass.
    if not ((np.abs(read) < _LAST_SECOND) & (read == np.rint(read))).all():
        raise BadField("a timestamp that is none")
    return read.astype(np.int64)


def _columns(indicators: object, rows: int) -> Mapping[str, FloatArray]:
    quote, adjusted = _block(indicators, "quote"), _block(indicators, ADJUSTED)
    if rows == 0:
        return dict.fromkeys((*VALUES, ADJUSTED), np.empty(0))
    values = {name: _numbers(quote.get(name), name) for name in VALUES}
    told = adjusted.get(ADJUSTED)
    values[ADJUSTED] = np.full(rows, np.nan) if told is None else _numbers(told, ADJUSTED)
    if faults := {name: len(column) for name, column in values.items() if len(column) != rows}:
        # Rather cut than odd: another host may have all of it.
        raise BadBody(f"{rows} timestamps and {faults}")
    return values


def _block(indicators: object, name: str) -> Mapping[str, Any]:
    blocks = indicators.get(name) if isinstance(indicators, dict) else None
    first = blocks[0] if isinstance(blocks, list) and blocks else None
    return first if isinstance(first, dict) else {}


def _numbers(values: object, name: str) -> FloatArray:
    try:
        read = np.array(values, dtype=np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        raise BadField(f"{name} holds something that is no number") from error
    if read.ndim != 1:
        raise BadField(f"{name} is no list")
    return read


def _events(events: object) -> tuple[tuple[Event, ...], tuple[str, ...]]:
    if not isinstance(events, dict):
        raise BadField("events that are no object")
    found: list[Event] = []
    refused: list[str] = []
    for key, kind in (("splits", "split"), ("dividends", "dividend")):
        for name, told in _items(events.get(key) or {}):
            at_key = float(name) if name.isascii() and name.isdigit() else None
            moment = _moment(told.get("date", at_key), f"date of a {kind}")
            value = _ratio(told) if kind == "split" else number(told.get("amount"))
            if math.isfinite(value) and value > 0:
                found.append(Event(int(moment), kind, value))
            else:
                refused.append(printable(f"{kind} {dict(told)}"))
    return tuple(sorted(found, key=lambda event: (event.kind != "split", event.seconds))), tuple(refused)


def _items(told: object) -> Sequence[tuple[str, Mapping[str, Any]]]:
    if not isinstance(told, dict) or not all(isinstance(value, dict) for value in told.values()):
        raise BadField("events that are no objects")
    return list(told.items())


def _ratio(told: Mapping[str, Any]) -> float:
    """New shares per old share; of numerator and denominator, else of the text `3:1`; NaN where neither says it."""
    new, old = number(told.get("numerator")), number(told.get("denominator"))
    if not (new > 0 and old > 0):
        first, _, second = str(told.get("splitRatio")).partition(":")
        new, old = _decimal(first), _decimal(second)
    return new / old if new > 0 and old > 0 else math.nan


def _decimal(text: str) -> float:
    try:
        return number(float(text))
    except ValueError:
        return math.nan
