"""Compiled loops over the rims of cups.

Belongs here: which two peaks could be the rims of one cup, and what lies between them, bar by bar. Imported where it is
used: the compiler takes half a second.
"""

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.pivots._compiled import compiled
from bist_pipeline.patterns.pivots.tape import Flags, Ints


@compiled
def pair_rims(lefts, lows, rights, tolerance, bars):  # noqa: ANN001, ANN202
    """Find for each right rim the nearest earlier peak that is as high, and the lowest trough between them.

    Peaks nearer than the least number of bars cannot be the left rim, nor can one that was not known when the right rim
    was. Rows of one symbol lie together.

    Args:
        lefts: Rows (ascending), prices, symbols and known rows of the peaks that can be a left rim.
        lows: The same of the troughs.
        rights: The same of the peaks that can be a right rim.
        tolerance: How much lower than the right rim the left one may be, in log price, one a right rim.
        bars: The least and the most bars between the rims.

    Returns:
        Positions in `lefts`, `lows`, `rights`, one row a pair, shape (n, 3).
    """
    left_row = lefts[0]
    row, price, symbol, known = rights
    pairs = np.empty((len(row), 3), np.int64)
    found, next_left, next_low = 0, 0, 0
    for r in range(len(row)):
        while next_left < len(left_row) and left_row[next_left] <= row[r] - bars[0]:
            next_left += 1
        while next_low < len(lows[0]) and lows[0][next_low] < row[r]:
            next_low += 1
        left = _last_as_high(lefts, next_left, price[r] - tolerance[r], row[r] - bars[1], (symbol[r], known[r]))
        if left < 0:
            continue
        low = _lowest_after(lows, next_low, symbol[r], left_row[left])
        if low >= 0:
            pairs[found, 0], pairs[found, 1], pairs[found, 2] = left, low, r
            found += 1
    return pairs[:found]


@compiled
def _last_as_high(lefts, end, least, earliest, right):  # noqa: ANN001, ANN202
    """The last of the first `end` peaks that is high and late enough and known; −1 where there is none.

    `right` is the right rim's symbol and the row at which that rim became known.
    """
    rows, prices, symbols, known_rows = lefts
    symbol, known = right
    place = end - 1
    while place >= 0 and symbols[place] == symbol and rows[place] >= earliest:
        if prices[place] >= least and known_rows[place] <= known:
            return place
        place -= 1
    return -1


@compiled
def _lowest_after(lows, end, symbol, row):  # noqa: ANN001, ANN202
    """The lowest of the troughs before `end` that are of this symbol and after a row; −1 where there is none."""
    rows, prices, symbols, _ = lows
    lowest, place = -1, end - 1
    while place >= 0 and symbols[place] == symbol and rows[place] > row:
        if lowest < 0 or prices[place] <= prices[lowest]:
            lowest = place
        place -= 1
    return lowest


@compiled
def highest_between(high: FloatArray, first: Ints, last: Ints) -> FloatArray:
    """Highest high strictly between two rows each; −inf where there is no bar."""
    answer = np.full(len(first), -np.inf)
    for i in range(len(first)):
        for t in range(first[i] + 1, last[i]):
            answer[i] = max(answer[i], high[t])
    return answer


@compiled
def rise_into(high: FloatArray, low: FloatArray, peaks: Ints, starts: Ints, bars: int) -> FloatArray:
    """Rise into peaks from the lowest low since the last bar that was as high, of the `bars` bars before, in log price.

    Zero where the bar before is as high or there is none.
    """
    answer = np.zeros(len(peaks))
    for i in range(len(peaks)):
        top = high[peaks[i]]
        t = peaks[i] - 1
        while t >= max(peaks[i] - bars, starts[i]) and high[t] < top:
            answer[i] = max(answer[i], top - low[t])
            t -= 1
    return answer


@compiled
def roundness(
    close: FloatArray, traded: Flags, first: Ints, last: Ints, bottom: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Fit a parabola to the closes from one row to another each, both included.

    Returns:
        R² of the fit, NaN where the parabola opens downward, and the share of the closes below `bottom`.
    """
    fit, low_share = np.full(len(first), np.nan), np.full(len(first), np.nan)
    for i in range(len(first)):
        n, below = 0, 0
        middle, half = (first[i] + last[i]) / 2, (last[i] - first[i]) / 2
        reference = close[first[i]]
        # Power sums of x in −1 … 1 and of y less the first close: small numbers, so that nothing cancels.
        x1, x2, x3, x4, y0, y1, y2, yy = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for t in range(first[i], last[i] + 1):
            if not traded[t]:
                continue
            x, y = (t - middle) / half, close[t] - reference
            n += 1
            below += close[t] <= bottom[i]
            x1, x2, x3, x4 = x1 + x, x2 + x * x, x3 + x * x * x, x4 + x * x * x * x
            y0, y1, y2, yy = y0 + y, y1 + x * y, y2 + x * x * y, yy + y * y
        if n < 4:
            continue
        low_share[i] = below / n
        sxx, sxq, sqq = x2 - x1 * x1 / n, x3 - x1 * x2 / n, x4 - x2 * x2 / n
        sxy, sqy, syy = y1 - x1 * y0 / n, y2 - x2 * y0 / n, yy - y0 * y0 / n
        whole = sxx * sqq - sxq * sxq
        if whole > 0.0 and syy > 0.0:
            line, curve = (sxy * sqq - sqy * sxq) / whole, (sqy * sxx - sxy * sxq) / whole
            if curve > 0.0:
                fit[i] = (line * sxy + curve * sqy) / syy
    return fit, low_share
