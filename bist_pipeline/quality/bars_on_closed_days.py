"""Bars on days on which the exchange did not trade: holidays, cancelled sessions, weekends.

Providers repeat the last close on them, and after a cancelled session its voided trades stay on file for ever.
"""

import pandas as pd

from bist_pipeline.quality._findings import nothing_there, offences, plural, report, texts
from bist_pipeline.quality._range import judged_rows, trading_days
from bist_pipeline.quality.contract import Check, CheckInput, Finding


def find(given: CheckInput) -> Finding:
    """Find rows whose day is no session; a day that `sessions` does not hold is none either."""
    judged = judged_rows(given)
    if judged.empty:
        return nothing_there("no rows")
    day = pd.DatetimeIndex(judged["session_date"])
    rows = judged[~day.isin(trading_days(given.sessions))]
    days = rows["session_date"].nunique()
    traded = int((rows["volume_raw"] > 0).sum())
    return report(
        offences(
            *(rows["symbol"], rows["session_date"], texts("close {close_raw}, volume {volume_raw}", rows)),
            kind="fault",
        ),
        found=f"{plural(len(rows), 'bar')} on {plural(days, 'day')} without a session, {traded:,} with volume.",
        clear=f"All {plural(len(judged), 'bar')} stand on sessions.",
        counts={"bars": len(judged), "days": days, "with_volume": traded},
    )


CHECK = Check(
    name="bars_on_closed_days",
    severity="warn",
    blocking=False,
    description="No bars on holidays, cancelled sessions and weekends; cleaning withholds them as `closed_day`.",
    find=find,
)
