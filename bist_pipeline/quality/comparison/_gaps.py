"""Sessions of which one source tells and the other does not, and the second's bars on the first's basis.

Belongs here: gaps, and bringing bars over. Does not belong here: whether a bar is served (`market/choice.py`).
"""

from dataclasses import dataclass

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.quality.comparison._disputes import Compared
from bist_pipeline.quality.comparison._pairs import PRICES, BoolArray, IntArray, Pairs
from bist_pipeline.quality.comparison._volumes import shares_of_second


@dataclass(frozen=True, slots=True)
class Gaps:
    """Rows of `Pairs` on which one source alone has a close; arrays of shape (k,).

    Attributes:
        rows: Which.
        of_first: Whether it is the first that tells.
        level: log of first per second around the row; NaN where it changes just there.
    """

    rows: IntArray
    of_first: BoolArray
    level: FloatArray


def find_gaps(pairs: Pairs, compared: Compared) -> Gaps:
    """Find them, for symbols that are comparable."""
    has = np.isfinite(pairs.first.close), np.isfinite(pairs.second.close)
    rows = np.flatnonzero((has[0] != has[1]) & compared.comparable[pairs.code])
    before, after = bars_around(pairs, compared, rows)
    level, plateau = compared.levels.level, compared.levels.plateau
    near = np.where(before >= 0, before, after)
    settled = (near >= 0) & ((before < 0) | (after < 0) | (plateau[before] == plateau[after]))
    return Gaps(rows, has[0][rows], np.where(settled, level[near] if len(level) else np.nan, np.nan))


def bars_around(pairs: Pairs, compared: Compared, rows: IntArray) -> tuple[IntArray, IntArray]:
    """The rows of `compared` before and after rows of `pairs`, of the same symbol; -1 where there is none."""
    mine = _keys(compared.pairs)
    at = np.searchsorted(mine, _keys(pairs)[rows])
    code = compared.pairs.code
    if not len(code):
        nowhere = np.full(len(rows), -1, dtype=np.int64)
        return nowhere, nowhere
    before, after = at - 1, np.where(at < len(mine), at, 0)
    own_before = (before >= 0) & (code[before] == pairs.code[rows])
    own_after = (at < len(mine)) & (code[after] == pairs.code[rows])
    return np.where(own_before, before, -1), np.where(own_after, after, -1)


def _keys(pairs: Pairs) -> IntArray:
    return pairs.code * (1 << 23) + pairs.day.astype(np.int64)


def brought_over(pairs: Pairs, compared: Compared, rows: IntArray, level: FloatArray) -> dict[str, object]:
    """The second's bars of some rows of `pairs`, in the first's prices and shares.

    Args:
        pairs: All rows.
        compared: Those that both have.
        rows: Rows of `pairs` on which the second has a close.
        level: log of first per second on each.
    """
    before, after = bars_around(pairs, compared, rows)
    near = np.where(before >= 0, before, after)
    prices = pairs.second.prices[:, rows] * np.exp(level)
    half = compared.halves[1][near] * np.exp(level) if len(near) else np.array([])
    return {
        "symbol": pairs.symbols[pairs.code[rows]],
        "session_date": pairs.day[rows],
        **dict(zip(PRICES, prices, strict=True)),
        "volume_shares": shares_of_second(compared.volumes, compared.pairs, pairs.take(rows), near, level),
        "basis": compared.pairs.first.basis[near] if len(near) else np.array([], dtype=object),
        "tolerance_try": half,
    }
