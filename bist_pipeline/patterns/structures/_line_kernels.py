"""Compiled loops that draw lines through highs and lows.

Belongs here: least squares over the points or bars of one candidate at a time. Imported where it is used: the compiler
takes half a second. Rows are counted from the candidate's own first one, so that a shift in time changes no bit, and
every sum is as it would be with all signs turned, so that the mirror image has the mirrored lines.
"""

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.pivots._compiled import compiled
from bist_pipeline.patterns.pivots.arrays import Flags, Ints


@compiled
def lines_through_points(rows: Ints, prices: FloatArray, first_kind: Ints, tolerance: FloatArray):
    """Draw a line through the peaks and one through the troughs of each run of turning points.

    Args:
        rows: Rows of the points, peaks and troughs in turn, shape (n, k); −1 where a run has fewer.
        prices: Logarithms of their prices.
        first_kind: +1 where a run begins with a peak, −1 with a trough.
        tolerance: How far from its line a point may lie to touch it.

    Returns:
        Values at the last point's row and slopes a bar, shape (n, 2) each, of the line above and the one below; how
        many touches follow one another from side to side; and the mean distance of all that touch; shape (n,).
    """
    n, most = rows.shape
    values, slopes = np.full((n, 2), np.nan), np.full((n, 2), np.nan)
    touches, distance = np.zeros(n, np.int64), np.full(n, np.nan)
    for i in range(n):
        size = most
        while size > 0 and rows[i, size - 1] < 0:
            size -= 1
        bars = rows[i, :size] - rows[i, 0]
        for begin in range(2):
            side = begin if first_kind[i] > 0 else 1 - begin
            values[i, side], slopes[i, side] = _least_squares(bars[begin::2], prices[i, begin:size:2], bars[-1])
        touches[i], distance[i] = _touches(bars, prices[i], values[i], slopes[i], first_kind[i], tolerance[i])
    return values, slopes, touches, distance


@compiled
def _least_squares(bars, prices, at):
    """Value at bar `at`, and slope, of the line nearest to some points; there are two of them at least."""
    mean_x, mean_y = 0.0, 0.0
    for j in range(len(bars)):
        mean_x += bars[j]
        mean_y += prices[j]
    mean_x /= len(bars)
    mean_y /= len(bars)
    covered, spread = 0.0, 0.0
    for j in range(len(bars)):
        covered += (bars[j] - mean_x) * (prices[j] - mean_y)
        spread += (bars[j] - mean_x) * (bars[j] - mean_x)
    slope = covered / spread
    return mean_y + slope * (at - mean_x), slope


@compiled
def _touches(bars, prices, values, slopes, first_kind, tolerance):
    """How many touches follow one another from side to side, and the mean distance of all points that touch."""
    total, touching, turns, latest = 0.0, 0, 0, -1
    for j in range(len(bars)):
        side = j % 2 if first_kind > 0 else 1 - j % 2
        away = abs(prices[j] - (values[side] + slopes[side] * (bars[j] - bars[-1])))
        if away <= tolerance:
            total += away
            touching += 1
            if side != latest:
                turns += 1
                latest = side
    return turns, total / touching if touching > 0 else np.nan


@compiled
def lowest_rows(low: FloatArray, usable: Flags, first: Ints, last: Ints) -> Ints:
    """Row of the lowest value of each span's usable bars, the first of equals; −1 where none is usable."""
    answer = np.full(len(first), -1)
    for i in range(len(first)):
        for t in range(first[i], last[i] + 1):
            if usable[t] and (answer[i] < 0 or low[t] < low[answer[i]]):
                answer[i] = t
    return answer


@compiled
def means(values: FloatArray, first: Ints, last: Ints) -> FloatArray:
    """Mean of each span, shape (n,)."""
    answer = np.empty(len(first))
    for i in range(len(first)):
        total = 0.0
        for t in range(first[i], last[i] + 1):
            total += values[t]
        answer[i] = total / (last[i] - first[i] + 1)
    return answer


@compiled
def lines_over_bars(high: FloatArray, first: Ints, last: Ints):
    """Draw a line over each span: its slope by least squares through all highs, so high that no high lies above it.

    Returns:
        Value at the span's last bar, slope a bar, and the mean distance of the highs from the line; shape (n,) each.
    """
    value, slope, distance = np.empty(len(first)), np.empty(len(first)), np.empty(len(first))
    for i in range(len(first)):
        count = last[i] - first[i] + 1
        middle = (count - 1) / 2
        mean = 0.0
        for j in range(count):
            mean += high[first[i] + j]
        mean /= count
        covered, spread = 0.0, 0.0
        for j in range(count):
            covered += (j - middle) * (high[first[i] + j] - mean)
            spread += (j - middle) * (j - middle)
        slope[i] = covered / spread
        farthest = -np.inf
        for j in range(count):
            farthest = max(farthest, high[first[i] + j] - mean - slope[i] * (j - middle))
        value[i] = mean + farthest + slope[i] * (count - 1 - middle)
        distance[i] = farthest  # the distances from the line through the middle add up to nothing
    return value, slope, distance
