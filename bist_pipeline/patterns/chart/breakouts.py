"""Breakouts from the range of the last 20 or 55 sessions or 52 weeks, and breakdowns.

Belongs here: one close beyond the highest high of the sessions before it.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.chart._bars import by_symbol
from bist_pipeline.patterns.pivots.tape import Ints
from bist_pipeline.patterns.structures.contract import Candidates, ChartPattern, Life, Outline, Rule, mirrored
from bist_pipeline.patterns.structures.outlines import level, outline
from bist_pipeline.patterns.structures.view import View


def _parameters(bars: int, quiet_bars: int) -> Mapping[str, float]:
    return MappingProxyType(
        {
            "bars": bars,
            "margin_atr": 0.25,
            "quiet_bars": quiet_bars,
            "height_atr": 4.0,
            "stop_atr": 2.0,
            "hold_bars": 60,
        }
    )


def _extremes(view: View, bars: int) -> tuple[FloatArray, Ints, FloatArray]:
    """Highest high of the `bars` sessions before each bar, its row, and the lowest low; NaN where there are fewer."""
    import talib

    tape = view.tape
    high = _earlier(view, by_symbol(view, lambda x: talib.MAX(x, timeperiod=bars), tape.high))
    low = _earlier(view, by_symbol(view, lambda x: talib.MIN(x, timeperiod=bars), tape.low))
    place = _earlier(view, by_symbol(view, lambda x: talib.MAXINDEX(x, timeperiod=bars).astype(np.float64), tape.high))
    return high, np.where(np.isnan(high), -1, place + tape.first_row).astype(np.int64), low


def _earlier(view: View, values: FloatArray) -> FloatArray:
    """The value of the bar before; NaN at a symbol's first bar."""
    answer = np.empty_like(values)
    answer[1:] = values[:-1]
    answer[view.tape.offsets[:-1]] = np.nan
    return answer


def _since_last(view: View, beyond: np.ndarray) -> Ints:
    """Bars since the last bar before each that is flagged, or since the symbol's first bar."""
    rows = np.arange(len(beyond))
    latest = np.maximum.accumulate(np.where(beyond, rows, -1))
    before = np.concatenate([[-1], latest[:-1]])[: len(rows)]
    return rows - np.maximum(before, view.tape.first_row)


def _candidates(view: View, p: Mapping[str, float]) -> Candidates:
    tape = view.tape
    top, place, bottom = _extremes(view, int(p["bars"]))
    excess = tape.close - top
    quiet = _since_last(view, tape.traded & (excess >= p["margin_atr"] * tape.atr))
    at = np.flatnonzero(tape.traded & (excess > 0))
    # A bar locked at its limit breaks a level, but makes no point: the last ordinary one does.
    ordinary = np.maximum.accumulate(np.where(tape.usable, np.arange(len(tape)), -1))
    rows = np.column_stack([place[at], np.maximum(place[at], ordinary[at])])
    prices = np.column_stack([top[at], tape.close[rows[:, 1]]])
    own = {"quiet": quiet[at], "excess": excess[at], "bottom": bottom[at]}
    return Candidates(view, at, rows, prices, rows, np.zeros(len(at)), own)


def _rules(p: Mapping[str, float]) -> tuple[Rule, ...]:
    return (
        Rule(
            "beyond_margin",
            "ATR",
            f"close over the highest high of the {int(p['bars'])} sessions before",
            lambda c: c.own["excess"] / c.atr,
            least=p["margin_atr"],
        ),
        Rule(
            "ordinary_level",
            "bars",
            "bars without a trade or with one price alone, of the one that has the highest high",
            lambda c: (~c.tape.usable[c.row(0)]).astype(np.float64),
            most=0.0,
        ),
        Rule(
            "first_for_a_while",
            "bars",
            "since the last close beyond by as much, or the first session",
            lambda c: c.own["quiet"].astype(np.float64),
            least=p["quiet_bars"],
        ),
    )


def _outline(c: Candidates, p: Mapping[str, float]) -> Outline:
    broken, low = c.price(0), c.tape.low[c.known]
    span = c.tape.high[c.known] - low
    closes_high = np.divide(c.tape.close[c.known] - low, span, out=np.ones(len(c)), where=span > 0)
    return outline(
        c,
        height=p["height_atr"] * c.atr,
        wait_bars=0,
        upper=level(c, broken),
        stop_up=broken - p["stop_atr"] * c.atr,
        top=c.tape.high[c.known],
        bottom=c.own["bottom"],
        latest=c.known,
        structure=closes_high,
    )


def _breakout(name: str, mirror: str, words: str, p: Mapping[str, float]) -> ChartPattern:
    bars = int(p["bars"])
    return ChartPattern(
        name=name,
        version=1,
        direction="bullish",
        mirror=mirror,
        title=f"{words[0].upper()}{words[1:]} breakout",
        meaning=f"The first close for {int(p['quiet_bars'])} sessions beyond the highest high of the {bars} before; "
        "said to begin a move, or to prolong one. Looked at: every close beyond it.",
        aims=f"Target: {p['height_atr']:g} ATR above the highest high. Stop: {p['stop_atr']:g} ATR below it.",
        source="Close beyond the highest high of n sessions (Donchian's channel), stop 2 ATR from it as the Turtle "
        "traders' rules have it. Ours: by 0.25 ATR, the first for a while so that a trend is one event, target 4 ATR; "
        "a level set by a bar without a trade or with one price alone is passed over. Left out: that a close back "
        "inside within 5 bars makes it a failed break.",
        parameters=p,
        warm_up=max(bars, int(p["quiet_bars"])),
        candidates=lambda view: _candidates(view, p),
        rules=_rules(p),
        outline=lambda c: _outline(c, p),
        # The rule asks for the margin already: what keeps it is confirmed by its own close.
        life=Life(breaks="up", margin_atr=0.0, hold_bars=int(p["hold_bars"])),
        line_names=("level", ""),
    )


def _breakdown(pattern: ChartPattern, words: str) -> ChartPattern:
    p = pattern.parameters
    return mirrored(
        pattern,
        title=f"{words[0].upper()}{words[1:]} breakdown",
        meaning=f"The first close for {int(p['quiet_bars'])} sessions beyond the lowest low of the {int(p['bars'])} "
        "before; said to begin a fall, or to prolong one. Looked at: every close beyond it.",
    )


BREAKOUT_20_DAY = _breakout("breakout_20_day", "breakdown_20_day", "20-day", _parameters(20, 20))
BREAKDOWN_20_DAY = _breakdown(BREAKOUT_20_DAY, "20-day")
BREAKOUT_55_DAY = _breakout("breakout_55_day", "breakdown_55_day", "55-day", _parameters(55, 55))
BREAKDOWN_55_DAY = _breakdown(BREAKOUT_55_DAY, "55-day")
BREAKOUT_52_WEEK = _breakout("breakout_52_week", "breakdown_52_week", "52-week", _parameters(252, 60))
BREAKDOWN_52_WEEK = _breakdown(BREAKOUT_52_WEEK, "52-week")
