"""The price grid of Borsa Istanbul: which prices can have been traded on a day.

Belongs here: the dated tick tables and snapping to them. Only prices as traded lie on the grid, which makes it a
checksum of basis and factors. Does not belong here: undoing splits (`splits.py`), indices, which have no grid.

Every tick is a whole number of kuruş, and every border of a band is a multiple of the ticks on both of its sides: a
price that floating point pushed just over a border snaps to the same price.
"""

from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bist_pipeline.core.bars import DayArray, FloatArray


class _Table(NamedTuple):
    """Ticks from a session on.

    Attributes:
        since: First session.
        floors: Lowest price of each band, lira, increasing.
        kurus: Tick of each band, hundredths of a lira.
    """

    since: date
    floors: tuple[float, ...]
    kurus: tuple[int, ...]


# The first session on the finer bands was measured on hourly prints: the last one off the new table is of 2023-11-03,
# all later ones are on it. When the older table began is not known here; the earlier ones were coarser.
TICK_TABLES = (
    _Table(date.min, (0, 20, 50, 100), (1, 2, 5, 10)),
    _Table(date(2023, 11, 6), (0, 20, 50, 100, 250, 500, 1000, 2500), (1, 2, 5, 10, 25, 50, 100, 250)),
)

# A price lies on the grid when it is nearer to it than this; prices of another basis miss it by 0.25 on average.
ON_GRID = 0.01


def tick_size(price: npt.ArrayLike, day: npt.ArrayLike) -> FloatArray:
    """The smallest step of a price, in the band that the price itself lies in.

    Args:
        price: Lira.
        day: Session, datetime64 or `date`; shapes broadcast.

    Returns:
        Lira; NaN where the price is not finite.
    """
    prices, days = _broadcast(price, day)
    return np.where(np.isfinite(prices), _kurus(prices, days) / 100.0, np.nan)


def snap(price: npt.ArrayLike, day: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """The nearest price of the grid, and how far away it is.

    Args:
        price: Lira.
        day: Session, datetime64 or `date`; shapes broadcast.

    Returns:
        The double nearest to the decimal price, never below one tick; and the distance in ticks, 0 to 0.5 for any
        price that can be one. Both NaN where the price is not finite.
    """
    prices, days = _broadcast(price, day)
    known = np.where(np.isfinite(prices), prices, np.nan)
    kurus = _kurus(prices, days)
    # Whole kuruş divided by 100 is the double nearest to the decimal; steps times 0.01 often is its neighbour.
    snapped = np.maximum(np.rint(known * 100.0 / kurus), 1.0) * kurus / 100.0
    return snapped, np.abs(known - snapped) * 100.0 / kurus


def _broadcast(price: npt.ArrayLike, day: npt.ArrayLike) -> tuple[FloatArray, DayArray]:
    prices, days = np.broadcast_arrays(np.asarray(price, dtype=np.float64), np.asarray(day, dtype="datetime64[D]"))
    return prices, days


def _kurus(prices: FloatArray, days: DayArray) -> FloatArray:
    ticks = np.ones(prices.shape)
    for table in TICK_TABLES:
        mine = days >= np.datetime64(table.since)
        band = np.searchsorted(table.floors, prices, side="right") - 1
        ticks = np.where(mine, np.asarray(table.kurus, dtype=np.float64)[np.maximum(band, 0)], ticks)
    return ticks
