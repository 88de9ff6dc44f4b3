"""What time a file's newest bar is of.

Belongs here: telling a bar that was still forming when the file was written. Does not belong here: sessions themselves
(`core/calendar.py`, imported when first needed: it computes for a second).
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from bist_pipeline.core.calendar import ISTANBUL

# Opening and closing time of a session in UTC; None where the day is no session.
SessionHours = Callable[[date], tuple[datetime, datetime] | None]

# Trades at the closing price go on for ten minutes; until then volume and close of the day may change.
SETTLING = timedelta(minutes=10)


def time_of_newest_bar(newest: date, written_at: datetime, read_at: datetime, hours: SessionHours) -> datetime:
    """Return when the newest bar was as it is: the time of reading, or of writing when its session then ran.

    Args:
        newest: Day of the newest bar.
        written_at: The file's modification time.
        read_at: Now.
        hours: Asked only when the file was written on the very day.
    """
    if written_at.astimezone(ISTANBUL).date() != newest:
        return read_at
    session = hours(newest)
    if session is None:
        return read_at
    _, closed = session
    return written_at.astimezone(UTC) if written_at < closed + SETTLING else read_at


def calendar_hours(day: date) -> tuple[datetime, datetime] | None:
    """Return the hours of `day` by the exchange's calendar; None where it is no session or beyond the calendar."""
    from bist_pipeline.core.calendar import load_calendar
    from bist_pipeline.core.errors import SessionError

    try:
        row = load_calendar().schedule(day, day)
    except SessionError:  # outside the calendar nothing can be said about the bar
        return None
    if row.empty or not row["is_session"].iloc[0]:
        return None
    return row["open_at"].iloc[0].to_pydatetime(), row["close_at"].iloc[0].to_pydatetime()
