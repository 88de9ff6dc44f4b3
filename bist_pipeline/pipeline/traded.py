"""Sessions without a trade: a halted share's bar is flat, without volume, and says nothing.

Belongs here: which accepted bars are of that kind, and that no pattern and no signal is made of them. Indicators are:
their periods count sessions. Indices have no volume of their own and trade every session.
"""

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.bars import Bars
from bist_pipeline.patterns.engine import detect_candlesticks

# The same in SQL, for a row `p` of `market.daily_prices`. The exchange keeps codes that begin with X for its indices.
TRADED_SQL = "(p.volume_shares > 0 OR p.high_try > p.low_try OR left(p.symbol, 1) = 'X')"


def is_traded(frame: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Whether each bar is of a session in which its symbol traded, shape (n,).

    A bar without volume whose price moved has traded: its source tells no volumes.

    Args:
        frame: Columns `symbol`, `high_try`, `low_try`, `volume_shares`.
    """
    moved = (frame["volume_shares"] > 0) | (frame["high_try"] > frame["low_try"])
    return (moved | frame["symbol"].str.startswith("X")).to_numpy(dtype=bool)


def detect_traded(bars: Bars, since: date) -> pd.DataFrame:
    """Detect candlesticks, and leave out those of sessions without a trade."""
    found = detect_candlesticks(bars, since)
    still = bars.frame.loc[~is_traded(bars.frame), ["symbol", "session_date"]]
    if still.empty or found.empty:
        return found
    keys, untraded = (pd.MultiIndex.from_frame(frame[["symbol", "session_date"]]) for frame in (found, still))
    return found[~keys.isin(untraded)].reset_index(drop=True)
