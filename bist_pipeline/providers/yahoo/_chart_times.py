"""Of when a chart is, and when the next one will say something else.

Belongs here: `as_of` of a history and the mark of its version, from the clock and the exchange's calendar. Does not
belong here: reading the answer (`_chart_answer.py`).
"""

from datetime import UTC, datetime, time, timedelta

import numpy as np

from bist_pipeline.core.bars import DayArray
from bist_pipeline.core.calendar import CLOSING_AUCTION, ISTANBUL, SessionCalendar

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
    """Return up to when the bars are told.

    That is the last trade; but of a session that is final at the provider, the end of its closing auction: its last
    trade may have been earlier, and nothing will change its bar any more. So yesterday's bar stays final while today's
    row, which Yahoo appends before the share trades, is null.

    Args:
        days: Of the rows, datetime64[D], at least one; those of days to come change nothing.
        market_time: The provider's time of the last trade, not later than `now`.
        now: The time at the exchange.
        calendar: Says when sessions are final.
        delay: How late the provider tells.
    """
    is_reached = ~np.isnat(calendar.closes) & (calendar.days <= days.max())
    final_at = calendar.closes[is_reached] + np.timedelta64(CLOSING_AUCTION)
    told = final_at[final_at <= np.datetime64((now - delay).astimezone(UTC).replace(tzinfo=None), "us")]
    return max(market_time, told[-1].astype(datetime).replace(tzinfo=UTC)) if len(told) else market_time
