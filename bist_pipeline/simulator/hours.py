"""When a day's bar begins, closes and is final, as epoch seconds.

Belongs here: the moments of one day, for days outside the calendar too, since a replayed file may hold them. Does not
belong here: which days are sessions (`core/calendar.py`).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from bist_pipeline.core.calendar import (
    CLOSE,
    CLOSING_AUCTION,
    ISTANBUL,
    OPEN,
    ORDER_COLLECTION,
    ORIGIN,
    SessionCalendar,
    load_calendar,
)

# The opening auction is matched five minutes before continuous trading: the day's first price.
_OPENING_MATCH_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Hours:
    """The moments of one day, epoch seconds.

    Attributes:
        orders_at: Collection of orders begins.
        match_at: The opening auction is matched: the first price. What happens to a share on this day holds from here.
        open_at: Continuous trading begins; the time stamp of the day's bar.
        close_at: Continuous trading ends.
        final_at: The closing auction is over and the day's bar is final.
        is_session: Whether the exchange trades at all.
    """

    orders_at: int
    match_at: int
    open_at: int
    close_at: int
    final_at: int
    is_session: bool


@cache
def hours_of(day: date) -> Hours:
    """Return the moments of a day; a day without a session gets those of a whole one."""
    calendar = load_calendar()
    known = ORIGIN <= day <= calendar.horizon and calendar.is_session(day)
    open_at, close_at = _traded(calendar, day) if known else (stamp(day, OPEN), stamp(day, CLOSE))
    final_at = close_at + int(CLOSING_AUCTION.total_seconds())
    match_at = open_at - _OPENING_MATCH_SECONDS
    return Hours(stamp(day, ORDER_COLLECTION), match_at, open_at, close_at, final_at, known)


def stamp(day: date, at: time) -> int:
    """Return the epoch second of a time of day in Istanbul."""
    return int(datetime.combine(day, at, tzinfo=ISTANBUL).timestamp())


def istanbul_day(at: int) -> date:
    """Return the day in Istanbul at an epoch second."""
    return datetime.fromtimestamp(at, ISTANBUL).date()


def next_session(day: date) -> date:
    """Return `day` or the first session after it; `day` itself where the calendar ends."""
    calendar = load_calendar()
    if not ORIGIN <= day <= calendar.horizon:
        return day
    ahead = calendar.sessions(day, min(day + timedelta(days=20), calendar.horizon))
    return ahead[0].astype(date) if len(ahead) else day


def _traded(calendar: SessionCalendar, day: date) -> tuple[int, int]:
    row = calendar.schedule(day, day).iloc[0]
    return int(row["open_at"].timestamp()), int(row["close_at"].timestamp())


def moment(at: int) -> datetime:
    """Return an epoch second as an aware UTC datetime."""
    return datetime.fromtimestamp(at, UTC)
