"""Compiled loops over bars.

Belongs here: what each bar needs of the bar before it. Imported where it is used: the compiler takes half a second.
Every loop goes over one symbol after the other and looks back only.
"""

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.pivots._compiled import compiled
from bist_pipeline.patterns.pivots.arrays import Flags, Ints


@compiled
def average_true_ranges(
    high: FloatArray, low: FloatArray, close: FloatArray, traded: Flags, offsets: Ints, span: int
) -> FloatArray:
    """Wilder's average true range, as TA-Lib computes it: the mean of the first `span` true ranges, then smoothed."""
    answer = np.full(len(close), np.nan)
    for s in range(len(offsets) - 1):
        start, end = offsets[s], offsets[s + 1]
        mean, count = 0.0, 0
        for t in range(start + 1, end):
            if not traded[t]:  # a halted share's flat bar says nothing of a usual move
                answer[t] = answer[t - 1]
                continue
            count += 1
            top, bottom = max(high[t], close[t - 1]), min(low[t], close[t - 1])
            if count < span:
                mean += (top - bottom) / span
            elif count == span:
                mean += (top - bottom) / span
                answer[t] = mean
            else:
                mean = (mean * (span - 1) + (top - bottom)) / span
                answer[t] = mean
    return answer


@compiled
def deviations(close: FloatArray, usable: Flags, offsets: Ints, span: int) -> FloatArray:
    """Standard deviation of the last `span` returns of usable bars, at every bar."""
    answer = np.full(len(close), np.nan)
    ring = np.empty(span)
    for s in range(len(offsets) - 1):
        count = 0
        latest = np.nan
        for t in range(offsets[s] + 1, offsets[s + 1]):
            if usable[t]:
                ring[count % span] = close[t] - close[t - 1]
                count += 1
                if count >= span:
                    mean = 0.0
                    for value in ring:
                        mean += value
                    mean /= span
                    total = 0.0
                    for value in ring:
                        total += (value - mean) * (value - mean)
                    latest = np.sqrt(total / (span - 1))
            answer[t] = latest
    return answer


@compiled
def volume_scores(volume: FloatArray, offsets: Ints, span: int) -> FloatArray:
    """Volume in standard deviations from the mean of the `span` bars before."""
    answer = np.full(len(volume), np.nan)
    for s in range(len(offsets) - 1):
        for t in range(offsets[s] + span, offsets[s + 1]):
            mean = 0.0
            for i in range(t - span, t):
                mean += volume[i]
            mean /= span
            total = 0.0
            for i in range(t - span, t):
                total += (volume[i] - mean) * (volume[i] - mean)
            deviation = np.sqrt(total / (span - 1))
            if deviation > 0.0:
                answer[t] = (volume[t] - mean) / deviation
    return answer


@compiled
def volume_ratios(volume: FloatArray, offsets: Ints, span: int) -> FloatArray:
    """Volume over the mean of the `span` bars before."""
    answer = np.full(len(volume), np.nan)
    for s in range(len(offsets) - 1):
        for t in range(offsets[s] + span, offsets[s + 1]):
            total = 0.0
            for i in range(t - span, t):
                total += volume[i]
            if total > 0.0:
                answer[t] = volume[t] / (total / span)
    return answer


@compiled
def _highest_since(high, usable, sigma, row, t):
    """Row of the highest usable bar after `row` and up to `t`; −1 where there is none."""
    best = -1
    for i in range(row + 1, t + 1):
        if usable[i] and sigma[i] > 0.0 and (best < 0 or high[i] > high[best]):
            best = i
    return best


@compiled
def _lowest_since(low, usable, sigma, row, t):
    """The same of the lowest."""
    best = -1
    for i in range(row + 1, t + 1):
        if usable[i] and sigma[i] > 0.0 and (best < 0 or low[i] < low[best]):
            best = i
    return best


@compiled
def zigzag(
    high: FloatArray, low: FloatArray, sigma: FloatArray, usable: Flags, offsets: Ints, kappa: float
) -> tuple[Ints, Ints, Ints, Ints]:
    """Find turning points; see `zigzag.py` for the rule.

    Returns:
        Row of each turning point, row at which it became known, +1 for a peak and −1 for a trough, and how many there
        are of each symbol.
    """
    room = len(high)
    rows, known, kinds = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.int64)
    counts = np.zeros(max(len(offsets) - 1, 0), np.int64)
    found = 0
    for s in range(len(offsets) - 1):
        before = found
        found = _turns(offsets[s], offsets[s + 1], high, low, sigma, usable, kappa, rows, known, kinds, found)
        counts[s] = found - before
    return rows[:found], known[:found], kinds[:found], counts


@compiled
def _turns(start, end, high, low, sigma, usable, kappa, rows, known, kinds, found):
    """Note the turning points of one symbol behind those that were found before; return how many there are then."""
    leg, top, bottom = 0, -1, -1  # the leg's direction (0: not known yet) and the rows of its extremes
    lowest, highest = -1, -1  # the extremes of the bars since the leg's own extreme: where the next leg begins
    for t in range(start, end):
        if not usable[t] or not sigma[t] > 0.0:
            continue
        cut = kappa * sigma[t]
        if top < 0:
            top = bottom = t
            continue
        raised = leg >= 0 and high[t] > high[top]
        lowered = leg <= 0 and low[t] < low[bottom]
        if raised:
            top, lowest = t, -1
        elif lowest < 0 or low[t] < low[lowest]:
            lowest = t
        if lowered:
            bottom, highest = t, -1
        elif highest < 0 or high[t] > high[highest]:
            highest = t
        # A bar that goes beyond the leg's extreme extends it, whatever else it does.
        fell = leg >= 0 and not raised and top < t and low[t] <= high[top] - cut
        rose = leg <= 0 and not lowered and bottom < t and high[t] >= low[bottom] + cut
        if fell and rose:  # only before the first leg: the older extreme turned first
            fell, rose = top < bottom, bottom < top
        if fell or rose:
            rows[found], known[found], kinds[found] = top if fell else bottom, t, 1 if fell else -1
            found += 1
        if fell:
            leg, bottom, highest = -1, lowest, _highest_since(high, usable, sigma, lowest, t)
        elif rose:
            leg, top, lowest = 1, highest, _lowest_since(low, usable, sigma, highest, t)
    return found


@compiled
def bar_pivots(high: FloatArray, usable: Flags, offsets: Ints, before: int, after: int) -> tuple[Ints, Ints]:
    """Find bars whose high is above those of the bars before and not below those of the bars after.

    Bars that are not usable are passed over, as if they were not there.

    Returns:
        Row of each, and row of the bar at which it became known: the `after`-th usable one.
    """
    rows, known = np.empty(len(high), np.int64), np.empty(len(high), np.int64)
    found = 0
    width = before + after + 1
    ring = np.empty(width, np.int64)
    for s in range(len(offsets) - 1):
        count = 0
        for t in range(offsets[s], offsets[s + 1]):
            if not usable[t]:
                continue
            ring[count % width] = t
            count += 1
            if count < width:
                continue
            centre = ring[(count - 1 - after) % width]
            highest = True
            for back in range(width):
                other = ring[(count - 1 - back) % width]
                if (back < after and high[other] > high[centre]) or (back > after and high[other] >= high[centre]):
                    highest = False
                    break
            if highest:
                rows[found], known[found] = centre, t
                found += 1
    return rows[:found], known[:found]
