"""Compiled loops over the bars between two points.

Belongs here: what each pair of points needs of the bars between. Imported where it is used: the compiler takes half a
second.
"""

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.pivots._compiled import compiled
from bist_pipeline.patterns.pivots.tape import Ints


@compiled
def lowest_between(low: FloatArray, first: Ints, last: Ints) -> FloatArray:
    """Lowest value from row `first` to row `last`, both included, shape (n,)."""
    answer = np.full(len(first), np.inf)
    for i in range(len(first)):
        for t in range(first[i], last[i] + 1):
            answer[i] = min(answer[i], low[t])
    return answer


@compiled
def deviations_at(values: FloatArray, rows: Ints, starts: Ints, span: int) -> FloatArray:
    """Standard deviation of the `span` values that end at each row, shape (n,).

    NaN where fewer lie after `starts` or one of them is unknown.
    """
    answer = np.full(len(rows), np.nan)
    for i in range(len(rows)):
        first = rows[i] - span + 1
        if first < starts[i]:
            continue
        mean = 0.0
        for t in range(first, rows[i] + 1):
            mean += values[t]
        mean /= span
        total = 0.0
        for t in range(first, rows[i] + 1):
            total += (values[t] - mean) * (values[t] - mean)
        answer[i] = np.sqrt(total / (span - 1))
    return answer
