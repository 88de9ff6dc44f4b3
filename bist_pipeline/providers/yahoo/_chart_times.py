"""Of when a chart is, and when the next one will say something else.

Belongs here: `as_of` of a history and the mark of its version, from the clock and the exchange's calendar. Does not
belong here: reading the answer (`_chart_answer.py`).
"""

from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from bist_pipeline.core.bars import DayArray
from bist_pipeline.core.calendar import CLOSING_AUCTION, ISTANBUL, ORIGIN, SessionCalendar

# Raise it when the same answer is read differently from now on: stored histories are then asked for again.
READER_VERSION = 1

# Yahoo corrects the day's bars over night.
MORNING = time(9, 0)


def day_mark(now: datetime, calendar: SessionCalendar, delay: timedelta) -> str:
    """Return a mark that changes when a history is worth asking for again, told by the clock alone.

    It changes when a session becomes final at the provider, and once more at 09:00 of the day after: Friday's session
    on Saturday.

    Raises:
        SessionError: `now` lies outside the calendar.
    """
    told = calendar.last_final_session(now - delay)
    corrected_at = datetime.combine(told + timedelta(days=1), MORNING, ISTANBUL)
    return f"{READER_VERSION}:{told.isoformat()}:{'morning' if now >= corrected_at else 'evening'}"


def time_of_newest(
    days: DayArray, market_time: datetime, now: datetime, calendar: SessionCalendar, delay: timedelta
) -> datetime:
    """Return up to when the newest bar is told.

    That is the last trade; but once the session is final at the provider, the end of its closing auction: the last
    trade may have been earlier, and nothing will change the bar any more.

    Args:
        days: Of the rows, datetime64[D], at least one.
        market_time: The provider's time of the last trade.
        now: The time at the exchange.
        calendar: Says when sessions are final.
        delay: How late the provider tells.
    """
    # A row of a day to come, a fault of the provider's, must not keep today's bar from being final.
    begun = days[days <= np.datetime64(now.astimezone(ISTANBUL).date(), "D")]
    ended = _final_at((begun if len(begun) else days).max().astype(date), calendar)
    if ended is None or now - delay < ended:
        return market_time
    return max(market_time, ended)


def _final_at(day: date, calendar: SessionCalendar) -> datetime | None:
    """When the last session up to `day` is final; None outside the calendar."""
    if not ORIGIN <= day <= calendar.horizon:
        return None
    row = int(np.searchsorted(calendar.days, calendar.sessions(ORIGIN, day)[-1]))
    closed = calendar.closes[row].astype("datetime64[us]").astype(datetime)
    return closed.replace(tzinfo=UTC) + CLOSING_AUCTION
