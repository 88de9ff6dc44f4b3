"""Invented bars as rows of `market.raw_prices`.

Belongs here: shaping. Does not belong here: any expectation.
"""

import numpy as np
import pandas as pd

_NAMES = {"open_try": "open_raw", "high_try": "high_raw", "low_try": "low_raw", "close_try": "close_raw"}
AS_OF = pd.Timestamp("2026-08-10T00:00:00Z").as_unit("us")


def as_raw(bars: pd.DataFrame, source: str) -> pd.DataFrame:
    """The rows as a provider would deliver them."""
    rows = bars.rename(columns={**_NAMES, "volume_shares": "volume_raw"})
    told = rows.assign(
        session_date=rows["session_date"].astype("datetime64[us]"),
        occurrence=np.zeros(len(rows), dtype=np.int64),
        adj_close_raw=np.nan,
        source_row=np.arange(len(rows), dtype=np.int64) + 2,
        source=pd.array([source] * len(rows), dtype="str"),
        payload_hash=pd.array([f"hash of {source}"] * len(rows), dtype="str"),
        as_of=AS_OF,
        fetched_at=AS_OF,
    )
    return told[list(COLUMNS)].reset_index(drop=True)


COLUMNS = (
    *("symbol", "session_date", "occurrence", "open_raw", "high_raw", "low_raw", "close_raw", "adj_close_raw"),
    *("volume_raw", "source_row", "basis", "source", "payload_hash", "as_of", "fetched_at"),
)
