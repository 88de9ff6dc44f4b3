"""To how many decimals a source rounds, and by how much that may move its prices.

Belongs here: recognising it. Rounding is tolerance, not disagreement.
"""

import numpy as np
import pandas as pd

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.quality.comparison._pairs import IntArray, Pairs, Side
from bist_pipeline.quality.comparison.contract import (
    BASE_TOLERANCE,
    EXACT_QUANTILE,
    EXACT_SHARE,
    EXACT_WINDOW,
    MIN_OVERLAP,
    MOST_DECIMALS,
    ROUNDING_SLACK,
    SHARE_ROUNDED,
)


def decimals(side: Side, code: IntArray, symbols: int) -> IntArray:
    """Return per symbol the fewest decimals that nearly all prices need, -1 where they need more than `MOST_DECIMALS`.

    Args:
        side: A source.
        code: Symbol of each row, shape (n,).
        symbols: How many there are.
    """
    known = np.isfinite(side.prices).sum(axis=0)
    total = np.bincount(code, weights=known, minlength=symbols)
    found = np.full(symbols, -1, dtype=np.int64)
    for count in reversed(range(2, MOST_DECIMALS + 1)):
        scaled = side.prices * 10.0**count
        # What floating point leaves of a decimal number: some of its last bits.
        is_round = np.abs(scaled - np.rint(scaled)) <= 1e-7 + 4e-16 * np.abs(scaled)
        fitting = np.bincount(code, weights=is_round.sum(axis=0), minlength=symbols)
        found = np.where((total > 0) & (fitting >= SHARE_ROUNDED * total), count, found)
    return found


def rounding(side: Side, digits: IntArray, code: IntArray) -> FloatArray:
    """Return per row by how many lira rounding may have moved a price; 0 for prices as traded, which have two decimals.

    Args:
        side: A source.
        digits: Per symbol, from `decimals`.
        code: Symbol of each row, shape (n,).
    """
    half = np.where(digits >= 0, 0.5 * ROUNDING_SLACK * 10.0 ** -digits.astype(np.float64), 0.0)[code]
    return np.where(side.is_traded, 0.0, half)


def settled_rounding(pairs: Pairs, halves: tuple[FloatArray, FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Take back the rounding around bars whose differences from bar to bar are far too small for it.

    Bar by bar, since prices that are adjusted by nothing yet need two decimals, and four once a dividend was paid.

    Args:
        pairs: Rows on which both have a close.
        halves: From `rounding`, of the first and the second.
    """
    noise = halves[0] / pairs.first.close + halves[1] / pairs.second.close
    if not (noise > 0).any():
        return halves
    step = np.abs(np.diff(np.log(pairs.first.close / pairs.second.close), prepend=np.nan))
    inside = np.append(False, pairs.code[1:] == pairs.code[:-1]) & (noise > 0)
    share = pd.Series(np.where(inside, step / np.where(inside, noise, 1.0), np.nan))
    around = share.groupby(pairs.code).rolling(EXACT_WINDOW, center=True, min_periods=MIN_OVERLAP)
    exact = (around.quantile(EXACT_QUANTILE) < EXACT_SHARE).to_numpy()
    first, second = (np.where(exact, 0.0, half) for half in halves)
    return first, second


def tolerance(price: tuple[FloatArray, FloatArray], halves: tuple[FloatArray, FloatArray]) -> FloatArray:
    """Return by how much (log) two prices may differ without a disagreement."""
    return BASE_TOLERANCE + halves[0] / price[0] + halves[1] / price[1]
