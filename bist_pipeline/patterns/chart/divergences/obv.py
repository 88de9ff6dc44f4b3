"""Divergences from on-balance volume.

Belongs here: the volume and its thresholds.
"""

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.chart._bars import by_symbol
from bist_pipeline.patterns.chart.divergences._pairs import Oscillator, all_kinds, prices, upright
from bist_pipeline.patterns.structures.view import View


def _series(view: View) -> FloatArray:
    import talib

    return upright(view, by_symbol(view, talib.OBV, prices(view), view.tape.volume))


OBV = Oscillator(
    name="obv",
    title="OBV",
    unit="deviations",
    move=0.3,
    unit_bars=60,
    first_level=None,
    warm_up=0,
    source="On-balance volume, Granville's. Ours: 0.3 of its standard deviation over 60 bars; it has no level of its "
    "own, so the first peak may lie anywhere.",
    periods={},
    series=_series,
)

REGULAR_BEARISH, REGULAR_BULLISH, HIDDEN_BEARISH, HIDDEN_BULLISH = all_kinds(OBV)
