"""Who is supported where two sources disagree: what speaks against the one and against the other.

Belongs here: each piece of evidence, the same for both sources. Does not belong here: words (`_words.py`).

A price as traded lies on the tick grid; a move keeps the exchange's limit unless an action explains it; low ≤ open,
close ≤ high; no two sessions trade alike; and where a third source is known, it agrees with one of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.core.price_limits import limit_on
from bist_pipeline.quality.comparison._disputes import Compared
from bist_pipeline.quality.comparison._grid import off_grid
from bist_pipeline.quality.comparison._pairs import CLOSE, BoolArray, IntArray, Side
from bist_pipeline.quality.comparison.contract import (
    LIMIT_ALLOWANCE,
    MAX_LIMIT_GAP,
    WEIGHT_COPY,
    WEIGHT_GRID,
    WEIGHT_LIMIT,
    WEIGHT_ORDER,
    WEIGHT_STALE,
    WEIGHT_THIRD,
)

_SAME_BITS = 2e-7  # what float32 leaves of a price that is adjusted twice alike
_ORDER = 1e-6
_NEAR_THIRD = 2e-4  # below half a tick of nearly all prices


@dataclass(frozen=True, slots=True)
class Against:
    """One thing that may speak against a source.

    Attributes:
        says: What it says, after "the first" or "the second".
        weight: How much it counts.
        first, second: Against which bars of each, shape (k,).
    """

    says: str
    weight: int
    first: BoolArray
    second: BoolArray


def weigh(found: list[Against], rows: int) -> npt.NDArray[np.object_]:
    """Return the verdict on each row."""
    against = [
        sum((one.weight * getattr(one, side) for one in found), np.zeros(rows, dtype=np.int64))
        for side in ("first", "second")
    ]
    return np.where(
        against[0] > against[1], "second_supported", np.where(against[1] > against[0], "first_supported", "undecided")
    ).astype(object)


def about_prices(
    compared: Compared, rows: IntArray, actions: pd.DataFrame, third: FloatArray | None
) -> Iterator[Against]:
    """Yield what is known of bars with prices in dispute.

    Args:
        compared: What was compared.
        rows: The bars.
        actions: `symbol`, `ex_date`, `price_factor`, `share_ratio`.
        third: Closes of a third source on all rows of `compared`, NaN where it has none.
    """
    sides, disputed = (compared.pairs.first, compared.pairs.second), compared.disputed[:, rows]
    yield Against("lies off the tick grid", WEIGHT_GRID, *off_grid(compared, rows))
    limits = (_beyond_limit(compared, side, rows, actions) for side in sides)
    yield Against("moves beyond the price limit", WEIGHT_LIMIT, *limits)
    yield Against("has its prices out of order", WEIGHT_ORDER, *(_out_of_order(side.take(rows)) for side in sides))
    copies = [_repeats(compared, side, rows) for side in sides]
    yield Against("copies its bar of the session before", WEIGHT_COPY, *(whole for whole, _ in copies))
    stale = (close & ~whole & disputed[CLOSE] for whole, close in copies)
    yield Against("repeats its close of the session before", WEIGHT_STALE, *stale)
    if third is not None:
        yield Against("is not what a third source says", WEIGHT_THIRD, *_not_third(compared, rows, third))


def about_volumes(compared: Compared, rows: IntArray) -> Iterator[Against]:
    """Yield what is known of bars with nothing but the volume in dispute."""
    sides = (compared.pairs.first, compared.pairs.second)
    yield Against("has no volume", WEIGHT_LIMIT, *(side.volume[rows] == 0 for side in sides))
    before = _row_before(compared, rows)
    same = ((before >= 0) & (side.volume[rows] == side.volume[before]) & (side.volume[rows] > 0) for side in sides)
    yield Against("repeats its volume of the session before", WEIGHT_STALE, *same)


def about_steps(compared: Compared, rows: IntArray, actions: pd.DataFrame) -> Iterator[Against]:
    """Yield what is known of the first bars of new levels."""
    limits = (
        _far(compared, side, (rows - 1, rows), side.close[rows], actions)
        for side in (compared.pairs.first, compared.pairs.second)
    )
    yield Against("jumps beyond the price limit", WEIGHT_LIMIT, *limits)


def _beyond_limit(compared: Compared, side: Side, rows: IntArray, actions: pd.DataFrame) -> BoolArray:
    """Whether a disputed price is beyond the limit around the last agreed close, or the next one around this close."""
    before, after = (places[rows] for places in compared.neighbours())
    found = np.zeros(len(rows), dtype=bool)
    for price in range(4):
        far = _far(compared, side, (before, rows), side.prices[price][rows], actions)
        found |= far & compared.disputed[price][rows]
    out_of = _far(compared, side, (rows, after), side.close[after], actions)
    return found | (out_of & compared.disputed[CLOSE][rows])


def _far(
    compared: Compared, side: Side, ways: tuple[IntArray, IntArray], price: FloatArray, actions: pd.DataFrame
) -> BoolArray:
    """Whether a price is further from an earlier close than the limit; not where too many sessions lie between.

    Args:
        compared: What was compared.
        side: Whose prices.
        ways: Rows of the earlier closes and of the prices, -1 for none; shapes (k,).
        price: Shape (k,).
        actions: `symbol`, `ex_date`, `price_factor`, `share_ratio`.
    """
    pairs, (base, rows) = compared.pairs, ways
    gap = pairs.place[rows] - pairs.place[base]
    known = (base >= 0) & (rows >= 0) & (gap > 0) & (gap <= MAX_LIMIT_GAP) & compared.is_share[rows]
    factor = _left_by_actions(compared, side, ways, actions)
    with np.errstate(invalid="ignore"):
        move = np.log(price / (side.close[base] * factor))
    limit = limit_on(pairs.day[rows])
    sessions = np.where(known, gap, 1)
    up, down = sessions * np.log1p(limit + LIMIT_ALLOWANCE), sessions * np.log1p(-limit - LIMIT_ALLOWANCE)
    return known & ((move > up) | (move < down))


def _left_by_actions(
    compared: Compared, side: Side, ways: tuple[IntArray, IntArray], actions: pd.DataFrame
) -> FloatArray:
    """What actions between two bars leave of a price on the source's basis: 1 on a basis that holds them already."""
    pairs, (base, rows) = compared.pairs, ways
    factor = np.ones(len(rows))
    if not len(actions):
        return factor
    code = pd.Index(pairs.symbols).get_indexer(pd.Index(actions["symbol"]))
    ex_date = actions["ex_date"].to_numpy(dtype="datetime64[D]")
    price, shares = (actions[name].to_numpy(dtype=np.float64) for name in ("price_factor", "share_ratio"))
    wanted = np.isin(code, pairs.code[rows])
    for one in np.flatnonzero(wanted):
        concerned = (
            (pairs.code[rows] == code[one]) & (pairs.day[base] < ex_date[one]) & (ex_date[one] <= pairs.day[rows])
        )
        left = np.where(
            side.is_traded[rows],
            price[one],
            np.where(side.basis[rows] == "split_adjusted", price[one] * shares[one], 1.0),
        )
        factor = np.where(concerned & np.isfinite(left), factor * left, factor)
    return factor


def _out_of_order(side: Side) -> BoolArray:
    open_, high, low, close = side.prices
    top, bottom = np.fmax(open_, close), np.fmin(open_, close)
    return (low > high * (1 + _ORDER)) | (top > high * (1 + _ORDER)) | (bottom < low * (1 - _ORDER))


def _row_before(compared: Compared, rows: IntArray) -> IntArray:
    """The row of the session before, -1 where the symbol has none there."""
    pairs = compared.pairs
    before = rows - 1
    own = (before >= 0) & (pairs.code[before] == pairs.code[rows]) & (pairs.place[rows] - pairs.place[before] == 1)
    return np.where(own, before, -1)


def _repeats(compared: Compared, side: Side, rows: IntArray) -> tuple[BoolArray, BoolArray]:
    """Whether the whole bar, and whether the close, is that of the session before."""
    before = _row_before(compared, rows)
    same = np.abs(side.prices[:, rows] / side.prices[:, before] - 1) <= _SAME_BITS
    return (before >= 0) & same.all(axis=0), (before >= 0) & same[CLOSE]


def _not_third(compared: Compared, rows: IntArray, third: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Against whom a third source speaks: it agrees with the other, on the ratio that it has to agreed bars around."""
    pairs, level = compared.pairs, compared.levels.level
    # Both as traded, where one of them is: a third source of which few bars are known is taken for that.
    shift = np.where(pairs.second.is_traded & ~pairs.first.is_traded, -level, 0.0)
    near = []
    for side, half, own in zip((pairs.first, pairs.second), compared.halves, (shift, shift + level), strict=True):
        ratio = np.log(side.close / third) + own
        away = np.abs(ratio[rows] - _usual(compared, ratio, rows))
        near.append(away <= _NEAR_THIRD + 2 * (half / side.close)[rows])
    return ~near[0] & near[1], near[0] & ~near[1]


def _usual(compared: Compared, ratio: FloatArray, rows: IntArray) -> FloatArray:
    """The usual ratio on the agreed bars of the same level around each row; 0 where a third source has too few."""
    usual = np.zeros(len(rows))
    good = ~compared.disputed[CLOSE] & np.isfinite(ratio)
    for place, row in enumerate(rows.tolist()):
        around = np.arange(max(row - 10, 0), min(row + 11, len(ratio)))
        known = around[compared.beside(row, around) & good[around]]
        if len(known) >= 3:  # a median that one stray close cannot move
            usual[place] = np.median(ratio[known])
    return usual
