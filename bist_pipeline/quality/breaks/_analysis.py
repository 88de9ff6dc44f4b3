"""The analysis of one symbol's history, step by step.

Belongs here: the order of the rules. Does not belong here: any rule.

1. Measure the moves from close to close, net of known actions (`_moves.py`).
2. Single prices out of reach of their own bar (`_spikes.py`); rows a hundred times off, then rows that were not
   adjusted for a stated split (`_levels.py`); then stated actions that left no mark, or on another day (`_stated.py`).
3. Of the moves beyond the limit that are left: those that revert, at once (`_spikes.py`) or later (`_pieces.py`).
4. The rest one by one, by the grid on both sides (`_factors.py`, `_one_grid.py`). Where an exchange has no limit, this
   step and later reversals are left out: any move may be one.
5. The adjusted close against the dividends stated (`_dividends.py`).
"""

from collections.abc import Iterable

import numpy as np

from bist_pipeline.core.price_limits import limit_on
from bist_pipeline.core.ticks import snap, tick_size
from bist_pipeline.quality.breaks._break import Break
from bist_pipeline.quality.breaks._dividends import dividend_faults
from bist_pipeline.quality.breaks._factors import explain
from bist_pipeline.quality.breaks._grids import Grid, grid_of
from bist_pipeline.quality.breaks._levels import unadjusted, unit_errors
from bist_pipeline.quality.breaks._moves import Moves, moves_of
from bist_pipeline.quality.breaks._pieces import pieces
from bist_pipeline.quality.breaks._spikes import spikes, stray_prices
from bist_pipeline.quality.breaks._stated import without_effect
from bist_pipeline.quality.breaks._told import Told, to_breaks
from bist_pipeline.quality.breaks.contract import Breaks, Exchange, SymbolHistory

BORSA_ISTANBUL = Exchange(limit=limit_on, snap=snap, tick=tick_size)


def analyse(history: SymbolHistory, exchange: Exchange = BORSA_ISTANBUL) -> Breaks:
    """Find the breaks of one symbol's history, tell actions from faults, and say what heals them.

    Args:
        history: Bars on sessions only, each once.
        exchange: What its rules guarantee.

    Returns:
        Verdicts, repairs, inferred actions and misadjusted values; all about this symbol alone.
    """
    return analyse_all([history], exchange)


def analyse_all(histories: Iterable[SymbolHistory], exchange: Exchange = BORSA_ISTANBUL) -> Breaks:
    """Analyse symbol by symbol and put the answers under one another."""
    return to_breaks((history, _moves_told(history, exchange) + dividend_faults(history)) for history in histories)


def _moves_told(history: SymbolHistory, exchange: Exchange) -> Told:
    moves = moves_of(history, exchange)
    open_ = moves.beyond
    told = stray_prices(history, moves)
    if not open_.any():
        return told
    more, steps = unit_errors(history, moves)
    open_ &= steps == 0
    told += more
    more, steps = unadjusted(history, moves, open_)
    open_ &= steps == 0
    told += more
    more, marked = without_effect(history, moves, open_)
    open_ &= ~marked
    told += more
    more, reverting = spikes(moves, open_)
    open_ &= ~reverting
    told += more
    if moves.has_limit:
        more, reverting = pieces(history, moves, open_, _grid(history, moves, exchange, told))
        open_ &= ~reverting
        told += more
        grid = _grid(history, moves, exchange, told)
        for at in np.flatnonzero(open_):
            told += explain(Break(history, moves, int(at), grid))
    return told


def _grid(history: SymbolHistory, moves: Moves, exchange: Exchange, told: Told) -> Grid | None:
    if exchange.snap is None:
        return None
    withheld = {verdict.bar for verdict in told.verdicts if verdict.effect == "withhold"}
    return grid_of(history, moves.bar, exchange.snap, withheld)
