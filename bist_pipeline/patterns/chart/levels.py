"""Breaks of a horizontal level: resistance broken upward, support broken downward.

Belongs here: when a level is worth waiting at, and what its break aims at. Does not belong here: what a level is
(`structures/levels.py`).
"""

from types import MappingProxyType

import numpy as np

from bist_pipeline.patterns.structures.contract import Candidates, ChartPattern, Life, Outline, Rule, mirrored
from bist_pipeline.patterns.structures.levels import (
    GAP_ATR,
    HALF_LIFE_BARS,
    LEAST_TOUCHES,
    MOST_SPREAD_ATR,
    SCALE,
    WINDOW_BARS,
    Levels,
    find_levels,
)
from bist_pipeline.patterns.structures.outlines import outline
from bist_pipeline.patterns.structures.spans import lowest_low
from bist_pipeline.patterns.structures.swings import FIRST_TURN, pivots_at
from bist_pipeline.patterns.structures.view import View

_P = MappingProxyType(
    {
        "pivot_scale": SCALE,
        "window_bars": WINDOW_BARS,
        "join_gap_atr": GAP_ATR,
        "half_life_bars": HALF_LIFE_BARS,
        "touches": LEAST_TOUCHES,
        "spread_atr": MOST_SPREAD_ATR,
        "span_bars": 20,
        "reach_atr": 5.0,
        "wait_bars": 20,
        "same_line_atr": 0.5,
        "least_target_atr": 2.0,
        "stop_atr": 1.0,
        "convincing_strength": 4.0,
    }
)

_POINTS = 8


def _levels(view: View) -> Levels:
    pivots = next(one for one in view.pivots if one.scale == _P["pivot_scale"])
    return find_levels(
        view.tape,
        pivots,
        window_bars=int(_P["window_bars"]),
        gap_atr=_P["join_gap_atr"],
        half_life_bars=_P["half_life_bars"],
        least_touches=int(_P["touches"]),
        most_spread_atr=_P["spread_atr"],
    )


def _candidates(view: View) -> Candidates:
    """Each time levels are gathered: the nearest kept one above the close, or the nearest other one."""
    from bist_pipeline.patterns.structures._level_kernels import levels_above

    levels = view.once(_levels)
    pivots = levels.pivots
    chosen = levels_above(view.tape.close, pivots.known, levels.begins, levels.price, levels.kept)
    known, chosen = pivots.known[chosen >= 0], chosen[chosen >= 0]
    found = pivots_at(view, pivots, levels.newest_touches(chosen, _POINTS), known)
    return found.with_own(
        level=levels.price[chosen],
        touches=levels.counts[chosen],
        spread_atr=levels.spread_atr[chosen],
        strength=levels.strength[chosen],
    )


RULES = (
    Rule("touches", "touches", "turning points at the level", lambda c: c.own["touches"], least=_P["touches"]),
    Rule("narrow", "ATR", "from the highest touch to the lowest", lambda c: c.own["spread_atr"], most=_P["spread_atr"]),
    Rule(
        "lasting",
        "bars",
        "bars from the first touch to the last",
        lambda c: c.bars.astype(np.float64),
        least=_P["span_bars"],
    ),
    Rule(
        "within_reach",
        "ATR",
        "how far the level lies above the close, in the ATR of the bar at which it was known",
        lambda c: (c.own["level"] - c.tape.close[c.known]) / c.tape.atr[c.known],
        most=_P["reach_atr"],
    ),
)


def _outline(c: Candidates) -> Outline:
    value, low = c.own["level"], lowest_low(c, c.last_row)
    distance = np.where(np.isnan(c.prices), 0.0, np.abs(c.prices - value[:, None])).sum(axis=1)
    return outline(
        c,
        height=np.maximum(value - low, _P["least_target_atr"] * c.atr),
        wait_bars=0,
        latest=c.known + _P["wait_bars"],
        upper=(c.known, value, np.zeros(len(c))),
        stop_up=value - _P["stop_atr"] * c.atr,
        bottom=low,
        touches=c.own["touches"],
        ideal_touches=5,
        fit=np.clip(1 - distance / (c.rows >= 0).sum(axis=1) / (_P["spread_atr"] * c.atr), 0.0, 1.0),
        structure=np.minimum(c.own["strength"] / _P["convincing_strength"], 1.0),
    )


LEVEL_BREAKOUT = ChartPattern(
    name="level_breakout",
    version=1,
    direction="bullish",
    mirror="level_breakdown",
    title="Break of a resistance level",
    meaning="The nearest price above at which peaks or troughs of the last year lie together at least three times; a "
    "close above it is said to turn resistance into support.",
    aims="Target: as far above the level as the lowest low since the last touch lies below it, at least 2 ATR. Stop: "
    "1 ATR below the level.",
    source="Ours: single linkage of 3 σ turning points within 0.5 ATR, price weighted by volume, at least 3 touches "
    "within 1.5 ATR and over 20 bars, no further than 5 ATR away; waits 20 bars; aims as far above the level as the "
    "last pullback went below it (at least 2 ATR), stop 1 ATR below it. "
    "Left out: which levels lie at round prices, and that a close back inside within 5 bars makes it a "
    "failed break.",
    parameters=_P,
    # The first touch, the last one, and the bar that confirms it.
    warm_up=FIRST_TURN + int(_P["span_bars"]) + 1,
    candidates=_candidates,
    rules=RULES,
    outline=_outline,
    life=Life(breaks="up", same_line_atr=_P["same_line_atr"]),
    line_names=("level", ""),
)

LEVEL_BREAKDOWN = mirrored(
    LEVEL_BREAKOUT,
    title="Break of a support level",
    meaning="The nearest price below at which peaks or troughs of the last year lie together at least three times; a "
    "close below it is said to turn support into resistance.",
)
