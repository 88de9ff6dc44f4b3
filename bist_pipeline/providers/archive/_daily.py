"""Whether rows are days.

Belongs here: refusing bars of another length. Does not belong here: duplicate days, which cleaning quarantines. Yahoo
sometimes appends a live row to the last day, so two rows on a day are a duplicate; many are bars within the day.
"""

import numpy as np

from bist_pipeline.providers.archive._dates import Dates
from bist_pipeline.providers.archive._place import Place

_ROWS_PER_DAY = 3  # without times: a file appended to itself has two
_TIMES_ON_A_DAY = 3
_SHARE_OF_DAYS = 0.1  # hourly bars of a share that hardly trades
_LONG_ENOUGH = 20  # distinct days from which on gaps tell weekly bars
_WEEK_GAP_DAYS = 5
_SHARE_OF_GAPS = 0.9


def refuse_unless_daily(dates: Dates, place: Place) -> None:
    """Refuse bars within the day, and weekly or monthly bars.

    Raises:
        BadPayloadError: The rows are not days; the message says what they look like.
    """
    days, rows = np.unique(dates.days, return_counts=True)
    stamps = np.unique(dates.stamps)
    times = np.unique(stamps.astype("datetime64[D]"), return_counts=True)[1]
    several = int(np.count_nonzero(times > 1))
    within_days = times.max() >= _TIMES_ON_A_DAY or (several > 1 and several > _SHARE_OF_DAYS * len(days))
    without_times = len(stamps) == len(days) and len(dates.stamps) >= _ROWS_PER_DAY * len(days)
    if within_days or without_times:
        found = f"{len(dates.stamps)} rows on {len(days)} days, up to {rows.max()} on one"
        raise place.refuse(f"holds bars within the day ({found}): the archive takes daily bars")
    gaps = np.diff(days).astype("timedelta64[D]").astype(np.int64)
    if len(days) >= _LONG_ENOUGH and np.mean(gaps >= _WEEK_GAP_DAYS) >= _SHARE_OF_GAPS:
        raise place.refuse(f"has rows {int(np.median(gaps))} days apart: the archive takes daily bars")
