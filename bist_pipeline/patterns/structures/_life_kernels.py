"""Compiled loops over the lives of structures.

Belongs here: following each structure bar by bar from the session at which it became known; `life.py` says the rules in
words. Imported where it is used: the compiler takes half a second. The small functions are inlined by it.

Arrays travel in groups, in these orders:

    spans    known, first, last (rows), sorted by known
    lines    upper_row, upper, upper_slope, lower_row, lower, lower_slope
    levels   height, stop_up, stop_down, top, bottom, margin, how near the lines of one structure lie
    windows  earliest, latest, hold bars, row from which changes are asked for
    confirm  whether a break upward confirms, whether one downward does, least volume of the confirming bar
    tape     high, low, close, volume (z or ratio), traded, locked, row after the last bar of each row's symbol, open
    book     per structure: count of changes; and of each change: row, state, reason, way, line, target, stop
"""

import numpy as np

from bist_pipeline.patterns.pivots._compiled import compiled

# Fates of a candidate that keeps every rule.
KEPT, MERGED, BROKEN_BEFORE = 0, 1, 2

# States and reasons, in the order of `life.STATES` and `life.REASONS`.
FORMING, CONFIRMED, TARGET, STOPPED, BUSTED, EXPIRED = range(6)
DETECTED, BEYOND, BEYOND_LOCKED, UNLOCKED, TARGET_TOUCHED, STOP_TOUCHED, REVERSED = range(7)
TOO_LATE, OTHER_SIDE, TOO_EARLY, HELD_OUT, SPENT, MISSED = 7, 8, 9, 10, 11, 12

MOST_CHANGES = 6  # forming, confirmed while locked, confirmed again, stopped, busted; and one to spare
_BUST_MOVE = np.log(1.1)  # Bulkowski: a bust has moved no more than 10 % the right way


@compiled
def follow(spans, lines, levels, windows, confirm, tape):
    """Merge what is one structure and follow each from the bar at which it was known.

    Returns:
        Fates (n,) and the book.
    """
    n = len(spans[0])
    fates = np.zeros(n, np.int64)
    over = np.full(n, -1, np.int64)  # row at which a structure expired unconfirmed
    kept = np.empty(n, np.int64)
    found = 0
    shape = (n, MOST_CHANGES)
    whole = (
        np.full(shape, -1, np.int64),
        np.zeros(shape, np.int64),
        np.zeros(shape, np.int64),
        np.zeros(shape, np.int64),
    )
    book = (np.zeros(n, np.int64), whole, (np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, np.nan)))
    for i in range(n):
        a = _host(i, spans, lines, levels, confirm, kept, found, over)
        if a >= 0:
            fates[i] = MERGED
            if _waits_longer(a, windows[1][i], lines, windows, book, over):
                begin = over[a]
                windows[1][a], over[a] = windows[1][i], -1
                book[0][a] -= 1
                _, row, way = _wait(a, begin, lines, levels, windows, confirm, tape, book, over)
                if way != 0:
                    _hold(a, row, way, lines, levels, windows, tape, book)
            continue
        fates[i], row, way = _wait(i, spans[0][i], lines, levels, windows, confirm, tape, book, over)
        if fates[i] == KEPT:
            kept[found] = i
            found += 1
            if way != 0 and _is_asked_for(row + windows[2] + 1, windows[3][i], tape):
                _hold(i, row, way, lines, levels, windows, tape, book)
    return fates, book


@compiled
def _is_asked_for(end, since, tape):
    """Whether a structure may live until `since`, when its time is over at `end` or at the first trade after it.

    What was over before is told by nobody: only whether it had expired unconfirmed matters to others.
    """
    while end < since and not tape[4][end]:
        end += 1
    return end >= since


@compiled
def _waits_longer(a, latest, lines, windows, book, over):
    """Whether a structure that had waited in vain was seen again by then: it waits as long as what was seen last may.

    Lines that will have met by that time decide nothing more.
    """
    if over[a] < 0 or latest <= windows[1][a] or book[1][2][a, book[0][a] - 1] != TOO_LATE:
        return False
    return _line(lines[0], lines[1], lines[2], a, latest) > _line(lines[3], lines[4], lines[5], a, latest)


@compiled
def _host(i, spans, lines, levels, confirm, kept, found, over):
    """Which structure known before, that had not expired unconfirmed, it is; −1 for none."""
    known, first, last = spans
    for k in range(found - 1, -1, -1):
        a = kept[k]
        if known[a] < first[i]:
            break
        shared = min(last[a], last[i]) - max(first[a], first[i]) + 1
        whole = max(last[a], last[i]) - min(first[a], first[i]) + 1
        # Two that begin and are known together would have one name.
        is_twin = first[a] == first[i] and known[a] == known[i]
        same = 2 * shared >= whole and _is_near(i, a, known[i], lines, levels[6][i], confirm)
        if (is_twin or same) and not (0 <= over[a] < known[i]):
            return a
    return -1


@compiled
def _is_near(i, a, t, lines, reach, confirm):
    """Whether the lines that confirm two structures lie no further apart than `reach`."""
    upper_row, upper, upper_slope, lower_row, lower, lower_slope = lines
    above = _line(upper_row, upper, upper_slope, i, t) - _line(upper_row, upper, upper_slope, a, t)
    below = _line(lower_row, lower, lower_slope, i, t) - _line(lower_row, lower, lower_slope, a, t)
    return not (confirm[0] and abs(above) > reach) and not (confirm[1] and abs(below) > reach)


@compiled
def _line(row, value, slope, i, t):
    return value[i] + slope[i] * (t - row[i])


@compiled
def _note(book, i, t, state, reason, way, line, target, stop):
    counts, (rows, states, reasons, ways), (lines, targets, stops) = book
    c = counts[i]
    rows[i, c], states[i, c], reasons[i, c], ways[i, c] = t, state, reason, way
    lines[i, c], targets[i, c], stops[i, c] = line, target, stop
    counts[i] = c + 1


@compiled
def _wait(i, begin, lines, levels, windows, confirm, tape, book, over):
    """Wait for the break. Returns the fate, and the row and way of the break (0: none)."""
    upper_row, upper, upper_slope, lower_row, lower, lower_slope = lines
    earliest, latest, _, _ = windows
    up, down, least_volume = confirm
    close, volume, traded = tape[2], tape[3], tape[4]
    margin = levels[5][i]
    for t in range(begin, tape[6][begin]):
        if not traded[t] and t > begin:
            continue
        above, below = _line(upper_row, upper, upper_slope, i, t), _line(lower_row, lower, lower_slope, i, t)
        end = -1
        if t > latest[i]:
            end = TOO_LATE
        elif traded[t] and (close[t] > above + margin or close[t] < below - margin):
            way = 1 if close[t] > above + margin else -1
            if not (up if way > 0 else down):
                end = OTHER_SIDE
            elif t < earliest[i]:
                end = TOO_EARLY
            elif least_volume == -np.inf or volume[t] >= least_volume:
                if way * (close[t] - (above if way > 0 else below)) < levels[0][i]:
                    return KEPT, t, way
                end = SPENT
        if end >= 0 and book[0][i] == 0:
            return BROKEN_BEFORE, t, 0
        if end >= 0:
            _note(book, i, t, EXPIRED, end, 0, np.nan, np.nan, np.nan)
            over[i] = t
            break
        if book[0][i] == 0:
            line = np.nan if up and down else (above if up else below)
            _note(book, i, t, FORMING, DETECTED, 0, line, np.nan, np.nan)
    return KEPT, -1, 0


@compiled
def _hold(i, confirmed, way, lines, levels, windows, tape, book):
    """Follow a confirmed structure to its end; line, target and stop are those of the confirming bar."""
    height, stop_up, stop_down, top, bottom, _, _ = levels
    high, low, _, _, traded, locked, end_row, opened = tape
    above = _line(lines[0], lines[1], lines[2], i, confirmed)
    below = _line(lines[3], lines[4], lines[5], i, confirmed)
    line, guard, far = (above, stop_up[i], bottom[i]) if way > 0 else (below, stop_down[i], top[i])
    if np.isnan(guard):
        guard = below if way > 0 else above
    goal = line + way * height[i]
    waits = locked[confirmed] == way
    _note(book, i, confirmed, CONFIRMED, BEYOND_LOCKED if waits else BEYOND, way, line, goal, guard)
    stopped = False
    best = high[confirmed] if way > 0 else low[confirmed]
    for t in range(confirmed + 1, end_row[confirmed]):
        if not traded[t]:
            continue
        if t > confirmed + windows[2]:
            if not stopped:
                _note(book, i, t, EXPIRED, HELD_OUT, way, line, goal, guard)
            break
        is_small = way * (best - line) <= _BUST_MOVE
        state = _turn(t, way, is_small, stopped, far, guard, goal, tape)
        if state == FORMING and waits and not stopped and locked[t] != way:
            waits = False
            now = _line(lines[0], lines[1], lines[2], i, t) if way > 0 else _line(lines[3], lines[4], lines[5], i, t)
            if way * (tape[2][t] - now) > 0.0:
                _note(book, i, t, CONFIRMED, UNLOCKED, way, line, goal, guard)
        elif state == TARGET and waits and (locked[t] == way or way * (opened[t] - goal) >= 0.0):
            _note(book, i, t, EXPIRED, MISSED, way, line, goal, guard)
            break
        elif state != FORMING:
            _note(book, i, t, state, _reason(state), way, line, goal, guard)
            stopped = state == STOPPED
            if not (stopped and is_small):
                break
        best = max(best, high[t]) if way > 0 else min(best, low[t])


@compiled
def _turn(t, way, is_small, stopped, far, guard, goal, tape):
    """What a bar does to a confirmed structure: the worst first; `FORMING` for nothing."""
    high, low, close = tape[0], tape[1], tape[2]
    against, along = (low[t], high[t]) if way > 0 else (high[t], low[t])
    if is_small and way * (close[t] - far) < 0.0:
        return BUSTED
    if not stopped and way * (against - guard) <= 0.0:
        return STOPPED
    if not stopped and way * (along - goal) >= 0.0:
        return TARGET
    return FORMING


@compiled
def _reason(state):
    if state == BUSTED:
        return REVERSED
    return STOP_TOUCHED if state == STOPPED else TARGET_TOUCHED
