"""Broadening top and bottom: every swing goes beyond the one before it.

Belongs here: what makes lines that part a pattern.
"""

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.chart.lines import _rules as shared
from bist_pipeline.patterns.structures.contract import Candidates, ChartPattern, Life, Rule, mirrored
from bist_pipeline.patterns.structures.swings import PEAK
from bist_pipeline.patterns.structures.view import View

_FLAT = shared.PARAMETERS["flat_atr"]


def _least_step(c: Candidates) -> FloatArray:
    """By how much each swing goes beyond the one before it on its side, ATR; of all, the least."""
    steps = c.prices[:, 2:] - c.prices[:, :-2]
    peaks_first = c.own["first_kind"][:, None] > 0
    is_peak = (np.arange(steps.shape[1]) % 2 == 0) == peaks_first
    beyond = np.where(is_peak, steps, -steps)
    return np.where(np.isnan(beyond), np.inf, beyond).min(axis=1) / c.atr


_SHAPE = (shared.top_slope("top_rises", least=_FLAT), shared.bottom_slope("bottom_falls", most=-_FLAT))


def _candidates(view: View) -> Candidates:
    found = shared.nearly(*_SHAPE)(view)
    return found.take(found.own["first_kind"] == PEAK)


BROADENING_TOP = ChartPattern(
    name="broadening_top",
    version=1,
    direction="neutral",
    mirror="broadening_bottom",
    title="Broadening top",
    meaning="From a peak on, every peak is higher and every trough lower than the one before; a close beyond either "
    "line is said to show where the price will go.",
    aims=shared.AIMS,
    source=f"{shared.SOURCE} Lo, Mamaysky & Wang 2000: BTOP begins with a maximum, BBOT with a minimum; Bulkowski "
    "counts breaks both ways. Ours: 3 ATR high where it is widest, which is also the way to the target.",
    parameters=shared.PARAMETERS,
    warm_up=shared.WARM_UP,
    candidates=_candidates,
    rules=(
        *_SHAPE,
        Rule(
            "each_swing_wider",
            "ATR",
            "least step of a peak above, or of a trough below, the one before it",
            _least_step,
            least=1e-9,
        ),
        shared.LENGTH,
        shared.TALL_ENOUGH,
        shared.TOUCHES,
        shared.SIDE_TO_SIDE,
        shared.CONTAINED,
    ),
    outline=shared.outline_of,
    life=Life(breaks="either"),
)

BROADENING_BOTTOM = mirrored(
    BROADENING_TOP,
    title="Broadening bottom",
    meaning="From a trough on, every trough is lower and every peak higher than the one before; a close beyond either "
    "line is said to show where the price will go.",
)
