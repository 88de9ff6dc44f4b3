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
        periods: What the series is computed with, by name.
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
    periods: dict[str, float]
    series: Callable[[View], FloatArray]


def prices(view: View) -> FloatArray:
    """Closes as prices, not logarithms, and upright."""
    return np.exp(-view.tape.close if view.tape.flipped else view.tape.close)


def upright(view: View, values: FloatArray) -> FloatArray:
    """Turn a series that was computed from upright prices the way the view is."""
    return -values if view.tape.flipped else values


def both_sides(oscillator: Oscillator, kind: Kind) -> tuple[ChartPattern, ChartPattern]:
    """The bearish divergence of an oscillator, and the bullish one, its mirror image."""
    bearish = _bearish(oscillator, kind)
    turn = "end the fall" if kind == "regular" else "let the rise go on"
    price, series = ("lower", "higher") if kind == "regular" else ("higher", "lower")
    return bearish, mirrored(
        bearish,
        title=f"{oscillator.title} {kind} bullish divergence",
        meaning=f"A {price} low with a {series} low of {oscillator.title}; a close above the high between the two is "
        f"said to {turn}.",
    )


def _bearish(oscillator: Oscillator, kind: Kind) -> ChartPattern:
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
        source="TradingView's divergence (peaks five bars to each side, the high of the same bars, up to 60 bars "
        f"apart). {oscillator.source} Ours too: the least moves, the line not crossed, the close that confirms.",
        parameters=p,
        warm_up=oscillator.warm_up + max(3 * BARS + 1, oscillator.unit_bars + BARS - 1),
        candidates=lambda view: _candidates(oscillator, view),
        rules=_rules(oscillator, kind, p),
        outline=lambda c: _outline(c, oscillator, kind, p),
        life=Life(breaks="down", margin_atr=p["margin_atr"], hold_bars=int(p["hold_bars"])),
        line_names=("", "confirmation"),
    )


def _parameters(oscillator: Oscillator, kind: Kind) -> Mapping[str, float]:
    first = oscillator.first_level
    asked = {} if kind == "hidden" or first is None else {"first_level": first}
    return MappingProxyType(
        oscillator.periods
        | {
            "pivot_bars": BARS,
            "least_bars": 5,
            "most_bars": 60,
            "price_atr": 0.5,
            "oscillator_move": oscillator.move,
            "unit_bars": oscillator.unit_bars,
            "wait_bars": 20,
            "margin_atr": 0.25,
            "hold_bars": 40,
        }
        | asked
    )


def _candidates(oscillator: Oscillator, view: View) -> Candidates:
    series = view.once(oscillator.series)
    rows, known = find_bar_highs(view.tape, series)
    symbol = view.tape.symbol_index[rows]
    starts = np.flatnonzero(symbol[1:] == symbol[:-1])
    places = starts[:, None] + np.arange(2)
    points = rows[places]
    at = known[places]
    own = {"series": series[points]}
    return Candidates(view, at[:, 1], points, view.tape.high[points], at, np.zeros(len(points)), own)


def _unit(c: Candidates, oscillator: Oscillator) -> FloatArray | float:
    from bist_pipeline.patterns.chart.divergences._kernels import deviations_at

    if not oscillator.unit_bars:
        return 1.0
    rows = c.row(1)
    return deviations_at(c.view.once(oscillator.series), rows, c.tape.first_row[rows], oscillator.unit_bars)


def _fall(c: Candidates, oscillator: Oscillator) -> FloatArray:
    """How far the oscillator fell from the first peak to the second, in its unit."""
    return (c.own["series"][:, 0] - c.own["series"][:, 1]) / _unit(c, oscillator)


def _over_line(c: Candidates, oscillator: Oscillator) -> FloatArray:
    """How far the oscillator rose above the line from peak to peak, in its unit; below zero where it did not."""
    from bist_pipeline.patterns.structures._kernels import closes_outside

    series, (one, other) = c.view.once(oscillator.series), c.own["series"].T
    slope = (other - one) / c.bars
    over = closes_outside(series, c.tape.usable, c.row(0) + 1, c.row(1) - 1, c.row(0), one, slope)
    return over / _unit(c, oscillator)


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
        lambda c: price_rise * _fall(c, oscillator),
        least=p["oscillator_move"],
    )
    straight = Rule(
        "line_not_crossed",
        oscillator.unit,
        "how far the oscillator rose above the line between its peaks",
        lambda c: _over_line(c, oscillator),
        most=1e-9,
    )
    high = Rule(
        "first_peak_high",
        oscillator.unit,
        "the oscillator's first peak, over its middle",
        lambda c: c.own["series"][:, 0] / _unit(c, oscillator),
        least=p.get("first_level", -np.inf),
    )
    return (near, moved, disagrees, *((high,) if "first_level" in p else ()), straight)


def _outline(c: Candidates, oscillator: Oscillator, kind: Kind, p: Mapping[str, float]) -> Outline:
    from bist_pipeline.patterns.chart.divergences._kernels import lowest_between

    bottom = lowest_between(c.tape.low, c.row(0), c.row(1))
    sign = 1.0 if kind == "regular" else -1.0
    return outline(
        c,
        height=c.price(1) - bottom,
        wait_bars=c.known - c.last_row + int(p["wait_bars"]),
        upper=level(c, c.price(1)),
        lower=level(c, bottom),
        stop_down=c.price(1),
        bottom=bottom,
        structure=np.minimum(sign * _fall(c, oscillator) / (3 * p["oscillator_move"]), 1.0),
    )
