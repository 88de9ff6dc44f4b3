"""Several rows for one symbol and session, equal or not."""

import numpy as np
import pandas as pd

from bist_pipeline.quality._findings import nothing_there, offences, plural, report, texts
from bist_pipeline.quality._range import judged_rows
from bist_pipeline.quality.contract import Check, CheckInput, Finding

_BAR = ["symbol", "session_date"]
_VALUES = ["open_raw", "high_raw", "low_raw", "close_raw", "adj_close_raw", "volume_raw"]


def find(given: CheckInput) -> Finding:
    """Find every row after the first of its symbol and session, and say whether it repeats or contradicts it."""
    judged = judged_rows(given)
    if judged.empty:
        return nothing_there("no rows")
    rows = _later_rows(judged[judged.duplicated(_BAR, keep=False)])
    differing = int((rows["how"] == "differs from").sum())
    template = "row {source_row} {how} row {first_row}: close {close_raw}, volume {volume_raw}"
    return report(
        offences(rows["symbol"], rows["session_date"], texts(template, rows), kind="fault"),
        found=f"{plural(len(rows), 'bar')} delivered again, {differing:,} of them with other values.",
        clear=f"None of {plural(len(judged), 'bar')} was delivered twice.",
        counts={"bars": len(judged), "differing": differing},
    )


def _later_rows(shared: pd.DataFrame) -> pd.DataFrame:
    rows = shared.sort_values([*_BAR, "occurrence", "source_row"], kind="stable")
    is_later = rows.duplicated(_BAR).to_numpy()
    first = rows[~is_later].iloc[np.cumsum(~is_later)[is_later] - 1]
    later = rows[is_later]
    left, right = (frame[_VALUES].to_numpy(dtype=np.float64) for frame in (later, first))
    same = ((left == right) | (np.isnan(left) & np.isnan(right))).all(axis=1)
    return later.assign(how=np.where(same, "repeats", "differs from"), first_row=first["source_row"].to_numpy())


CHECK = Check(
    name="duplicate_bars",
    severity="warn",
    blocking=False,
    description="One row per symbol and session.",
    find=find,
)
