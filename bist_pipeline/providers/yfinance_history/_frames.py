"""From the library's frame to bars.

Belongs here: the contract's columns, and what the library makes up. Does not belong here: actions, the currency and the
times, which are read from the answer itself (`yahoo/_chart_history.py`): the library moves an action on a day without a
row to the row before, and so to the wrong side of its ex-date.
"""

import numpy as np
import pandas as pd

from bist_pipeline.providers.contract import RAW_BAR_COLUMNS
from bist_pipeline.providers.yahoo._chart_answer import ADJUSTED, Chart

_VALUES = {
    "open_raw": "Open",
    "high_raw": "High",
    "low_raw": "Low",
    "close_raw": "Close",
    "adj_close_raw": "Adj Close",
    "volume_raw": "Volume",
}
# Where Yahoo tells no volume the library writes 0, and the close where it tells no adjusted one.
_MADE_UP = {"volume_raw": "volume", "adj_close_raw": ADJUSTED}


def read_bars(frame: pd.DataFrame, chart: Chart) -> pd.DataFrame:
    """Return the rows of a frame that stand for rows of the answer.

    Args:
        frame: As the library delivers it: not adjusted, every row kept, days with a zone.
        chart: The answer it was made of.

    Returns:
        Columns `RAW_BAR_COLUMNS`; the rows that the library adds for actions outside of the range are left out.
    """
    days = pd.DatetimeIndex(frame.index).tz_localize(None).normalize().as_unit("us")
    bars = pd.DataFrame({column: frame[name].to_numpy(dtype="float64") for column, name in _VALUES.items()})
    bars["session_date"] = days
    bars["source_row"] = _positions(chart).reindex(days, fill_value=-1).to_numpy(dtype="int64")
    bars = bars.loc[bars["source_row"] >= 0, list(RAW_BAR_COLUMNS)].reset_index(drop=True)
    for column, name in _MADE_UP.items():
        bars[column] = bars[column].mask(np.isnan(chart.columns[name][bars["source_row"].to_numpy()]))
    return bars


def _positions(chart: Chart) -> pd.Series:
    """Position of each day's row: the first of a day, but the last of the newest day, as the library chooses."""
    days = pd.DatetimeIndex(chart.days()).as_unit("us")
    kept = np.where(days == days.max(), ~days.duplicated(keep="last"), ~days.duplicated(keep="first"))
    return pd.Series(np.flatnonzero(kept), index=days[kept])
