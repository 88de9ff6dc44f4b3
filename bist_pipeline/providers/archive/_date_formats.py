"""The formats in which people write dates.

Belongs here: one pattern per format and how its pieces become a day. Does not belong here: ISO columns without
surprises, which `_dates.py` reads faster, and the choice between day and month (`_date_order.py`).
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bist_pipeline.providers.archive._columns import fold
from bist_pipeline.providers.archive._date_order import build_days, choose_order
from bist_pipeline.providers.archive._place import Place, quoted

_TIME = (
    r"(?:(?:[T,]|\s|,\s)\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?\s*(?P<half>[AaPp]\.?[Mm]\.?)?)?"
    r"\s?(?P<offset>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?"
)
_FORMATS = {
    "numeric": r"(?P<a>\d{1,2})(?P<sep>[-/. ])(?P<b>\d{1,2})(?P=sep)(?P<c>\d{4}|\d{2})" + _TIME,
    "year first": r"(?P<a>\d{4})(?P<sep>[-/.])(?P<b>\d{1,2})(?P=sep)(?P<c>\d{1,2})" + _TIME,
    "yyyymmdd": r"(?P<a>\d{4})(?P<b>\d{2})(?P<c>\d{2}(?:\.0+)?)",
    "day month-name year": r"(?P<a>\d{1,2})[-/. ]+(?P<b>[^\W\d_]+)\.?,?[-/. ]*(?P<c>\d{4}|\d{2})" + _TIME,
    "month-name day year": r"(?P<b>[^\W\d_]+)\.?[-/. ]+(?P<a>\d{1,2}),?[-/. ]+(?P<c>\d{4})" + _TIME,
    "epoch": r"(?P<epoch>\d{9,10}|\d{12,13}|\d{15,16}|\d{18,19})(?:\.\d+)?",
    "spreadsheet day": r"(?P<serial>[2-6]\d{4})(?:\.0+)?",
}
_COMPILED = {name: re.compile(pattern) for name, pattern in _FORMATS.items()}
# The first three letters tell all months apart in both languages (mar and may are the same in both).
_MONTHS = {
    name: number
    for names in ("jan feb mar apr may jun jul aug sep oct nov dec", "oca sub mar nis may haz tem agu eyl eki kas ara")
    for number, name in enumerate(names.split(), start=1)
}
_MICROSECONDS_PER = {9: 1_000_000, 10: 1_000_000, 12: 1_000, 13: 1_000, 15: 1, 16: 1}  # by number of digits
_EPOCH_SECONDS_DIGITS = 10  # nine before September 2001
_SPREADSHEET_ORIGIN = np.datetime64("1899-12-30", "D")  # Excel counts the day 1900-02-29 that never was


@dataclass(frozen=True, slots=True)
class Parsed:
    """A column of dates taken apart.

    Attributes:
        days: datetime64[D], shape (rows,).
        times: timedelta64[us] since midnight, an offset already subtracted.
        is_utc: Where `days` + `times` are UTC rather than the wall clock of Istanbul.
        notes: What was recognised.
    """

    days: npt.NDArray[np.datetime64]
    times: npt.NDArray[np.timedelta64]
    is_utc: npt.NDArray[np.bool_]
    notes: dict[str, Any]


def parse_dates(texts: Sequence[str], name: str, rows: npt.NDArray[np.int64], place: Place) -> Parsed:
    """Read a column in the one format that most of its cells have.

    Raises:
        BadPayloadError: A cell is no date or has another format; or day and month cannot be told apart.
    """
    recognised = [_recognise(text) for text in texts]
    kinds = Counter(found for found, match in recognised if match is not None).most_common(1)
    kind = kinds[0][0] if kinds else ""
    matches: list[re.Match[str]] = []
    for text, row, (found, match) in zip(texts, rows, recognised, strict=True):
        if match is None:
            raise place.refuse(f"{quoted(text)} is not a date", row=int(row), column=name)
        if found != kind:
            raise place.refuse(
                f"{quoted(text)} is written unlike the other dates, such as {_example(kind, recognised)}",
                row=int(row),
                column=name,
            )
        matches.append(match)
    family = kind.partition(":")[0]
    if family == "epoch":
        return _from_epoch(matches)
    if family == "spreadsheet day":
        return _from_serial(matches)
    return _from_parts(kind, matches, name, rows, place)


def _example(kind: str, recognised: Sequence[tuple[str, re.Match[str] | None]]) -> str:
    return next(quoted(match[0]) for found, match in recognised if match is not None and found == kind)


def _recognise(text: str) -> tuple[str, re.Match[str] | None]:
    for name, pattern in _COMPILED.items():
        match = pattern.fullmatch(text)
        if match is not None and (not name.startswith(("day", "month")) or _month(match) is not None):
            return name + _variant(name, match), match
    return "no date", None


def _variant(name: str, match: re.Match[str]) -> str:
    """Return what must be the same in all rows: the sign between the parts, the digits of the year or of the epoch."""
    if name == "epoch":
        return f":{max(len(match['epoch']), _EPOCH_SECONDS_DIGITS)}"
    short = "yy" if name in {"numeric", "day month-name year"} and len(match["c"]) == 2 else ""
    return f":{match['sep']}{short}" if name in {"numeric", "year first"} else f":{short}"


def _month(match: re.Match[str]) -> int | None:
    return _MONTHS.get(fold(match["b"])[:3])


def _from_epoch(matches: Sequence[re.Match[str]]) -> Parsed:
    micros = np.array([_microseconds(match["epoch"]) for match in matches], dtype="timedelta64[us]")
    days = micros.astype("timedelta64[D]")
    epoch = np.datetime64("1970-01-01", "D")
    digits = len(matches[0]["epoch"])
    unit = next(unit for limit, unit in ((10, "seconds"), (13, "ms"), (16, "us"), (19, "ns")) if digits <= limit)
    return Parsed(epoch + days, micros - days, np.ones(len(matches), dtype=bool), {"date_format": f"epoch {unit}"})


def _microseconds(digits: str) -> int:
    factor = _MICROSECONDS_PER.get(len(digits))
    return int(digits) * factor if factor else int(digits) // 1000


def _from_serial(matches: Sequence[re.Match[str]]) -> Parsed:
    days = _SPREADSHEET_ORIGIN + np.array([int(match["serial"]) for match in matches], dtype="timedelta64[D]")
    zero = np.zeros(len(matches), dtype="timedelta64[us]")
    return Parsed(days, zero, np.zeros(len(matches), dtype=bool), {"date_format": "spreadsheet day"})


def _from_parts(
    kind: str, matches: Sequence[re.Match[str]], name: str, rows: npt.NDArray[np.int64], place: Place
) -> Parsed:
    family = kind.partition(":")[0]
    named = "month-name" in family
    parts = np.array(
        [(int(m["a"]), (_month(m) or 0) if named else int(m["b"]), int(m["c"].partition(".")[0])) for m in matches],
        dtype=np.int64,
    )
    if family == "numeric":
        separator, short = kind[len("numeric:")], kind.endswith("yy")
        order, reason = choose_order(parts, separator, short, name, place)
    else:
        order, reason = ("dmy" if named else "ymd"), None
    days, valid = build_days(parts, order)
    if not valid.all():
        first = int(np.argmin(valid))
        raise place.refuse(f"{quoted(matches[first][0])} is not a date", row=int(rows[first]), column=name)
    times = np.array([_time(match) for match in matches], dtype="timedelta64[us]")
    is_utc = np.array([match.end() > match.end("c") and bool(match["offset"]) for match in matches])
    notes: dict[str, Any] = {"date_format": _label(family, kind, order)}
    return Parsed(days, times, is_utc, notes | ({"date_order_reason": reason} if reason else {}))


def _label(family: str, kind: str, order: str) -> str:
    if family not in {"numeric", "year first"}:
        return family
    year = "yy" if kind.endswith("yy") else "yyyy"
    return kind.partition(":")[2][0].join({"d": "dd", "m": "mm", "y": year}[letter] for letter in order)


def _time(match: re.Match[str]) -> int:
    """Return microseconds since midnight, less the offset."""
    if match.end() == match.end("c"):
        return 0
    parts = match.groupdict()
    hour, minute, second = (int(parts.get(unit) or 0) for unit in ("hour", "minute", "second"))
    if parts.get("half"):
        hour = hour % 12 + (12 if parts["half"][0] in "Pp" else 0)
    offset = re.sub(r"\D", "", parts.get("offset") or "").ljust(4, "0")
    east = int(offset[:2]) * 60 + int(offset[2:4])
    sign = -1 if (parts.get("offset") or "").startswith("-") else 1
    return ((hour * 60 + minute - sign * east) * 60 + second) * 1_000_000
