"""Breaks of a trendline: a falling line through peaks broken upward, a rising line through troughs broken downward.

Belongs here: which of all lines through peaks is the trendline, and what its break aims at.
"""

from types import MappingProxyType

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.pivots.tape import Ints
from bist_pipeline.patterns.structures.contract import Candidates, ChartPattern, Life, Outline, Rule, mirrored
from bist_pipeline.patterns.structures.outlines import line_through, outline
from bist_pipeline.patterns.structures.spans import deepest_below, lowest_low
from bist_pipeline.patterns.structures.swings import FIRST_TURN, pivots_at
from bist_pipeline.patterns.structures.view import View

_P = MappingProxyType(
    {
        "pivot_scale": 3.0,
        "window_bars": 250,
        "touch_atr": 0.25,
        "touch_gap_bars": 8,
        "touches": 3,
        "flat_atr_a_bar": 0.02,
        "through_atr": 0.25,
        "reach_log": 0.10,
        "wait_bars": 20,
        "same_line_atr": 0.5,
        "wait_bars_share": 0.5,
    }
)

# In the order in which the compiled loops want them.
_LIMITS = ("window_bars", "touch_gap_bars", "touches", "touch_atr", "flat_atr_a_bar", "through_atr")


def _candidates(view: View) -> Candidates:
    """For each peak, when it is confirmed: the best line from an earlier peak to it."""
    from bist_pipeline.patterns.structures._trendline_kernels import lines_to

    tape = view.tape
    pivots = next(one for one in view.pivots if one.scale == _P["pivot_scale"])
    last, first, touches, distance, over, points = lines_to(
        (pivots.row, pivots.known, pivots.price, pivots.kind),
        np.bincount(pivots.symbol, minlength=len(tape.symbols)),
        (tape.close, tape.traded, tape.atr),
        tuple(_P[name] for name in _LIMITS),
    )
    start, value, slope = line_through(pivots.row[first], pivots.price[first], pivots.row[last], pivots.price[last])
    found = pivots_at(view, pivots, points, pivots.known[last])
    return found.with_own(start=start, value=value, slope=slope, touches=touches, distance=distance, over=over)


def _line_at(c: Candidates, row: Ints) -> FloatArray:
    return np.asarray(c.own["value"] + c.own["slope"] * (row - c.own["start"]), dtype=np.float64)


RULES = (
    Rule("falling", "ATR a bar", "slope of the line", lambda c: c.own["slope"] / c.atr, most=-_P["flat_atr_a_bar"]),
    Rule(
        "touches",
        "touches",
        "peaks within 0.25 ATR of the line, at least 8 bars apart",
        lambda c: c.own["touches"],
        least=_P["touches"],
    ),
    Rule(
        "no_close_through",
        "ATR",
        "highest close over the line since its first touch",
        lambda c: c.own["over"],
        most=_P["through_atr"],
    ),
    Rule(
        "within_reach",
        "log price",
        "how far the last close lies from the line",
        lambda c: np.abs(_line_at(c, c.known) - c.tape.close[c.known]),
        most=_P["reach_log"],
    ),
)


def _evenness(c: Candidates) -> FloatArray:
    """How evenly the touches lie over the line: 1 where all gaps are alike, 0 where all touches are at its ends."""
    gaps = np.where(c.rows[:, 1:] >= 0, np.diff(c.rows, axis=1), 0)
    largest, shared = gaps.max(axis=1, initial=0) / c.bars, 1 / ((c.rows >= 0).sum(axis=1) - 1)
    return (1 - largest) / (1 - shared)


def _outline(c: Candidates) -> Outline:
    line = (c.own["start"], c.own["value"], c.own["slope"])
    wait = np.maximum(np.ceil(c.bars * _P["wait_bars_share"]).astype(np.int64), _P["wait_bars"])
    latest = c.known + wait
    return outline(
        c,
        height=deepest_below(c, c.first_row, line),
        wait_bars=0,
        latest=latest,
        upper=line,
        # A line that falls on while it waits must not come to lie below the stop.
        stop_up=np.minimum(lowest_low(c, c.last_row), _line_at(c, latest)),
        bottom=lowest_low(c, c.first_row),
        touches=c.own["touches"],
        ideal_touches=5,
        fit=1 - c.own["distance"] / _P["touch_atr"],
        structure=_evenness(c),
    )


FALLING_TRENDLINE_BREAK = ChartPattern(
    name="falling_trendline_break",
    version=1,
    direction="bullish",
    mirror="rising_trendline_break",
    title="Break of a falling trendline",
    meaning="A falling line through at least three peaks that no close has crossed; a close above it is said to "
    "end the fall.",
    aims="Target: as far above the line at the break as the lows lay below it at most. Stop: the lowest low since the "
    "last touch, or the line at the end of its wait where that is lower.",
    source="BennyThadikaran/stock-pattern (3 touches, no close through it since the first, last close within 10 %); "
    "ours: 3 σ peaks of 250 bars, touches within 0.25 ATR and 8 bars apart, the score, a fall of at least 0.02 ATR a "
    "bar; waits for half its length (at least 20 bars); aims as far above the line as the lows lay below it, stop at "
    "the lowest low since the last touch.",
    parameters=_P,
    # Three touches, and the bar that confirms the last one.
    warm_up=FIRST_TURN + 2 * int(_P["touch_gap_bars"]) + 1,
    candidates=_candidates,
    rules=RULES,
    outline=_outline,
    life=Life(breaks="up", same_line_atr=_P["same_line_atr"]),
    line_names=("trendline", ""),
)

RISING_TRENDLINE_BREAK = mirrored(
    FALLING_TRENDLINE_BREAK,
    title="Break of a rising trendline",
    meaning="A rising line through at least three troughs that no close has crossed; a close below it is said to end "
    "the rise.",
)
