"""Compiled loops over turning points that gather at a price; `levels.py` says the rules in words.

Belongs here: what each turning point needs of those before it. Imported where it is used: the compiler takes half a
second. The small functions are inlined by it. Every loop goes over one symbol after the other and looks back only.

Arrays travel in groups, in these orders:

    pivots  row, known, price, ratio of volume to the usual; by symbol and in order
    book    price, strength and spread of each level, where its touches begin, the touches
    work    turning points of the window in order of price, level of each turning point (−1: none)
"""

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.pivots._compiled import compiled
from bist_pipeline.patterns.pivots.arrays import Flags, Ints


@compiled
def volume_ratios(volume: FloatArray, rows: Ints, starts: Ints, span: int) -> FloatArray:
    """Volume of some bars over the mean of the `span` bars before; 1 where that is not known."""
    answer = np.ones(len(rows))
    for i in range(len(rows)):
        row = rows[i]
        if row - span < starts[i]:
            continue
        total = 0.0
        for t in range(row - span, row):
            total += volume[t]
        if total > 0.0 and volume[row] > 0.0:
            answer[i] = volume[row] * span / total
    return answer


@compiled
def gather(pivots, counts, atr, window, gap, half_life):
    """Gather turning points into levels, anew each time one is confirmed.

    Args:
        pivots: See above.
        counts: How many turning points each symbol has.
        atr: Average true range at every bar of the tape.
        window: Turning points this many bars back count.
        gap: Neighbours no further apart are joined, in ATR.
        half_life: Bars in which a touch loses half of its weight in the strength.

    Returns:
        Where each gathering's levels begin, and the end; price, strength and spread (ATR) of each level; where each
        level's touches begin, and the end; the touches, as positions among the turning points, in time order.
    """
    row, known = pivots[0], pivots[1]
    n = len(row)
    room = _room(row, known, counts, window)
    book = (
        *(np.zeros(room // 2 + 1), np.zeros(room // 2 + 1), np.zeros(room // 2 + 1)),
        *(np.zeros(room // 2 + 2, np.int64), np.empty(room, np.int64)),
    )
    work = (np.empty(n, np.int64), np.full(n, -1, np.int64))
    begins = np.zeros(n + 1, np.int64)
    levels, place = 0, 0
    for s in range(len(counts)):
        first, size = place, 0
        for j in range(place, place + counts[s]):
            while first < j and row[first] <= known[j] - window:
                first += 1
            size = _sort_in(j, first, size, pivots[2], work[0])
            begins[j] = levels
            usual = atr[known[j]]
            if usual > 0.0 and row[j] > known[j] - window:
                end = _join(levels, size, pivots[2], usual, gap, book, work)
                _sum_up(levels, end, first, j, half_life, pivots, book, work)
                levels = end
        place += counts[s]
    begins[n] = levels
    level, strength, spread, touch_begins, touches = book
    used = touch_begins[levels]
    return begins, level[:levels], strength[:levels], spread[:levels], touch_begins[: levels + 1], touches[:used]


@compiled
def _room(row, known, counts, window):
    """How many touches all levels have at most."""
    room, first, place = 0, 0, 0
    for s in range(len(counts)):
        first = place
        for j in range(place, place + counts[s]):
            while first < j and row[first] <= known[j] - window:
                first += 1
            room += j - first + 1
        place += counts[s]
    return room


@compiled
def _sort_in(j, first, size, price, order):
    """Keep the window in order of price: those before `first` leave, `j` is put in its place. Returns the new size."""
    left = 0
    for k in range(size):
        if order[k] >= first:
            order[left] = order[k]
            left += 1
    at = left
    while at > 0 and price[order[at - 1]] > price[j]:
        order[at] = order[at - 1]
        at -= 1
    order[at] = j
    return left + 1


@compiled
def _join(levels, size, price, usual, gap, book, work):
    """Join neighbours to levels of two touches or more. Returns how many levels there are then."""
    order, label = work
    _, _, spread, touch_begins, _ = book
    begin = 0
    for k in range(1, size + 1):
        if k < size and price[order[k]] - price[order[k - 1]] <= gap * usual:
            continue
        joined = k - begin
        for m in range(begin, k):
            label[order[m]] = levels if joined > 1 else -1
        if joined > 1:
            spread[levels] = (price[order[k - 1]] - price[order[begin]]) / usual
            touch_begins[levels + 1] = touch_begins[levels] + joined
            levels += 1
        begin = k
    return levels


@compiled
def _sum_up(begin, end, first, j, half_life, pivots, book, work):
    """Sum up the touches of each level in the order of time, so that the mirror image gives the same bits."""
    row, known, price, ratio = pivots
    level, strength, _, touch_begins, touches = book
    label = work[1]
    for m in range(begin, end):
        at, weight = touch_begins[m], 0.0
        for i in range(first, j + 1):
            if label[i] == m:
                touches[at] = i
                # From the first touch on: differences keep more digits than prices do.
                level[m] += ratio[i] * (price[i] - price[touches[touch_begins[m]]])
                weight += ratio[i]
                strength[m] += 0.5 ** ((known[j] - row[i]) / half_life) * max(1.0 + np.log(ratio[i]), 0.0)
                at += 1
        level[m] = price[touches[touch_begins[m]]] + level[m] / weight


@compiled
def nearest_levels(
    close: FloatArray, offsets: Ints, known: Ints, counts: Ints, begins: Ints, level: FloatArray, kept: Flags
) -> FloatArray:
    """The kept level nearest to each bar's close, of those known at that bar; NaN where there is none."""
    answer = np.full(len(close), np.nan)
    place = 0
    for s in range(len(offsets) - 1):
        gathering, end = -1, place + counts[s]
        for t in range(offsets[s], offsets[s + 1]):
            while place < end and known[place] <= t:
                gathering = place
                place += 1
            if gathering >= 0:
                answer[t] = _nearest(close[t], begins[gathering], begins[gathering + 1], level, kept)
        place = end
    return answer


@compiled
def _nearest(close, begin, end, level, kept):
    best, answer = np.inf, np.nan
    for m in range(begin, end):
        away = abs(close - level[m])
        if kept[m] and away < best:
            best, answer = away, level[m]
    return answer


@compiled
def levels_above(close: FloatArray, known: Ints, begins: Ints, level: FloatArray, kept: Flags) -> Ints:
    """Of each gathering, the nearest kept level above the close; the nearest other one where none is kept; else −1."""
    answer = np.full(len(known), -1, np.int64)
    for j in range(len(known)):
        for m in range(begins[j], begins[j + 1]):
            if level[m] > close[known[j]]:
                best = answer[j]
                if best < 0 or (kept[m] and not kept[best]) or (kept[m] == kept[best] and level[m] < level[best]):
                    answer[j] = m
    return answer
