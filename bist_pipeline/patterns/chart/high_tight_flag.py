"""High-tight flag: nearly a doubling in two months, then a shallow rest of three to five weeks.

Belongs here: the one pattern. It has no mirror image: a fall of nine tenths is not what a doubling is upside down, and
the source knows no such pattern.
"""

from types import MappingProxyType

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.structures.contract import Candidates, ChartPattern, Life, Outline, Rule
from bist_pipeline.patterns.structures.outlines import level, outline
from bist_pipeline.patterns.structures.spans import lowest_low
from bist_pipeline.patterns.structures.swings import FIRST_TURN, PEAK, swings
from bist_pipeline.patterns.structures.view import View

_P = MappingProxyType(
    {
        "rise": 0.9,
        "rise_bars": 42,
        "rest_bars_least": 15,
        "rest_bars_most": 25,
        "pullback_least": 0.10,
        "pullback_most": 0.25,
        "outside_atr": 0.25,
    }
)
# The lowest bar of the two months before the top, and the top; the third point is the lowest bar since.
_FOOT, _TOP = range(2)


def _candidates(view: View) -> Candidates:
    """Every peak of the finest zigzag, fifteen bars later."""
    from bist_pipeline.patterns.structures._line_kernels import lowest_rows

    tops = swings(view, 1, PEAK, scales=(1.5,))
    known = tops.last_row + int(_P["rest_bars_least"])
    there = (known >= tops.known) & (known < view.tape.end_row[tops.last_row])
    tops, known = tops.take(there), known[there]
    low, usable = view.tape.low, view.tape.usable
    lowest = lowest_rows(low, usable, tops.last_row + 1, known)
    tops, known, lowest = tops.take(lowest >= 0), known[lowest >= 0], lowest[lowest >= 0]
    top = tops.last_row
    foot = lowest_rows(low, usable, np.maximum(top - int(_P["rise_bars"]), view.tape.first_row[top]), top)
    return Candidates(
        view,
        known,
        np.column_stack((foot, top, lowest)),
        np.column_stack((low[foot], tops.prices, low[lowest])),
        np.column_stack((tops.known_rows, tops.known_rows, known)),
        tops.scale,
    )


def _above_top(c: Candidates) -> FloatArray:
    from bist_pipeline.patterns.structures._kernels import closes_outside

    level, flat = c.price(_TOP), np.zeros(len(c))
    return closes_outside(c.tape.high, c.tape.traded, c.row(_FOOT), c.known - 1, c.known, level, flat) / c.atr


def _low(c: Candidates) -> FloatArray:
    """Lowest low since the top, of every bar that traded: a day locked at the limit makes no point, but a low."""
    return lowest_low(c, c.row(_TOP) + 1)


def _pullback(c: Candidates) -> FloatArray:
    return -np.expm1(_low(c) - c.price(_TOP))


def _outline(c: Candidates) -> Outline:
    return outline(
        c,
        height=c.price(_TOP) - c.price(_FOOT),
        wait_bars=c.row(_TOP) + int(_P["rest_bars_most"]) - c.last_row,
        upper=level(c, c.price(_TOP)),
        lower=level(c, c.price(_TOP) + np.log1p(-_P["pullback_most"])),
        stop_up=_low(c),
        bottom=_low(c),
        ideal_touches=3,
        structure=np.clip(1 - _pullback(c) / _P["pullback_most"], 0.0, 1.0),
        drawn_from=c.row(_TOP),
    )


HIGH_TIGHT_FLAG = ChartPattern(
    name="high_tight_flag",
    version=1,
    direction="bullish",
    mirror="",
    title="High-tight flag",
    meaning="A rise of 90 % or more within two months, then three to five weeks in which 10 to 25 % are given back; a "
    "close above the top is said to begin another such rise.",
    aims="Target: as far above the top as the rise's foot lies below it. Stop: the lowest low of the 15 bars after it.",
    source="Bulkowski's Encyclopedia (90 % in two months), O'Neil as quoted in public code (10–25 % pullback over 3–5 "
    "weeks). Ours: measured from the lowest bar of the 42 before the top, confirmed 0.25 ATR above the top. Not "
    "symmetric: no source knows its mirror image.",
    parameters=_P,
    warm_up=FIRST_TURN + int(_P["rest_bars_least"]),
    candidates=_candidates,
    rules=(
        Rule(
            "rise",
            "ratio",
            "rise from the lowest bar of the 42 before the top, as a share of the price there",
            lambda c: np.expm1(c.price(_TOP) - c.price(_FOOT)),
            least=_P["rise"],
        ),
        Rule(
            "at_the_top",
            "ATR",
            "highest high from the foot to the bar before now, above the top",
            _above_top,
            most=_P["outside_atr"],
        ),
        Rule(
            "pullback",
            "ratio",
            "given back at most since the top, as a share of the price there",
            _pullback,
            _P["pullback_least"],
            _P["pullback_most"],
        ),
    ),
    outline=_outline,
    life=Life(breaks="up"),
)
