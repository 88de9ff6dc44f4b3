"""What a check is given, for the tests of this room. Belongs here: building it. Does not belong here: expectations."""

import dataclasses

import numpy as np
import pandas as pd

from bist_pipeline.quality.contract import ACTION_COLUMNS, CheckInput
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


def weekdays(first, count):
    """So many weekdays as texts."""
    return pd.bdate_range(first, periods=count).strftime("%Y-%m-%d").tolist()


def over(days, rows, *, half_days=(), closed=(), actions=(), **further):
    """Rows with every weekday between the first and the last of `days` as a session, but for those closed.

    Args:
        days: Sessions as texts.
        rows: Changes to a good row.
        half_days: Which of them close at noon.
        closed: Which of the weekdays between them are none.
        actions: Changes to a dividend of one lira that takes a hundredth of the price.
        further: Other fields of the input.
    """
    session_date = pd.bdate_range(min(days), max(days)).as_unit("us")
    texts = session_date.strftime("%Y-%m-%d")
    sessions = pd.DataFrame(
        {"session_date": session_date, "is_session": ~texts.isin(closed), "is_half_day": texts.isin(half_days)}
    )
    asked = pd.DataFrame(columns=["symbol", "status", "reason"], dtype="str")
    stated = {"actions": actions_of(*actions)} if actions else {}
    return CheckInput(raw_rows(*rows), sessions, asked, **stated, **further)


def actions_of(*changes):
    """Corporate actions: a dividend of one lira that takes a hundredth of the price, changed as each argument says."""
    one = {
        **{"symbol": "THYAO", "ex_date": DAYS[1], "kind": "dividend", "origin": "provider"},
        **{"ratio": np.nan, "amount_try": 1.0, "subscription_try": np.nan, "price_factor": 0.99, "share_ratio": 1.0},
    }
    rows = pd.DataFrame([one | change for change in changes])[list(ACTION_COLUMNS)]
    texts = dict.fromkeys(("symbol", "kind", "origin"), "str")
    return rows.assign(ex_date=pd.to_datetime(rows["ex_date"]).astype("datetime64[us]")).astype(texts)


def judging(input_, first, last):
    """The same, with the sessions judged limited."""
    return dataclasses.replace(input_, first=pd.Timestamp(first), last=pd.Timestamp(last))


def bar(symbol, day, close, **change):
    """A bar of one price."""
    return {"symbol": symbol, "session_date": day, **prices(close)} | change


def prices(close):
    """Open, high, low and close of one price."""
    return dict.fromkeys(("open_raw", "high_raw", "low_raw", "close_raw"), close)


def hits(finding):
    """Which symbol and day were found."""
    return list(zip(finding.rows["symbol"], finding.rows["session_date"].dt.strftime("%Y-%m-%d"), strict=True))
