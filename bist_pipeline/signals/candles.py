"""Candlestick events summed up to two numbers per symbol and session.

Belongs here: the weight of an event and its sum over the events of a session. Does not belong here: finding events
(`patterns/`) or reading the sum (`terms/candles.py`).
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.bars import FloatArray

# An event counts |strength| / 100 times this: whether the trend before it is the one its textbook presumes. Kept as
# quarters, so that the sum runs over whole numbers and its bits do not depend on the order of the events.
QUARTERS_FITS = 4
QUARTERS_UNKNOWN = 2
QUARTERS_CONTRADICTS = 1

_UNITS = 4 * 100  # quarters × TA-Lib's 100


def candle_sums(events: pd.DataFrame, rows: npt.NDArray[np.int64], count: int) -> tuple[FloatArray, FloatArray]:
    """Sum the weighted strengths of bullish and of bearish events per row.

    Args:
        events: `strength` int64, `direction`, `fits_trend` (nullable boolean); neutral events count nothing.
        rows: For each event, the row that it belongs to, −1 for none.
        count: Number of rows.

    Returns:
        `candles_bullish` and `candles_bearish`, shape (count,), 0.0 where there is no event.
    """
    fits = events["fits_trend"].astype("boolean")
    quarters = np.where(fits.isna(), QUARTERS_UNKNOWN, QUARTERS_CONTRADICTS)
    quarters[fits.fillna(value=False).to_numpy(dtype=bool)] = QUARTERS_FITS
    weights = np.abs(events["strength"].to_numpy(dtype=np.int64)) * quarters

    def total(direction: str) -> FloatArray:
        chosen = (events["direction"] == direction).to_numpy(dtype=bool) & (rows >= 0)
        return np.bincount(rows[chosen], weights=weights[chosen], minlength=count).astype(np.float64) / _UNITS

    return total("bullish"), total("bearish")
