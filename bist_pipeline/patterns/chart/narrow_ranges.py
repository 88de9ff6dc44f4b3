"""Narrow range bars, NR4 and NR7.

Belongs here: one bar whose range is the smallest of the last four or seven. Either side may break it.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.chart._bars import NARROWER, before, ordinary_bars, spans
from bist_pipeline.patterns.structures.contract import Candidates, ChartPattern, Life, Outline, Rule
from bist_pipeline.patterns.structures.outlines import level, outline
from bist_pipeline.patterns.structures.view import View


def _parameters(bars: int, trigger_bars: int) -> Mapping[str, float]:
    return MappingProxyType(
        {
            "bars": bars,
            "trigger_bars": trigger_bars,
            "range_atr": 0.75,
            "height_atr": 2.0,
            "wait_bars": 5,
            "margin_atr": 0.25,
            "hold_bars": 10,
        }
    )


def _ranges(view: View) -> FloatArray:
    return view.tape.high - view.tape.low


def _range(c: Candidates) -> FloatArray:
    return c.view.once(_ranges)[c.last_row]


def _candidates(view: View, p: Mapping[str, float]) -> Candidates:
    bars, trigger = int(p["bars"]), int(p["trigger_bars"])
    ranges = view.once(_ranges)
    narrower = np.ones(len(ranges), dtype=bool)
    narrower[: bars - 1] = False
    for back in range(1, trigger + 1):
        narrower[back:] &= ranges[back:] < ranges[:-back] * NARROWER
    rows = np.flatnonzero(narrower)
    rows = rows[rows - view.tape.first_row[rows] >= bars - 1]
    return spans(view, rows - (bars - 1), rows)


def _narrowest(c: Candidates, bars: int) -> FloatArray:
    """Range over the least of the ranges before it."""
    ranges = c.view.once(_ranges)[before(c.last_row, bars)]
    return ranges[:, 0] / ranges[:, 1:].min(axis=1)


def _outline(c: Candidates, p: Mapping[str, float]) -> Outline:
    high, low = c.tape.high[c.last_row], c.tape.low[c.last_row]
    return outline(
        c,
        height=p["height_atr"] * c.atr,
        wait_bars=int(p["wait_bars"]),
        upper=level(c, high),
        lower=level(c, low),
        top=high,
        bottom=low,
        structure=1 - _range(c) / (p["range_atr"] * c.atr),
    )


def _narrow_range(p: Mapping[str, float], words: str) -> ChartPattern:
    bars, trigger = int(p["bars"]), int(p["trigger_bars"])
    return ChartPattern(
        name=f"nr{bars}",
        version=1,
        direction="neutral",
        mirror=f"nr{bars}",
        title=f"Narrow range of {bars} (NR{bars})",
        meaning=f"A bar narrower than the {words} before it; trade is said to gather for a move to the side that the "
        f"next closes leave it on. Looked at: every bar narrower than the {trigger} before it.",
        aims=f"Target: {p['height_atr']:g} ATR beyond the bar. Stop: its other end.",
        source="Crabel 1990, as named by PKScreener: range below the least of those before. Ours: below 0.75 ATR too, "
        "only usable bars, five sessions to close beyond the bar by 0.25 ATR, target 2 ATR.",
        parameters=p,
        warm_up=14,
        candidates=lambda view: _candidates(view, p),
        rules=(
            ordinary_bars(bars),
            Rule(
                "narrowest",
                "ratio",
                f"range over the least of the {bars - 1} before",
                lambda c: _narrowest(c, bars),
                most=NARROWER,
            ),
            Rule("narrow", "ATR", "range of the bar", lambda c: _range(c) / c.atr, most=p["range_atr"]),
        ),
        outline=lambda c: _outline(c, p),
        life=Life(breaks="either", margin_atr=p["margin_atr"], hold_bars=int(p["hold_bars"])),
    )


NR4 = _narrow_range(_parameters(4, 2), "three")
NR7 = _narrow_range(_parameters(7, 3), "six")
