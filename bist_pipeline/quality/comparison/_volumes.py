"""In what a source counts its volume, and where the volumes disagree.

Belongs here: recognising shares, turnover in lira and lots from the overlap, per symbol, and bringing both to shares of
the first. Does not belong here: who is right (`_evidence.py`).

Turnover divided by the volume in shares is the mean price of the session, which (high + low + close) / 3 comes near to;
so the right hypothesis is the one under which the ratio of the volumes moves least from bar to bar. What moves it in
steps, a split that one source applied to the volume, does not count: its scale is taken from the bars around.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.quality.comparison._pairs import BoolArray, IntArray, Pairs
from bist_pipeline.quality.comparison.contract import (
    LOTS,
    MIN_OVERLAP,
    UNIT_ADVANTAGE,
    UNIT_MATCH,
    VOLUME_TOLERANCE,
    VOLUME_WINDOW,
)

# The first hypothesis is the plain one; the others must beat it.
KINDS = ("shares", "second: turnover in lira", "first: turnover in lira")
_LEAST_AROUND = 3


@dataclass(frozen=True, slots=True)
class Volumes:
    """The volumes of both sources; arrays over the rows that were given, shape (n,).

    Attributes:
        kind: In words, per symbol, shape (s,).
        spread: How much (log) the ratio moves from bar to bar in the median, per symbol, NaN where unknown.
        choice: Which of `KINDS`, per symbol, shape (s,).
        scale: log of what is left between the two in one unit (lots, a split): what is usual around each row.
        second: The second's volume brought to the first's unit and shares, NaN where it has none.
        disagree: Where they differ too much, or one of them is zero.
    """

    kind: npt.NDArray[np.object_]
    spread: FloatArray
    choice: IntArray
    scale: FloatArray
    second: FloatArray
    disagree: BoolArray


def compare_volumes(pairs: Pairs) -> Volumes:
    """Recognise the units and compare.

    Args:
        pairs: Rows on which both have a close.
    """
    both = _positive(pairs.first.volume) & _positive(pairs.second.volume)
    ratio = np.where(both, np.log(_safe(pairs.second.volume) / _safe(pairs.first.volume)), np.nan)
    guesses = ratio + _units(pairs)
    spreads = np.stack([_spread(guess, pairs.code, len(pairs.symbols)) for guess in guesses])
    choice = _choose(spreads)
    chosen, unit = (_picked(values, choice[pairs.code]) for values in (guesses, _units(pairs)))
    scale = _scale(chosen, pairs.code)
    width = np.where(choice[pairs.code] > 0, _width(pairs), 0.0)
    apart = np.abs(chosen - scale) > VOLUME_TOLERANCE + width
    one_zero = (pairs.first.volume == 0) != (pairs.second.volume == 0)
    known = np.isfinite(pairs.first.volume) & np.isfinite(pairs.second.volume)
    return Volumes(
        _kinds(choice, chosen, pairs.code),
        _picked(spreads, choice),
        choice,
        scale,
        pairs.second.volume * np.exp(unit - scale),
        (apart & both) | (one_zero & known),
    )


def shares_of_second(volumes: Volumes, compared: Pairs, rows: Pairs, near: IntArray, level: FloatArray) -> FloatArray:
    """Bring the second's volume of further rows to the first's unit and shares, whatever the first says there.

    Args:
        volumes: What was recognised.
        compared: The rows it was recognised on.
        rows: The further rows, of which the first may lack all, or tell them wrongly.
        near: For each, the compared row beside it, whose scale holds there too.
        level: log of first per second (prices) on each.
    """
    if not len(near):
        return np.array([])
    own = rows.second.typical
    traded = compared.first.is_traded[near], compared.second.is_traded[near]
    of_second = np.where(traded[0] & ~traded[1], own * np.exp(level), own)
    of_first = np.where(traded[1] & ~traded[0], own, own * np.exp(level))
    choice = volumes.choice[rows.code]
    unit = np.where(choice == 1, -np.log(of_second), np.where(choice == 2, np.log(of_first), 0.0))
    return rows.second.volume * np.exp(unit - volumes.scale[near])


def _units(pairs: Pairs) -> FloatArray:
    """Log of what the second's volume is multiplied with under each of `KINDS`, shape (3, n)."""
    price = _mean_price(pairs, "second"), _mean_price(pairs, "first")
    return np.stack([np.zeros(len(pairs)), -np.log(price[0]), np.log(price[1])])


def _picked(values: FloatArray, choice: IntArray) -> FloatArray:
    return np.take_along_axis(values, choice[None, :], axis=0)[0]


def _positive(volume: FloatArray) -> BoolArray:
    return np.isfinite(volume) & (volume > 0)


def _safe(volume: FloatArray) -> FloatArray:
    return np.where(_positive(volume), volume, 1.0)


def _mean_price(pairs: Pairs, claiming: str) -> FloatArray:
    """What turnover is divided with: a price as traded, the claiming source's own where neither or both have one."""
    own, other = (pairs.second, pairs.first) if claiming == "second" else (pairs.first, pairs.second)
    return np.where(other.is_traded & ~own.is_traded, other.typical, own.typical)


def _width(pairs: Pairs) -> FloatArray:
    """How far the mean price of a session can be from its typical one: log(high / low)."""
    high, low = (np.fmax(pairs.first.prices[n], 0) for n in (1, 2))
    return np.where((high > low) & (low > 0), np.log(np.maximum(high, 1e-9) / np.maximum(low, 1e-9)), 0.0)


def _spread(values: FloatArray, code: IntArray, symbols: int) -> FloatArray:
    """Median absolute change from bar to bar, per symbol; NaN where too few are known."""
    change = np.abs(np.diff(values, prepend=np.nan))
    inside = np.append(False, code[1:] == code[:-1]) if len(code) else np.array([], dtype=bool)
    told = pd.Series(np.where(inside, change, np.nan)).groupby(code).agg(["median", "count"])
    spread = np.full(symbols, np.nan)
    spread[told.index.to_numpy()] = np.where(told["count"] >= MIN_OVERLAP - 1, told["median"], np.nan)
    return spread


def _choose(spreads: FloatArray) -> IntArray:
    known = np.where(np.isfinite(spreads), spreads, np.inf)
    best = known.argmin(axis=0)
    beats = np.take_along_axis(known, best[None, :], axis=0)[0] * UNIT_ADVANTAGE < known[0]
    return np.where(beats, best, 0)


def _scale(values: FloatArray, code: IntArray) -> FloatArray:
    """The ratio usual around each bar: 0 where nothing is known."""
    around = pd.Series(values).groupby(code).rolling(VOLUME_WINDOW, center=True, min_periods=_LEAST_AROUND)
    scale = around.median().to_numpy() if len(values) else np.array([])
    return np.where(np.isfinite(scale), scale, 0.0)


def _kinds(choice: IntArray, chosen: FloatArray, code: IntArray) -> npt.NDArray[np.object_]:
    """Name the units; lots are told by the newest bars, on which no later split lies."""
    kinds = np.array(KINDS, dtype=object)[choice]
    for symbol in np.unique(code):
        start, end = np.searchsorted(code, [symbol, symbol + 1])
        known = chosen[start:end][np.isfinite(chosen[start:end])]
        if choice[symbol] or len(known) < MIN_OVERLAP:
            continue
        newest = float(np.median(known[-60:]))
        for size in LOTS:
            if abs(newest + np.log(size)) < UNIT_MATCH:
                kinds[symbol] = f"second: lots of {size:g}"
            elif abs(newest - np.log(size)) < UNIT_MATCH:
                kinds[symbol] = f"first: lots of {size:g}"
    return kinds
