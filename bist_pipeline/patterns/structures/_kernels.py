"""Compiled loops over structures.

Belongs here: what is followed bar by bar from the session at which a structure became known. Imported where it is used:
the compiler takes half a second.
"""

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.pivots._compiled import compiled
from bist_pipeline.patterns.pivots.arrays import Flags, Ints


@compiled
def volume_thirds(volume: FloatArray, first: Ints, last: Ints, starts: Ints, usual: int) -> FloatArray:
    """Mean volume of a span's first, middle and last third, over that of the `usual` bars before it, shape (n, 3).

    NaN where fewer bars or no volume lie before it, or the span has less than three bars.
    """
    answer = np.full((len(first), 3), np.nan)
    for i in range(len(first)):
        size = last[i] - first[i] + 1
        if size < 3 or first[i] - usual < starts[i]:
            continue
        mean = 0.0
        for t in range(first[i] - usual, first[i]):
            mean += volume[t]
        mean /= usual
        if not mean > 0.0:
            continue
        for part in range(3):
            begin, end = first[i] + part * size // 3, first[i] + (part + 1) * size // 3
            total = 0.0
            for t in range(begin, end):
                total += volume[t]
            answer[i, part] = total / (end - begin) / mean
    return answer


@compiled
def closes_outside(
    close: FloatArray, traded: Flags, first: Ints, last: Ints, row: Ints, value: FloatArray, slope: FloatArray
) -> FloatArray:
    """How far closes of a span lie above a line at most, shape (n,); below zero where all lie under it."""
    answer = np.full(len(first), -np.inf)
    for i in range(len(first)):
        for t in range(first[i], last[i] + 1):
            if traded[t]:
                answer[i] = max(answer[i], close[t] - (value[i] + slope[i] * (t - row[i])))
    return answer
