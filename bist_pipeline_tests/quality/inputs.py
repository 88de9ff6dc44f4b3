"""What a check is given, for the tests of this room. Belongs here: building it. Does not belong here: expectations."""

import pandas as pd

from bist_pipeline.quality.contract import CheckInput
from bist_pipeline_tests.market.raw_rows import raw_grid, raw_rows, small_schedule

# Six sessions in a row; a weekend lies between the fourth and the fifth.
DAYS = ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09"]


def given(*changes, outcomes=()):
    """One good row per change, with the sessions of January 2024 and the outcomes stated."""
    return of(raw_rows(*changes), outcomes)


def given_closes(closes, days=None, **columns):
    """Rows of several symbols over `DAYS`; NaN leaves a row out."""
    longest = max(map(len, closes.values()))
    return of(raw_grid(closes, days or DAYS[:longest], **columns))


def of(raw, outcomes=()):
    """The rows, with the sessions of January 2024."""
    asked = pd.DataFrame(list(outcomes), columns=["symbol", "status", "reason"]).astype("str")
    return CheckInput(raw, small_schedule()[["session_date", "is_session"]], asked)


def hits(finding):
    """Which symbol and day were found."""
    return list(zip(finding.rows["symbol"], finding.rows["session_date"].dt.strftime("%Y-%m-%d"), strict=True))
