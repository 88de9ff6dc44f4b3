"""From bars to the indicator frame.

Belongs here: calling every indicator for every symbol and laying the answers side by side. Does not belong here: any
formula, any filling of gaps, any reading or writing.

1. For each symbol, call each indicator with that symbol's whole history (`SymbolBars` are views, nothing is copied).
2. Keep of each answer only the sessions asked for. The bits of most recursive indicators depend on where the series
   starts, so the computation always starts at the first bar, and `since` limits only what is handed back.
3. Write the answers into one block with a row per column, which pandas and Arrow take over without a copy.
"""

from collections.abc import Iterator
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.bars import Bars, FloatArray, SymbolBars
from bist_pipeline.core.errors import ContractError
from bist_pipeline.indicators.contract import Indicator
from bist_pipeline.indicators.registry import indicator_columns, registered_indicators

KEY_COLUMNS = ("symbol", "session_date", "is_final")


def compute_indicators(bars: Bars, since: date | None = None) -> pd.DataFrame:
    """Compute every registered indicator for every bar from `since` on.

    Args:
        bars: Each symbol's whole history from its origin; a shorter one gives other last bits.
        since: First session of the answer; None for all. It changes no value.

    Returns:
        One row per bar, sorted by symbol and session: `symbol` (dtype as in `bars`), `session_date` (datetime64[us]),
        `is_final` (bool), then the columns of `indicator_columns()` (float64, NaN before the warm-up).

    Raises:
        ContractError: An indicator returned something other than one value per bar and column.
    """
    indicators = tuple(registered_indicators().values())
    starts = _first_rows(bars, since)
    block = np.empty((len(indicator_columns()), int((bars.offsets[1:] - starts).sum())))
    row = 0
    for symbol_bars, start, first in zip(bars, starts, bars.offsets, strict=False):
        skipped = int(start - first)
        end = row + len(symbol_bars) - skipped
        for slot, values in enumerate(_answers(indicators, symbol_bars)):
            block[slot, row:end] = values[skipped:]
        row = end
    return pd.concat([_keys(bars, starts), _frame(block)], axis=1)


def _answers(indicators: tuple[Indicator, ...], bars: SymbolBars) -> Iterator[FloatArray]:
    """Yield one array per column of `indicator_columns()`."""
    for indicator in indicators:
        answer = indicator.compute(*(getattr(bars, name) for name in indicator.inputs))
        if len(answer) != len(indicator.columns) or any(len(values) != len(bars) for values in answer):
            raise ContractError(
                f"indicator {indicator.name!r} on {bars.symbol}: {[len(values) for values in answer]} values for "
                f"{len(indicator.columns)} columns and {len(bars)} bars"
            )
        yield from answer


def _first_rows(bars: Bars, since: date | None) -> npt.NDArray[np.int64]:
    """The row of `bars.frame` at which each symbol's answer starts, shape (symbols,)."""
    if since is None:
        return bars.offsets[:-1].copy()
    first = np.datetime64(since, "D")
    later = [np.searchsorted(symbol_bars.session_date, first) for symbol_bars in bars]
    return bars.offsets[:-1] + np.asarray(later, dtype=np.int64)


def _keys(bars: Bars, starts: npt.NDArray[np.int64]) -> pd.DataFrame:
    spans = [np.arange(start, end) for start, end in zip(starts, bars.offsets[1:], strict=True)]
    rows = np.concatenate([np.empty(0, dtype=np.int64), *spans])
    keys = bars.frame.loc[:, list(KEY_COLUMNS)]
    keys = keys if len(rows) == len(keys) else keys.take(rows).reset_index(drop=True)
    return keys.astype({"session_date": "datetime64[us]", "is_final": bool})


def _frame(block: FloatArray) -> pd.DataFrame:
    return pd.DataFrame(block.T, columns=[column.name for column in indicator_columns()], copy=False)
