"""How low and high prices went while a structure was forming.

Belongs here: extremes of the bars between a candidate's points, for outlines. Lines are given by row, value and slope,
as in `Outline`.
"""

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.pivots.arrays import Ints
from bist_pipeline.patterns.structures.contract import Candidates


def lowest_low(found: Candidates, since: Ints) -> FloatArray:
    """Lowest low (log price) from some row to the bar at which each candidate was known."""
    nothing = np.zeros(len(found))
    return -deepest_below(found, since, (since, nothing, nothing))


def highest_high(found: Candidates, since: Ints) -> FloatArray:
    """Highest high (log price) from some row to the bar at which each candidate was known."""
    from bist_pipeline.patterns.structures._kernels import closes_outside

    nothing = np.zeros(len(found))
    return closes_outside(found.tape.high, found.tape.traded, since, found.known, since, nothing, nothing)


def deepest_below(found: Candidates, since: Ints, line: tuple[Ints, FloatArray, FloatArray]) -> FloatArray:
    """How far the lows since some row lie below a line at most, in log price; negative where all lie above it."""
    from bist_pipeline.patterns.structures._kernels import closes_outside

    row, value, slope = line
    return closes_outside(-found.tape.low, found.tape.traded, since, found.known, row, -value, -slope)
