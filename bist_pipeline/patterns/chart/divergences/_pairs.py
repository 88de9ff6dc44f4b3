"""Divergence: two peaks of an oscillator that disagree with the highs of price on the same bars.

Belongs here: the definition that all oscillators share, written for peaks; the troughs are the same upside down. Does
not belong here: any oscillator.

The peaks of the oscillator are bars that the five usable ones on each side do not exceed; i and j are two in a row. The
second is known five usable bars later, and so is the divergence.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.pivots.bar_pivots import BARS, find_bar_highs
from bist_pipeline.patterns.structures.contract import Candidates, ChartPattern, Life, Outline, Rule, mirrored
from bist_pipeline.patterns.structures.outlines import level, outline
from bist_pipeline.patterns.structures.view import View

Kind = Literal["regular", "hidden"]


@dataclass(frozen=True, slots=True)
class Oscillator:
    """A series that is set against price.

    Attributes:
        name: How patterns are called after it.
        title: For people.
        unit: What its moves are measured in.
        move: Least move from peak to peak, in that unit.
        unit_bars: How many bars' standard deviation the unit is; 0 where the series is measured as it is.
        first_level: Least value at the first peak of a regular divergence, in the unit; None: any.
        warm_up: Sessions before its first value; the peaks come on top.
        source: What it is, and what of the numbers above is ours.
        periods: What the series is computed with, by name; it reads them from there.
        series: One value a bar, NaN where unknown. Upside down it must be the same with the other sign.
    """

    name: str
    title: str
    unit: str
    move: float
    unit_bars: int
    first_level: float | None
    warm_up: int
    source: str
    periods: Mapping[str, float]
    series: Callable[[View], FloatArray]


def prices(view: View) -> FloatArray:
    """Closes as prices, not logarithms, and upright."""
    return np.exp(-view.tape.close if view.tape.flipped else view.tape.close)


def upright(view: View, values: FloatArray) -> FloatArray:
    """Turn a series that was computed from upright prices the way the view is."""
    return -values if view.tape.flipped else values


def all_kinds(oscillator: Oscillator) -> tuple[ChartPattern, ChartPattern, ChartPattern, ChartPattern]:
    """Declare the divergences of an oscillator: regular bearish and bullish, hidden bearish and bullish."""
    shared = _parameters(oscillator, "hidden")

    def pairs(view: View) -> Candidates:
        return _pairs(oscillator, view, shared)

    regular, hidden = (_bearish(oscillator, kind, pairs) for kind in ("regular", "hidden"))
    return regular, _bullish(oscillator, "regular", regular), hidden, _bullish(oscillator, "hidden", hidden)


def _bullish(oscillator: Oscillator, kind: Kind, bearish: ChartPattern) -> ChartPattern:
    turn = "end the fall" if kind == "regular" else "let the rise go on"
    price, series = ("lower", "higher") if kind == "regular" else ("higher", "lower")
    return mirrored(
        bearish,
        title=f"{oscillator.title} {kind} bullish divergence",
        meaning=f"A {price} low with a {series} low of {oscillator.title}; a close above the high between the two is "
        f"said to {turn}.",
    )


def _bearish(oscillator: Oscillator, kind: Kind, pairs: Callable[[View], Candidates]) -> ChartPattern:
    p = _parameters(oscillator, kind)
    turn = "end the rise" if kind == "regular" else "let the fall go on"
    price, series = ("higher", "lower") if kind == "regular" else ("lower", "higher")
    return ChartPattern(
        name=f"{oscillator.name}_{kind}_bearish_divergence",
        version=1,
        direction="bearish",
        mirror=f"{oscillator.name}_{kind}_bullish_divergence",
        title=f"{oscillator.title} {kind} bearish divergence",
        meaning=f"A {price} high with a {series} high of {oscillator.title}; a close below the low between the two is "
        f"said to {turn}.",
        aims="Target: as far below the low between the two as the second high lies above it. Stop: the second high.",
        source="TradingView's divergence (peaks five bars to each side, the high of the same bars, up to 60 bars "
        f"apart). {oscillator.source} Ours too: the least moves, the line not crossed, the close that confirms.",
        parameters=p,
        # Two peaks lie six bars apart at least, five bars before the first and five after the second; or the unit is
        # known at the second.
        warm_up=oscillator.warm_up + max(3 * BARS + 1, oscillator.unit_bars + BARS - 1),
        candidates=lambda view: view.once(pairs),
        rules=_rules(oscillator, kind, p),
        outline=lambda c: _outline(c, kind, p),
        life=Life(breaks="down", margin_atr=p["margin_atr"], hold_bars=int(p["hold_bars"])),
        line_names=("", "confirmation"),
    )


def _parameters(oscillator: Oscillator, kind: Kind) -> Mapping[str, float]:
    first = oscillator.first_level
    return MappingProxyType(
        {
            **oscillator.periods,
            "pivot_bars": BARS,
            "least_bars": 5,
            "most_bars": 60,
            "price_atr": 0.5,
            "oscillator_move": oscillator.move,
            "unit_bars": oscillator.unit_bars,
            "wait_bars": 20,
            "margin_atr": 0.25,
            "hold_bars": 40,
            **({} if kind == "hidden" or first is None else {"first_level": first}),
        }
    )


def _pairs(oscillator: Oscillator, view: View, p: Mapping[str, float]) -> Candidates:
    """Every peak of the oscillator with the one before it; with the unit at the second, and the low between the two."""
    from bist_pipeline.patterns.chart.divergences._kernels import deviations_at, lowest_between

    tape, series = view.tape, view.once(oscillator.series)
    rows, known = find_bar_highs(tape, series, bars=int(p["pivot_bars"]))
    symbol = tape.symbol_index[rows]
    starts = np.flatnonzero(symbol[1:] == symbol[:-1])
    starts = starts[view.is_asked_for(known[starts + 1])]
    places = starts[:, None] + np.arange(2)
    points, at = rows[places], known[places]
    first, second = points.T
    unit = np.ones(len(points))
    if p["unit_bars"]:
        unit = deviations_at(series, second, tape.first_row[second], int(p["unit_bars"]))
    own = {"series": series[points], "unit": unit, "low": lowest_between(tape.low, first, second)}
    return Candidates(view, at[:, 1], points, tape.high[points], at, np.zeros(len(points)), own)


def _fall(c: Candidates) -> FloatArray:
    """How far the oscillator fell from the first peak to the second, in its unit."""
    return (c.own["series"][:, 0] - c.own["series"][:, 1]) / c.own["unit"]


def _over_line(c: Candidates, oscillator: Oscillator) -> FloatArray:
    """How far the oscillator rose above the line from peak to peak, in its unit; below zero where it did not."""
    from bist_pipeline.patterns.structures._kernels import closes_outside

    series, (one, other) = c.view.once(oscillator.series), c.own["series"].T
    slope = (other - one) / c.bars
    over = closes_outside(series, c.tape.usable, c.row(0) + 1, c.row(1) - 1, c.row(0), one, slope)
    return over / c.own["unit"]


def _left(c: Candidates) -> FloatArray:
    """How far a close lay beyond the low between the peaks, or beyond the second high, before all was known."""
    from bist_pipeline.patterns.structures._kernels import closes_outside

    tape, first, last, flat = c.tape, c.row(1) + 1, c.known - 1, np.zeros(len(c))
    below = closes_outside(-tape.close, tape.traded, first, last, first, -c.own["low"], flat)
    above = closes_outside(tape.close, tape.traded, first, last, first, c.price(1), flat)
    return np.maximum(below, above)


def _rules(oscillator: Oscillator, kind: Kind, p: Mapping[str, float]) -> tuple[Rule, ...]:
    price_rise = 1.0 if kind == "regular" else -1.0
    price, series = ("rose", "fell") if kind == "regular" else ("fell", "rose")
    near = Rule(
        "near_each_other",
        "bars",
        "from peak to peak of the oscillator",
        lambda c: c.bars.astype(np.float64),
        least=p["least_bars"],
        most=p["most_bars"],
    )
    moved = Rule(
        "price_moved",
        "ATR",
        f"how far the high {price} from peak to peak",
        lambda c: price_rise * (c.price(1) - c.price(0)) / c.atr,
        least=p["price_atr"],
    )
    disagrees = Rule(
        "oscillator_disagrees",
        oscillator.unit,
        f"how far the oscillator {series} from peak to peak",
        lambda c: price_rise * _fall(c),
        least=p["oscillator_move"],
    )
    high = Rule(
        "first_peak_high",
        oscillator.unit,
        "the oscillator's first peak, over its middle",
        lambda c: c.own["series"][:, 0] / c.own["unit"],
        least=p.get("first_level", -np.inf),
    )
    return (near, moved, disagrees, *((high,) if "first_level" in p else ()), *_undisturbed(oscillator, p))


def _undisturbed(oscillator: Oscillator, p: Mapping[str, float]) -> tuple[Rule, ...]:
    """Bound what happened between the peaks, and after the second."""
    straight = Rule(
        "line_not_crossed",
        oscillator.unit,
        "how far the oscillator rose above the line between its peaks",
        lambda c: _over_line(c, oscillator),
        most=1e-9,
    )
    unbroken = Rule(
        "not_left_yet",
        "ATR",
        "farthest close beyond the confirming low, or the second high, before it was known",
        lambda c: _left(c) / c.atr,
        most=p["margin_atr"],
    )
    return straight, unbroken


def _outline(c: Candidates, kind: Kind, p: Mapping[str, float]) -> Outline:
    bottom = c.own["low"]
    sign = 1.0 if kind == "regular" else -1.0
    return outline(
        c,
        height=c.price(1) - bottom,
        wait_bars=c.known - c.last_row + int(p["wait_bars"]),
        upper=level(c, c.price(1)),
        lower=level(c, bottom),
        stop_down=c.price(1),
        bottom=bottom,
        structure=np.minimum(sign * _fall(c) / (3 * p["oscillator_move"]), 1.0),
    )
