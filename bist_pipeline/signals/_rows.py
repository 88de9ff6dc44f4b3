"""Which row of one frame belongs to which row of another.

Belongs here: the key of a row (symbol, session) as one integer and the look-up by it. A merge of pandas does the same
several times slower, and would multiply rows where a key occurs twice; here that is an error.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.errors import ContractError

# A day counted from the year 1 lies in 0…2²² until the year 9999, so that (symbol, day) fits one int64.
_DAYS = 1 << 22
_DAYS_BEFORE_1970 = 719_162


class RowKeys:
    """The keys of a frame's rows, ready to be looked up.

    Args:
        frame: Columns `symbol`, `session_date`.
        table: Name for errors.

    Raises:
        ContractError: A symbol-session occurs twice.
    """

    def __init__(self, frame: pd.DataFrame, table: str) -> None:
        self._symbols = pd.Index(frame["symbol"].unique())
        keys = self._encode(frame)
        self._index: Any = pd.Index(keys)
        if not self._index.is_unique:
            row = frame.iloc[int(np.argmax(self._index.duplicated()))]
            raise ContractError(f"{table}: two rows of {row['symbol']} on {row['session_date']:%Y-%m-%d}")

    def rows_of(self, frame: pd.DataFrame) -> npt.NDArray[np.int64]:
        """Return, for each row of `frame`, the row with the same symbol and session, −1 where there is none."""
        return self._index.get_indexer(self._encode(frame)).astype(np.int64)

    def _encode(self, frame: pd.DataFrame) -> npt.NDArray[np.int64]:
        codes = self._symbols.get_indexer(pd.Index(frame["symbol"])).astype(np.int64)
        days = frame["session_date"].to_numpy().astype("datetime64[D]").astype(np.int64) + _DAYS_BEFORE_1970
        return np.where(codes < 0, -1, codes * _DAYS + days)
