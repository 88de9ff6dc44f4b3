"""Compiled loops over lines through turning points; `chart/trendlines.py` says the rules in words.

Belongs here: which line through earlier peaks leads to each peak, and what lies under it. Imported where it is used:
the compiler takes half a second. The small functions are inlined by it.

Arrays travel in groups, in these orders:

    pivots  row, known, price, kind; by symbol and in order
    tape    close, traded, ATR
    limits  window (bars), bars between touches, least touches, how near a touch must be (ATR), least fall (ATR a bar),
            how far a close may lie over the line (ATR)
"""

import numpy as np

from bist_pipeline.patterns.pivots._compiled import compiled

MOST_POINTS = 8


@compiled
def lines_to(pivots, counts, tape, limits):
    """For each peak, find the best line from an earlier peak to it.

    Of the lines that keep the most rules (falling, touches, no close through it: in this order), the one whose score is
    highest: touches + 0.5 · log(span in bars) − mean distance of its touches in ATR.

    Returns:
        Positions of each line's last and first peak, how many touches it has, their mean distance and the highest close
        over it (ATR), shape (m,); its touches, shape (m, 8): the first and the newest ones in the order of time, −1
        where there are fewer.
    """
    row, kind = pivots[0], pivots[3]
    n = len(row)
    ends, touched = (np.empty(n, np.int64), np.empty(n, np.int64)), np.empty(n, np.int64)
    away, over = np.empty(n), np.empty(n)
    points = np.full((n, MOST_POINTS), -1, np.int64)
    found, place = 0, 0
    for s in range(len(counts)):
        oldest = place
        for j in range(place, place + counts[s]):
            while row[oldest] < row[j] - limits[0]:
                oldest += 1
            if kind[j] < 0 or not tape[2][row[j]] > 0.0:
                continue
            i = _best_start(oldest, j, pivots, tape, limits)
            if i >= 0:
                ends[0][found], ends[1][found] = j, i
                touched[found], away[found] = _touches(i, j, pivots, tape, limits, points[found])
                over[found] = _highest_over(i, j, pivots, tape)
                found += 1
        place += counts[s]
    return ends[0][:found], ends[1][:found], touched[:found], away[:found], over[:found], points[:found]


@compiled
def _best_start(oldest, j, pivots, tape, limits):
    """The peak from which the best line to peak `j` comes; −1 where none is old enough."""
    row, kind = pivots[0], pivots[3]
    best, most_kept, most_score = -1, -1, -np.inf
    room = np.empty(MOST_POINTS, np.int64)
    for i in range(oldest, j):
        if kind[i] < 0 or row[j] - row[i] < limits[1]:
            continue
        kept = 0
        if _slope(i, j, pivots) / tape[2][row[j]] <= -limits[4]:
            kept = 1
        if kept == 0 and most_kept > 0:
            continue
        count, away = _touches(i, j, pivots, tape, limits, room)
        if kept == 1 and count >= limits[2]:
            kept = 2
        score = count + 0.5 * np.log(row[j] - row[i]) - away
        # What closes did is asked last: it takes longest.
        if kept == 2 and (most_kept < 3 or score > most_score):
            kept += not _is_crossed(i, j, pivots, tape, limits[5])
        if kept > most_kept or (kept == most_kept and score > most_score):
            best, most_kept, most_score = i, kept, score
    return best


@compiled
def _slope(i, j, pivots):
    return (pivots[2][j] - pivots[2][i]) / (pivots[0][j] - pivots[0][i])


@compiled
def _touches(i, j, pivots, tape, limits, points):
    """Note the touches of a line, both ends among them. Returns how many, and their mean distance in ATR."""
    row, _, price, kind = pivots
    slope, usual, apart = _slope(i, j, pivots), tape[2][row[j]], limits[1]
    points[0] = i
    count, away, at = 1, 0.0, row[i]
    for m in range(i + 1, j):
        if kind[m] > 0 and row[m] - at >= apart and row[j] - row[m] >= apart:
            off = abs(price[m] - (price[i] + slope * (row[m] - row[i]))) / usual
            if off <= limits[3]:
                _note(points, count, m)
                count, away, at = count + 1, away + off, row[m]
    _note(points, count, j)
    return count + 1, away / (count + 1)


@compiled
def _note(points, count, m):
    """Put the touch number `count` among the points; the second oldest leaves where there is no room."""
    if count < MOST_POINTS:
        points[count] = m
    else:
        points[1:-1] = points[2:]
        points[-1] = m


@compiled
def _is_crossed(i, j, pivots, tape, most):
    """Whether `_highest_over` is more than `most`; it stops at the first such close."""
    row, known, price, _ = pivots
    close, traded, atr = tape
    slope = _slope(i, j, pivots)
    for t in range(row[i], known[j] + 1):
        if traded[t] and (close[t] - (price[i] + slope * (t - row[i]))) / atr[row[j]] > most:
            return True
    return False


@compiled
def _highest_over(i, j, pivots, tape):
    """Highest close over a line from its first touch to the bar that confirmed its last one, in ATR."""
    row, known, price, _ = pivots
    close, traded, atr = tape
    slope, answer = _slope(i, j, pivots), -np.inf
    for t in range(row[i], known[j] + 1):
        if traded[t]:
            answer = max(answer, close[t] - (price[i] + slope * (t - row[i])))
    return answer / atr[row[j]]
