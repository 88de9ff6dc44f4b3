"""A column of dates to days in Istanbul.

Belongs here: recognising the one format of the column and reading it. Does not belong here: choosing between day and
month (`_date_order.py`), or judging whether the rows are daily (`_daily.py`). A time with an offset, and an epoch, is
moved to Europe/Istanbul before its day is taken: Yahoo stamps a session 21:00 UTC of the evening before. A time
without an offset is the wall clock of Istanbul.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from bist_pipeline.core.calendar import ISTANBUL
from bist_pipeline.providers.archive._date_formats import Parsed, parse_dates
from bist_pipeline.providers.archive._place import Place
from bist_pipeline.providers.archive._strings import any_matching, first_null, trimmed

Stamps = npt.NDArray[np.datetime64]

_ISO = r"^\d{4}-\d{2}-\d{2}"
_TODAYS_OFFSET = np.timedelta64(3, "h")


@dataclass(frozen=True, slots=True)
class Dates:
    """The dates of a file.

    Attributes:
        stamps: datetime64[us], Istanbul wall clock, shape (rows,).
        notes: Format, and how day and month were told apart.
    """

    stamps: Stamps
    notes: dict[str, Any]

    @property
    def days(self) -> Stamps:
        """Midnight of each stamp's day, datetime64[us]."""
        return self.stamps.astype("datetime64[D]").astype("datetime64[us]")

    @property
    def times(self) -> npt.NDArray[np.timedelta64]:
        """Time of day of each stamp."""
        return self.stamps - self.days


def read_dates(cells: pa.Array, name: str, rows: npt.NDArray[np.int64], place: Place) -> Dates:
    """Read a column of dates, text or typed.

    Raises:
        BadPayloadError: A cell is no date, differs in format from the others, or day and month cannot be told apart.
    """
    first = first_null(cells)
    if first is not None:
        raise place.refuse("the date is missing", row=int(rows[first]), column=name)
    dates = _typed(cells) or _from_text(trimmed(_as_text(cells, name, place)), name, rows, place)
    implausible = ~_plausible(dates.stamps)
    if implausible.any():
        row = int(np.argmax(implausible))
        day = dates.days[row].astype("datetime64[D]")
        raise place.refuse(f"the day {day} lies outside 1900 to 2099", row=int(rows[row]), column=name)
    return dates


def _from_text(texts: pa.Array, name: str, rows: npt.NDArray[np.int64], place: Place) -> Dates:
    quick = _iso(texts)
    return quick if quick is not None else _from(parse_dates(texts.to_pylist(), name, rows, place))


def to_istanbul(utc: Stamps) -> Stamps:
    """Return the wall clock of Istanbul at moments in UTC, both datetime64[us] without zone.

    Turkey kept UTC+2 in winter until 2016, but tools that know today's offset alone stamp those days at midnight of
    UTC+3, an hour early: such a stamp means the day that begins then. No session ever was at that hour.
    """
    local: Stamps = pd.DatetimeIndex(utc).tz_localize("UTC").tz_convert(ISTANBUL).tz_localize(None).to_numpy()
    local = local.astype("datetime64[us]")
    at_todays_offset = utc + _TODAYS_OFFSET
    is_midnight = at_todays_offset == at_todays_offset.astype("datetime64[D]")
    return np.where(is_midnight, at_todays_offset, local)


def _typed(cells: pa.Array) -> Dates | None:
    kind = cells.type
    if pa.types.is_date(kind):
        return Dates(_stamps(cells.cast(pa.date32())), {"date_format": "typed date"})
    if not pa.types.is_timestamp(kind):
        return None
    stamps = _stamps(cells.cast(pa.timestamp("us", kind.tz), safe=False))
    if kind.tz is None:
        return Dates(stamps, {"date_format": "typed time without zone"})
    return Dates(to_istanbul(stamps), {"date_format": f"typed time in {kind.tz}"})


def _iso(texts: pa.Array) -> Dates | None:
    """Read a column that is ISO throughout, with arrow's parser; None when it is something else."""
    if not any_matching(texts[:1], _ISO):  # a cast that fails costs more than one that succeeds
        return None
    for kind, label in (
        (pa.date32(), "yyyy-mm-dd"),
        (pa.timestamp("us", "UTC"), "yyyy-mm-dd with time and offset"),
        (pa.timestamp("us"), "yyyy-mm-dd with time"),
    ):
        try:
            stamps = _stamps(texts.cast(kind))
        except pa.ArrowInvalid:
            continue
        local = to_istanbul(stamps) if kind == pa.timestamp("us", "UTC") else stamps
        return Dates(local, {"date_format": label})
    return None


def _stamps(cells: pa.Array) -> Stamps:
    return cells.to_numpy(zero_copy_only=False).astype("datetime64[us]")


def _plausible(stamps: Stamps) -> npt.NDArray[np.bool_]:
    return (stamps >= np.datetime64("1900-01-01")) & (stamps < np.datetime64("2100-01-01"))


def _as_text(cells: pa.Array, name: str, place: Place) -> pa.Array:
    kind = cells.type
    if pa.types.is_floating(kind):  # epochs that met a missing value on their way
        cells = cells.cast(pa.int64(), safe=False)
    elif not (pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise place.refuse(f"holds {kind}, not dates", column=name)
    return cells.cast(pa.string())


def _from(parsed: Parsed) -> Dates:
    stamps: Stamps = np.add(parsed.days.astype("datetime64[us]"), parsed.times)
    stamps[parsed.is_utc] = to_istanbul(stamps[parsed.is_utc])
    return Dates(stamps, parsed.notes)
