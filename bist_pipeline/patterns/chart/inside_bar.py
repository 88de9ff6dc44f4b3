"""Inside bar.

Belongs here: one bar that lies within the bar before it. Either side may break the two.
"""

from types import MappingProxyType

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.chart._bars import NARROWER, ordinary_bars, spans
from bist_pipeline.patterns.structures.contract import Candidates, ChartPattern, Life, Outline, Rule
from bist_pipeline.patterns.structures.outlines import level, outline
from bist_pipeline.patterns.structures.view import View

_P = MappingProxyType(
    {"trigger_atr": 0.25, "outer_atr": 1.0, "wait_bars": 5, "margin_atr": 0.25, "hold_bars": 10},
)


def _candidates(view: View) -> Candidates:
    tape = view.tape
    room = -_P["trigger_atr"] * tape.atr[1:]
    nearly = (tape.high[:-1] - tape.high[1:] >= room) & (tape.low[1:] - tape.low[:-1] >= room)
    nearly &= tape.high[1:] - tape.low[1:] < (tape.high[:-1] - tape.low[:-1]) * NARROWER
    rows = np.flatnonzero(nearly) + 1
    rows = rows[rows > tape.first_row[rows]]
    return spans(view, rows - 1, rows)


def _room(c: Candidates) -> FloatArray:
    """The smaller of what the outer bar leaves above and below, in ATR."""
    outer, inner, tape = c.row(0), c.row(1), c.tape
    return np.minimum(tape.high[outer] - tape.high[inner], tape.low[inner] - tape.low[outer]) / c.atr


def _outer_range(c: Candidates) -> FloatArray:
    return c.tape.high[c.row(0)] - c.tape.low[c.row(0)]


def _outline(c: Candidates) -> Outline:
    high, low = c.tape.high[c.row(0)], c.tape.low[c.row(0)]
    inner = c.tape.high[c.row(1)] - c.tape.low[c.row(1)]
    return outline(
        c,
        height=high - low,
        wait_bars=int(_P["wait_bars"]),
        upper=level(c, high),
        lower=level(c, low),
        top=high,
        bottom=low,
        structure=1 - inner / (high - low),
    )


INSIDE_BAR = ChartPattern(
    name="inside_bar",
    version=1,
    direction="neutral",
    mirror="inside_bar",
    title="Inside bar",
    meaning="A bar within the bar before it, which was a wide one; the side on which a close leaves the two is said to "
    "be the market's next. Looked at: every narrower bar that leaves the one before by 0.25 ATR at most.",
    aims="Target: the range of the outer bar beyond it. Stop: its other end.",
    source="PKScreener's inside bar: high below and low above those of the bar before. Ours: the outer bar spans an "
    "ATR, only usable bars, five sessions to close beyond the outer bar by 0.25 ATR, its range as the target.",
    parameters=_P,
    warm_up=14,
    candidates=_candidates,
    rules=(
        ordinary_bars(2),
        Rule("inside", "ATR", "the smaller of what the bar before leaves above and below", _room, least=1e-9),
        Rule("outer_wide", "ATR", "range of the bar before", lambda c: _outer_range(c) / c.atr, least=_P["outer_atr"]),
    ),
    outline=_outline,
    life=Life(breaks="either", margin_atr=_P["margin_atr"], hold_bars=int(_P["hold_bars"])),
)
