"""What lies around a candlestick: the nearest level, and whether its bar was locked at the price limit.

Belongs here: the two columns that a candlestick's event gets from the share's whole history. Does not belong here:
finding candlesticks (`engine.py`), finding levels (`structures/levels.py`).

Candlesticks are found on bars in each session's own shares, one segment between two actions after the other. Levels are
measured in log price over the whole history at once and do not depend on the basis. So the two are joined afterwards,
by symbol and session.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.pivots.arrays import Flags, Ints
from bist_pipeline.patterns.pivots.tape import Tape
from bist_pipeline.patterns.pivots.zigzag import find_pivots
from bist_pipeline.patterns.structures.levels import SCALE, find_levels, nearest_level


class CandleContext(NamedTuple):
    """Of some bars: `level_distances` and whether each was locked at the limit or traded at one price alone."""

    level_distance_atr: FloatArray
    is_locked: Flags


def level_distances(tape: Tape) -> FloatArray:
    """Return how far each close lies above the nearest level known at that bar, in ATR(14), shape (n,).

    Negative where it lies below; NaN where no level or no ATR is known.
    """
    level = nearest_level(tape, find_levels(tape, find_pivots(tape, SCALE)))
    moving = tape.atr > _LEAST_ATR
    return np.divide(tape.close - level, tape.atr, out=np.full(len(tape), np.nan), where=moving)


# Wilder's mean of a share that has stopped moving fades but never ends; see `prior_trend.py`.
_LEAST_ATR = 1e-9


def candle_context(tape: Tape, rows: Ints) -> CandleContext:
    """Look up the context of candlesticks that end at some rows of a tape."""
    locked = (tape.locked != 0) | (tape.traded & (tape.high == tape.low))
    return CandleContext(level_distances(tape)[rows], locked[rows])


def with_context(events: pd.DataFrame, tape: Tape) -> pd.DataFrame:
    """Add to candlestick events what lies around them.

    Args:
        events: The answer of `detect_candlesticks`, whole or in part; left as it is.
        tape: The whole histories of its symbols.

    Returns:
        The same rows with two more columns:

        * `level_distance_atr` (float64, NaN where unknown): how far the close lies above the nearest horizontal level
          known at that bar, in ATR(14); negative below.
        * `is_locked` (bool): the bar ended at a price limit or had one price alone.

    Raises:
        KeyError: Where an event's bar is not on the tape.
    """
    context = candle_context(tape, _rows_of(events, tape))
    return events.assign(level_distance_atr=context.level_distance_atr, is_locked=context.is_locked)


def _rows_of(events: pd.DataFrame, tape: Tape) -> Ints:
    symbol = pd.Index(tape.symbols).get_indexer(pd.Index(events["symbol"]))
    day = events["session_date"].to_numpy().astype("datetime64[D]").astype(np.int64)
    keys = tape.symbol_index * _DAYS + tape.day.astype(np.int64)
    wanted = symbol * _DAYS + day
    rows = np.searchsorted(keys, wanted)
    found = np.append(keys, -1)[rows] == wanted
    if not (found & (symbol >= 0)).all():
        lost = events.loc[~found | (symbol < 0), ["symbol", "session_date"]].iloc[0]
        raise KeyError(f"no bar of {lost['symbol']} on {lost['session_date']:%Y-%m-%d} on the tape")
    return rows


_DAYS = 1 << 20  # more days than from 1970 to any session
