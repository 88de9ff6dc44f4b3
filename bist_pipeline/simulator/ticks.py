"""Price steps and daily limits of the exchange, by the date on which they held.

Belongs here: rounding as-traded prices. Adjusted prices lie on no grid and do not belong here. It is a second writing
of `core/ticks.py` on purpose: an exchange that shared a fault with the code it is to try would hide it.
"""

from datetime import date

import numpy as np

from bist_pipeline.core.bars import FloatArray

GRID_CHANGED = date(2023, 11, 6)
DAILY_LIMIT = 0.10  # of the base price
LOWEST_TRY = 0.10  # below it one step is more than the limit and a price could never move

_BEFORE = (np.array([0.0, 20.0, 50.0, 100.0]), np.array([0.01, 0.02, 0.05, 0.10]))
_SINCE = (
    np.array([0.0, 20.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0]),
    np.array([0.01, 0.02, 0.05, 0.10, 0.25, 0.50, 1.00, 2.50]),
)
# A limit that lies on the grid already must not be moved by a step through rounding.
_SHIFT = 1e-9


def tick(price: FloatArray, day: date) -> FloatArray:
    """Return the price step in lira at each price."""
    bounds, sizes = _SINCE if day >= GRID_CHANGED else _BEFORE
    return sizes[np.searchsorted(bounds, price, side="right") - 1]


def on_grid(price: FloatArray, day: date) -> FloatArray:
    """Return the nearest prices in lira that can be traded."""
    step = tick(price, day)
    return np.maximum(np.round(np.round(price / step) * step, 2), LOWEST_TRY)


def limits(base: FloatArray, day: date) -> tuple[FloatArray, FloatArray]:
    """Return the lowest and the highest price in lira of a session with this base price, both on the grid."""
    low, high = base * (1 - DAILY_LIMIT), base * (1 + DAILY_LIMIT)
    low_step, high_step = tick(low, day), tick(high, day)
    floor = np.round(np.ceil(low / low_step - _SHIFT) * low_step, 2)
    ceiling = np.round(np.floor(high / high_step + _SHIFT) * high_step, 2)
    return np.maximum(floor, LOWEST_TRY), np.maximum(ceiling, LOWEST_TRY)
