"""What a check is given, cut to what it judges.

Belongs here: the sessions that are judged, those that the exchange held, and the bars as they were traded. Does not
belong here: laying rows out by symbol and session (`_panel.py`).
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.quality.contract import BAR_VALUES, CheckInput

# What a provider calls the values of `BAR_VALUES`.
_RAW_NAMES = ("open_raw", "high_raw", "low_raw", "close_raw", "volume_raw")


def is_judged(given: CheckInput, days: Any) -> npt.NDArray[np.bool_]:
    """Return which days are judged rather than there to compare with, in the shape of `days`."""
    day = np.asarray(days, dtype="datetime64[us]")
    judged = ~np.isnat(day)
    if given.first is not None:
        judged &= day >= given.first.to_datetime64()
    if given.last is not None:
        judged &= day <= given.last.to_datetime64()
    return judged


def judged_rows(given: CheckInput) -> pd.DataFrame:
    """Return the rows of `raw` on days that are judged."""
    if given.first is None and given.last is None:
        return given.raw
    return given.raw[is_judged(given, given.raw["session_date"])]


def as_traded(given: CheckInput) -> pd.DataFrame:
    """Return `BAR_VALUES` and `basis` of the rows of `raw`, row by row: as traded, as far as that is known."""
    if given.bars is None:
        renamed = dict(zip(_RAW_NAMES, BAR_VALUES, strict=True))
        return given.raw[[*_RAW_NAMES, "basis"]].rename(columns=renamed)
    same = given.bars.index.equals(given.raw.index)
    return given.bars if same else given.bars.reindex(given.raw.index)


def trading_days(sessions: pd.DataFrame) -> npt.NDArray[np.datetime64]:
    """Return the days on which the exchange traded, ascending, without repetition."""
    days = sessions["session_date"].to_numpy(dtype="datetime64[us]")
    return np.unique(days[sessions["is_session"].to_numpy(dtype=bool)])


def half_days(sessions: pd.DataFrame) -> npt.NDArray[np.datetime64]:
    """Return the days on which the exchange closed at noon; none where `sessions` does not say."""
    if "is_half_day" not in sessions:
        return np.array([], dtype="datetime64[us]")
    return sessions["session_date"].to_numpy(dtype="datetime64[us]")[sessions["is_half_day"].to_numpy(dtype=bool)]
