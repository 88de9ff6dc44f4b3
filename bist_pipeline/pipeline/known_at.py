"""When a derived row could be known: what a back-test may use, and when.

Belongs here: `known_at`. A final bar is known when its closing auction is over, a forming one at the provider's own
time of it, both plus the provider's delay. It depends on the session alone, never on when a computer got round to it.
"""

from dataclasses import dataclass
from datetime import timedelta

import pandas as pd

from bist_pipeline.core.calendar import SessionCalendar
from bist_pipeline.pipeline.span import Span
from bist_pipeline.storage.database import Database


@dataclass(frozen=True)
class KnownMoments:
    """The moments of one span.

    Attributes:
        final: End of the closing auction (UTC), by session.
        forming: The provider's time of each bar that is not final (UTC), by (symbol, session).
        delay: How late the provider tells.
    """

    final: pd.Series
    forming: pd.Series
    delay: timedelta

    def stamp(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the rows (`symbol`, `session_date`, `is_final`, …) with `known_at`."""
        # `map` cannot look up in a series without a session, which is what a holiday has.
        moments = pd.Series(self.final.reindex(rows["session_date"]).array, index=rows.index)
        if not rows["is_final"].all():
            keys = pd.MultiIndex.from_frame(rows[["symbol", "session_date"]])
            seen = pd.Series(self.forming.reindex(keys).to_numpy(), index=rows.index).dt.tz_localize("UTC")
            moments = moments.where(rows["is_final"], seen)
        return rows.assign(known_at=(moments + self.delay).astype("datetime64[us, UTC]"))


def known_moments(database: Database, calendar: SessionCalendar, span: Span, delay: timedelta) -> KnownMoments:
    """Collect the moments of a span."""
    schedule = calendar.schedule(span.first, span.last)
    traded = schedule[schedule["is_session"]]
    final = pd.Series(traded["final_at"].array, index=pd.DatetimeIndex(traded["session_date"]))
    bars = database.frame(
        """SELECT symbol, session_date, as_of FROM market.daily_prices
        WHERE session_date BETWEEN $1 AND $2 AND NOT is_final""",
        [span.first, span.last],
    )
    index = pd.MultiIndex.from_frame(bars[["symbol", "session_date"]])
    forming = pd.Series(bars["as_of"].dt.tz_localize(None).to_numpy(dtype="datetime64[us]"), index=index)
    return KnownMoments(final, forming, delay)
