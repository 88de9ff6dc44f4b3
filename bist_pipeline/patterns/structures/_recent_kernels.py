"""Compiled loop over the candidates of a tail.

Belongs here: which of them are in doubt; `recent.py` says what that means. Imported where it is used.
"""

import numpy as np

from bist_pipeline.patterns.pivots._compiled import compiled


@compiled
def doubtful(known, first, symbol, begin):
    """Whether each candidate is in doubt; they are sorted by symbol and known, `begin` is −1 where nothing was cut."""
    answer = np.zeros(len(known), np.bool_)
    reach, current = -1, -1
    for i in range(len(known)):
        if symbol[i] != current:
            current, reach = symbol[i], begin[symbol[i]] - 1
        if first[i] <= reach:
            answer[i] = True
            reach = max(reach, known[i])
    return answer
