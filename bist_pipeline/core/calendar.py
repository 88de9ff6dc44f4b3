"""Sessions of Borsa Istanbul: which weekdays trade, when they open, close and are final.

Belongs here: the exchange's days and hours, closures announced at short notice included. Does not belong here:
Dagster's partitions (`defs/partitions.py`), or the time of day (`core/clock.py`): every moment is passed in.

Sessions come from `exchange_calendars` XIST, one year ahead of the machine's date; the packaged overrides, then those
that a desk keeps, win over it. XIST applies today's continuous hours (10:00 to 18:00) to all of history: do not judge
the times of bars before 2016-11-14 by it.
"""

import csv
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.bars import DayArray
from bist_pipeline.core.errors import SessionError

ISTANBUL = ZoneInfo("Europe/Istanbul")
# Whether Yahoo divided its rows before 2005 by the redenomination is unverified; 2010 is safely after it.
ORIGIN = date(2010, 1, 4)

# As the exchange announces them: orders for the opening auction from 09:40, continuous trading 10:00 to 18:00 (12:30
# before a feast), then closing auction and trades at the closing price for ten minutes. The day's bar is final then.
ORDER_COLLECTION = time(9, 40)
OPEN = time(10, 0)
OPENING_MATCH = timedelta(minutes=5)  # the opening auction's trades come that long before continuous trading
CLOSE = time(18, 0)
HALF_DAY_CLOSE = time(12, 30)
CLOSING_AUCTION = timedelta(minutes=10)

# The file that a desk keeps in its home.
OVERRIDES_FILE = "calendar_overrides.csv"

_PACKAGED_OVERRIDES = Path(__file__).with_name("data") / OVERRIDES_FILE
_OVERRIDE_COLUMNS = ["session_date", "kind", "reason"]
_OVERRIDE_KINDS = ("closed", "half_day", "open")
_LEGAL_OVERRIDE = (
    f"expected UTF-8 with columns {', '.join(_OVERRIDE_COLUMNS)}, like `2024-01-23,closed,Snow`; "
    f"legal kinds: {', '.join(_OVERRIDE_KINDS)}"
)


class MarketState(StrEnum):
    """What the exchange is doing at a moment."""

    CLOSED = "closed"  # no session, or before its order collection
    PRE_OPEN = "pre_open"  # orders for the opening auction are collected
    OPEN = "open"  # continuous trading
    AFTER_CLOSE = "after_close"  # from the close to midnight in Istanbul, the closing auction included


@dataclass(frozen=True, slots=True)
class _Override:
    day: date
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class SessionCalendar:
    """Every weekday from `ORIGIN` to `horizon`, as read-only arrays of shape (weekdays,).

    Every method raises `SessionError`, naming the bound, for a day outside the calendar, and for a moment without a
    time zone. Ranges include both ends.

    Attributes:
        days: datetime64[D], increasing.
        opens: Start of continuous trading, datetime64[us] in UTC; NaT where closed.
        closes: End of continuous trading, likewise.
        is_half_day: Whether it closes at 12:30.
        notes: Why it is closed, short, or otherwise than usual; empty where there is nothing to say.
    """

    days: DayArray
    opens: npt.NDArray[np.datetime64]
    closes: npt.NDArray[np.datetime64]
    is_half_day: npt.NDArray[np.bool_]
    notes: npt.NDArray[np.object_]

    def __post_init__(self) -> None:
        for array in (self.days, self.opens, self.closes, self.is_half_day, self.notes):
            array.setflags(write=False)

    @property
    def horizon(self) -> date:
        """The last session the calendar knows, about a year ahead."""
        return self.days[-1].astype(date)

    def check_range(self, start: date, end: date) -> None:
        """Refuse a range that is reversed, begins before `ORIGIN` or ends after `horizon`."""
        first, last = _day(start), _day(end)
        if first > last:
            raise SessionError(f"range is reversed: it starts on {first} and ends on {last}")
        if first < ORIGIN:
            raise SessionError(f"{first} lies before {ORIGIN}, the first session of this pipeline")
        if last > self.horizon:
            raise SessionError(f"{last} lies after {self.horizon}, the last session the calendar knows")

    def is_session(self, day: date) -> bool:
        """Tell whether the exchange trades on `day`."""
        return bool(len(self.sessions(day, day)))

    def weekdays(self, start: date, end: date) -> DayArray:
        """Return the weekdays of a range as datetime64[D]."""
        return self.days[self._slice(start, end)]

    def sessions(self, start: date, end: date) -> DayArray:
        """Return the sessions of a range as datetime64[D]."""
        part = self._slice(start, end)
        return self.days[part][~np.isnat(self.opens[part])]

    def schedule(self, start: date, end: date) -> pd.DataFrame:
        """Return one row per weekday of a range.

        Returns:
            `session_date` datetime64[us]; `is_session`, `is_half_day` bool; `open_at`, `close_at`, `final_at`
            datetime64[us, UTC], NaT where closed; `note` text.
        """
        part = self._slice(start, end)
        opens, closes = pd.Series(self.opens[part]), pd.Series(self.closes[part])
        return pd.DataFrame(
            {
                "session_date": self.days[part].astype("datetime64[us]"),
                "is_session": opens.notna(),
                "is_half_day": self.is_half_day[part],
                "open_at": opens.dt.tz_localize("UTC"),
                "close_at": closes.dt.tz_localize("UTC"),
                "final_at": (closes + CLOSING_AUCTION).dt.tz_localize("UTC"),
                "note": pd.Series(self.notes[part], dtype="str"),
            }
        )

    def state_at(self, now: datetime) -> MarketState:
        """Tell what the exchange is doing at `now`."""
        day = self._istanbul_day(now)
        if not self.is_session(day):
            return MarketState.CLOSED
        row, moment = int(np.searchsorted(self.days, np.datetime64(day))), _utc(now)
        if moment >= self.closes[row]:
            return MarketState.AFTER_CLOSE
        if moment >= self.opens[row]:
            return MarketState.OPEN
        return MarketState.PRE_OPEN if moment >= _at(day, ORDER_COLLECTION) else MarketState.CLOSED

    def session_at(self, now: datetime) -> date:
        """Return today's session once its order collection has begun, else the last session before."""
        day = self._istanbul_day(now)
        latest = day if _utc(now) >= _at(day, ORDER_COLLECTION) else day - timedelta(days=1)
        begun = self.days[(self.days <= np.datetime64(latest)) & ~np.isnat(self.opens)]
        if not len(begun):
            raise SessionError(f"no session has begun at {now}: the first is {ORIGIN}")
        return begun[-1].astype(date)

    def last_final_session(self, now: datetime) -> date:
        """Return the last session whose closing auction is over at `now`."""
        self._istanbul_day(now)
        traded = ~np.isnat(self.closes)
        finals = self.closes[traded] + np.timedelta64(CLOSING_AUCTION)
        count = int(np.searchsorted(finals, _utc(now), side="right"))
        if not count:
            raise SessionError(f"no session is final at {now}: the first is {ORIGIN}")
        return self.days[traded][count - 1].astype(date)

    def _overridden(self, overrides: Iterable[_Override]) -> Self:
        opens, closes = self.opens.copy(), self.closes.copy()
        is_half_day, notes = self.is_half_day.copy(), self.notes.copy()
        for override in overrides:
            row, half = np.searchsorted(self.days, np.datetime64(override.day)), override.kind == "half_day"
            opens[row], closes[row] = _at(override.day, OPEN), _at(override.day, HALF_DAY_CLOSE if half else CLOSE)
            if override.kind == "closed":
                opens[row] = closes[row] = np.datetime64("NaT", "us")
            is_half_day[row], notes[row] = half, override.reason
        return type(self)(self.days, opens, closes, is_half_day, notes)

    def _slice(self, start: date, end: date) -> slice:
        self.check_range(start, end)
        first = np.searchsorted(self.days, np.datetime64(_day(start)), side="left")
        return slice(int(first), int(np.searchsorted(self.days, np.datetime64(_day(end)), side="right")))

    def _istanbul_day(self, now: datetime) -> date:
        if now.utcoffset() is None:
            raise SessionError(f"the time {now} has no time zone: pass an aware datetime")
        day = now.astimezone(ISTANBUL).date()
        self.check_range(day, day)
        return day


def load_calendar(overrides: Path | None = None) -> SessionCalendar:
    """Return the calendar with the packaged overrides and those of the file that a desk keeps.

    The exchange's calendar is computed once per process; the desk's file is read at every call.

    Args:
        overrides: The CSV `OVERRIDES_FILE` in the home, columns session_date, kind (closed, half_day, open: a whole
            session) and reason. A desk without exceptions has no such file, so that a missing one says nothing.

    Raises:
        SessionError: The file cannot be read, or a line is wrong; the message names file, line and legal form.
    """
    calendar = _packaged_calendar()
    if overrides is None or not overrides.exists():
        return calendar
    return calendar._overridden(_read_overrides(overrides, calendar))


@cache
def _packaged_calendar() -> SessionCalendar:
    calendar = _exchange_calendar()
    return calendar._overridden(_read_overrides(_PACKAGED_OVERRIDES, calendar))


def _exchange_calendar() -> SessionCalendar:
    import exchange_calendars  # 0.3 s that listing the assets does not need

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # exchange_calendars 4.13 itself, on pandas 3.1
        xist = exchange_calendars.get_calendar("XIST", start=ORIGIN.isoformat())
    weekdays = pd.bdate_range(ORIGIN, xist.last_session)
    times = xist.schedule.reindex(weekdays)
    opens, closes = (times[name].dt.tz_localize(None).to_numpy("datetime64[us]") for name in ("open", "close"))
    half_days = weekdays.isin(xist.early_closes)
    notes = np.full(len(weekdays), "", dtype=object)
    holidays = _holidays(xist)
    for row in np.flatnonzero(np.isnat(opens) | half_days).tolist():
        eve = bool(half_days[row])
        holiday = holidays.get(weekdays[row].date() + timedelta(days=eve), "a holiday without a name here")
        notes[row] = f"Eve of {holiday}" if eve else holiday
    return SessionCalendar(weekdays.to_numpy().astype("datetime64[D]"), opens, closes, half_days, notes)


def _holidays(xist: Any) -> dict[date, str]:
    """Name the closed days: those of the two feasts, whose dates move, and the fixed ones."""
    from exchange_calendars.common_holidays import eid_al_adha_first_day, eid_al_fitr_first_day

    after = xist.last_session + timedelta(days=1)
    fixed = xist.regular_holidays.holidays(xist.first_session, after, return_name=True)
    names = {day.date(): name.replace("Attaturk", "Atatürk") for day, name in fixed.items()}
    names |= {first.date() + timedelta(days=n): "Eid al-Fitr" for first in eid_al_fitr_first_day for n in range(3)}
    names |= {first.date() + timedelta(days=n): "Eid al-Adha" for first in eid_al_adha_first_day for n in range(4)}
    return names


def _read_overrides(path: Path, calendar: SessionCalendar) -> Iterable[_Override]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SessionError(f"{path} cannot be read: {error}; {_LEGAL_OVERRIDE}") from error
    delimiter = ";" if lines and ";" in lines[0] else ","
    if not lines or [name.strip().lower() for name in lines[0].split(delimiter)] != _OVERRIDE_COLUMNS:
        raise SessionError(f"{path}, line 1: not the three columns' names; {_LEGAL_OVERRIDE}")
    found: dict[date, _Override] = {}
    for number, line in enumerate(lines[1:], start=2):
        try:
            fields = [field.strip() for row in csv.reader([line], delimiter=delimiter, strict=True) for field in row]
            if any(fields):
                override = _override(fields, calendar, found.keys())
                found[override.day] = override
        except (ValueError, csv.Error, SessionError) as error:
            raise SessionError(f"{path}, line {number}: {error}; {_LEGAL_OVERRIDE}") from error
    return found.values()


def _override(fields: list[str], calendar: SessionCalendar, taken: Iterable[date]) -> _Override:
    if len(fields) != len(_OVERRIDE_COLUMNS):
        raise SessionError(f"{len(fields)} fields instead of {len(_OVERRIDE_COLUMNS)}")
    override = _Override(date.fromisoformat(fields[0]), fields[1], fields[2])
    calendar.check_range(override.day, override.day)
    if override.day.weekday() > 4:
        raise SessionError(f"{override.day} is a {override.day:%A}, and sessions are weekdays")
    if override.day in taken:
        raise SessionError(f"{override.day} occurs twice")
    if override.kind not in _OVERRIDE_KINDS:
        raise SessionError(f"kind is {override.kind!r}")
    if not override.reason:
        raise SessionError("the reason is empty")
    return override


def _day(day: date) -> date:
    return day.date() if isinstance(day, datetime) else day


def _utc(moment: datetime) -> np.datetime64:
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")


def _at(day: date, clock: time) -> np.datetime64:
    return _utc(datetime.combine(day, clock, ISTANBUL))
