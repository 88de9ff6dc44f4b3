"""How far a share's price may move in one session: the exchange's daily limit, by date.

Belongs here: the dated table. Does not belong here: what a move beyond it means (`quality/`, `market/live.py`).

The limit holds for prices as traded, around the base price: the close of the session before, less what an action of the
day takes out of it. It does not hold on a share's first day and on the free-margin days that the exchange announces.
Indices have none.
"""

from datetime import date

import numpy as np
import numpy.typing as npt

from bist_pipeline.core.bars import FloatArray

# First session and share of the base price, ascending. Borsa Istanbul narrowed the limit of shares, in the markets
# Yıldız and Ana, on 2020-03-13 (its announcement of that day). Measured on 111 shares: no close moved by more than
# 20.0 % before; of 149,723 symbol-days since, 9 did by more than 10.01 %.
PRICE_LIMITS = ((date(1986, 1, 3), 0.20), (date(2020, 3, 13), 0.10))


def limit_on(sessions: npt.ArrayLike) -> FloatArray:
    """Return the price limit of each session as a share of the base price, in the shape of `sessions`.

    Args:
        sessions: datetime64 or `date`; what lies before the table has its first limit.
    """
    since = np.array([start for start, _ in PRICE_LIMITS], dtype="datetime64[D]")
    shares = np.array([share for _, share in PRICE_LIMITS])
    days = np.asarray(sessions, dtype="datetime64[D]")
    return shares[np.maximum(np.searchsorted(since, days, side="right") - 1, 0)]
