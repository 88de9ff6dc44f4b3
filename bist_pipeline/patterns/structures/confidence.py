"""How well formed a structure is: a number between 0 and 1, and the terms it is made of.

Belongs here: the terms that every pattern shares. The weights are those of Stockmasterflex/legend-ai-python: touches
0.30, fit 0.25, structure 0.20, recency 0.15, volume 0.10. It says how much a structure looks like its textbook picture.
It is no probability: nothing here was fitted to what prices did afterwards.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.pivots.tape import Ints
from bist_pipeline.patterns.structures.engine import Detected

WEIGHTS: Mapping[str, float] = MappingProxyType(
    {"touches": 0.30, "fit": 0.25, "structure": 0.20, "recency": 0.15, "volume": 0.10}
)
USUAL_SESSIONS = 50


def confidence_terms(one: Detected, chosen: Ints) -> dict[str, FloatArray]:
    """Compute the terms of some structures.

    Args:
        one: Whose.
        chosen: Positions in `one.found`.

    Returns:
        By name of `WEIGHTS`, each 0…1, shape (len(chosen),); NaN where unknown (no volume):

        * touches: points on the lines over how many would be convincing;
        * fit, structure: as the pattern's outline says;
        * recency: 1 where it was known at its last point, falling with the wait for that over its length;
        * volume: 1 where the last third traded half of the first third or less, 0.5 where as much, 0 from 1.5 times on.
    """
    found, outline = one.found.take(chosen), one.outline
    wait = (found.known - found.last_row) / np.maximum(found.last_row - outline.span_from[chosen], 1)
    thirds = volume_profile(one, chosen)
    dried_up = np.full(len(found), np.nan)
    np.divide(thirds[:, 2], thirds[:, 0], out=dried_up, where=thirds[:, 0] > 0)
    return {
        "touches": np.clip(outline.touches[chosen] / outline.ideal_touches, 0.0, 1.0),
        "fit": np.clip(outline.fit[chosen], 0.0, 1.0),
        "structure": np.clip(outline.structure[chosen], 0.0, 1.0),
        "recency": np.clip(1.0 - wait, 0.0, 1.0),
        "volume": np.clip(1.5 - dried_up, 0.0, 1.0),
    }


def shape_confidence(terms: Mapping[str, FloatArray]) -> FloatArray:
    """Weigh the terms that are known."""
    total, weights = 0.0, 0.0
    for name, weight in WEIGHTS.items():
        known = ~np.isnan(terms[name])
        total = total + np.where(known, terms[name], 0.0) * weight
        weights = weights + known * weight
    return np.asarray(total / weights)


def volume_profile(one: Detected, chosen: Ints) -> FloatArray:
    """Mean volume of some structures' thirds, in the mean of the 50 sessions before them, shape (len(chosen), 3)."""
    from bist_pipeline.patterns.structures._kernels import volume_thirds

    tape, first = one.found.tape, one.outline.span_from[chosen]
    return volume_thirds(tape.volume, first, one.found.last_row[chosen], tape.first_row[first], USUAL_SESSIONS)
