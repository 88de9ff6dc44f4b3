"""Volatility contraction pattern (VCP), within Minervini's trend template.

Belongs here: falls from one level that become shallower, in a share whose averages say that it rises. It has no mirror
image: the template is a statement about leading shares, and nobody trades its negative.
"""

from types import MappingProxyType

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.structures.contract import Candidates, ChartPattern, Life, Outline, Rule
from bist_pipeline.patterns.structures.outlines import level, outline
from bist_pipeline.patterns.structures.swings import PEAK, joined, swings
from bist_pipeline.patterns.structures.view import View

_P = MappingProxyType(
    {
        "first_depth_least_log": -float(np.log(1 - 0.08)),
        "first_depth_most_log": -float(np.log(1 - 0.35)),
        "contraction": 0.75,
        "highs_log": 0.05,
        "window_bars": 120,
        "least_bars": 15,
        "most_bars": 325,
        "most_contractions": 4,
        "least_contractions": 2,
        "template_conditions": 6,
        "short_bars": 50,
        "middle_bars": 150,
        "long_bars": 200,
        "year_bars": 250,
        "over_low": 1.25,
        "under_high": 0.75,
        "rising_bars": 22,
        "wait_bars": 30,
        "volume_ratio": 1.5,
    }
)


def _candidates(view: View) -> Candidates:
    """Every trough with the longest chain of shrinking falls that ends in it; of two where there is none."""
    parts = []
    taken = np.zeros(0, dtype=np.int64)
    for contractions in range(int(_P["most_contractions"]), int(_P["least_contractions"]) - 1, -1):
        one = swings(view, 2 * contractions, PEAK, scales=_scales(view))
        if contractions > _P["least_contractions"]:
            one = one.take(_is_chain(one))
        # A row and its scale are one number, so that a trough is asked for at each scale by itself.
        ends = _end(one)
        parts.append(one.take(~np.isin(ends, taken)))
        taken = np.concatenate([taken, ends])
    return joined(parts, 2 * int(_P["most_contractions"]))


def _scales(view: View) -> tuple[float, ...]:
    """The two smaller scales: contractions end in falls that the largest one does not see."""
    return tuple(one.scale for one in view.pivots[:2])


def _end(c: Candidates) -> np.ndarray:
    return c.last_row * 100 + np.rint(c.scale * 10).astype(np.int64)


def _highs(c: Candidates) -> FloatArray:
    return c.prices[:, ::2]


def _depths(c: Candidates) -> FloatArray:
    return _highs(c) - c.prices[:, 1::2]


def _contraction(c: Candidates) -> FloatArray:
    depths = _depths(c)
    return np.nanmax(depths[:, 1:] / depths[:, :-1], axis=1)


def _highs_apart(c: Candidates) -> FloatArray:
    return _highs(c)[:, 0] - np.nanmin(_highs(c), axis=1)


def _first_over(c: Candidates) -> FloatArray:
    return _highs(c)[:, 0] - np.nanmax(_highs(c)[:, 1:], axis=1)


def _window_high(c: Candidates) -> FloatArray:
    """Highest high of the bars up to the first high, itself included; of those there are where it began later."""
    bars = np.arange(int(_P["window_bars"]))
    rows = np.maximum(c.first_row[:, None] - bars, c.tape.first_row[c.first_row][:, None])
    return c.tape.high[rows].max(axis=1)


def _is_chain(c: Candidates) -> np.ndarray:
    return np.logical_and.reduce([rule.slack(rule.measure(c)) >= 0 for rule in _CHAIN])


def _last_high(c: Candidates) -> FloatArray:
    count = (~np.isnan(_highs(c))).sum(axis=1)
    return np.take_along_axis(_highs(c), count[:, None] - 1, axis=1)[:, 0]


def _last_low(c: Candidates) -> FloatArray:
    return c.tape.low[c.last_row]


def _template(view: View) -> FloatArray:
    """How many of six conditions of the trend template hold at each bar; NaN before they are known."""
    import talib

    tape = view.tape
    answer = np.full(len(tape), np.nan)
    year, back = int(_P["year_bars"]), int(_P["rising_bars"])
    for start, end in zip(tape.offsets[:-1].tolist(), tape.offsets[1:].tolist(), strict=True):
        if end - start < year:
            continue
        price = np.exp(tape.close[start:end])
        short, middle, long = (talib.SMA(price, int(_P[name])) for name in ("short_bars", "middle_bars", "long_bars"))
        lowest = np.exp(talib.MIN(tape.low[start:end], year))
        highest = np.exp(talib.MAX(tape.high[start:end], year))
        before = np.concatenate([np.full(back, np.nan), long[:-back]])
        held = (
            (price > middle) & (price > long),
            middle > long,
            long > before,
            price > short,
            price >= _P["over_low"] * lowest,
            price >= _P["under_high"] * highest,
        )
        answer[start:end] = np.where(np.isnan(lowest), np.nan, np.sum(held, axis=0))
    return answer


_CHAIN = (
    Rule(
        "first_depth",
        "log price",
        "first high over its low (8 % to 35 %)",
        lambda c: _depths(c)[:, 0],
        least=_P["first_depth_least_log"],
        most=_P["first_depth_most_log"],
    ),
    Rule(
        "contracting",
        "ratio",
        "each depth as a share of the one before, the largest",
        _contraction,
        most=_P["contraction"],
    ),
    Rule("first_highest", "log price", "first high over the highest later one", _first_over, least=0.0),
    Rule("highs_level", "log price", "first high over the lowest high (5 %)", _highs_apart, most=_P["highs_log"]),
    Rule(
        "length",
        "bars",
        "from the first high to the last low",
        lambda c: c.bars.astype(np.float64),
        least=_P["least_bars"],
        most=_P["most_bars"],
    ),
)

RULES = (
    *_CHAIN,
    Rule(
        "highest_of_window",
        "log price",
        "highest high of the 120 bars up to the first high over it (5 %)",
        lambda c: _window_high(c) - _highs(c)[:, 0],
        most=_P["highs_log"],
    ),
    Rule(
        "trend_template",
        "conditions",
        "of the six of the trend template that need no other share",
        lambda c: c.view.once(_template)[c.known],
        least=_P["template_conditions"],
    ),
)


def _outline(c: Candidates) -> Outline:
    contractions = (~np.isnan(_highs(c))).sum(axis=1)
    return outline(
        c,
        height=_depths(c)[:, 0],
        wait_bars=int(_P["wait_bars"]),
        upper=level(c, _last_high(c)),
        lower=level(c, _last_low(c)),
        ideal_touches=2 * int(_P["most_contractions"]),
        fit=1 - _highs_apart(c) / _P["highs_log"],
        structure=contractions / _P["most_contractions"],
    )


VOLATILITY_CONTRACTION = ChartPattern(
    name="volatility_contraction",
    version=1,
    direction="bullish",
    mirror="",
    title="Volatility contraction",
    meaning="In a share that leads, two to four falls from one level, each shallower than the one before; a close "
    "above the last high on high volume is said to start the next rise.",
    aims="Target: as far above the last high as the first fall was deep. Stop: the last low.",
    source="Minervini as coded by tradermonty (depths, ratio of 0.75, highs within 5 % of each other and of the "
    "highest of 120 bars, trend template); ours: swings from the zigzag, all six template conditions that need no "
    "other share (relative strength is left out), volume of 1.5 times the mean of the 50 sessions before. No mirror "
    "image: the template describes leading shares.",
    parameters=_P,
    warm_up=249,
    candidates=_candidates,
    rules=RULES,
    outline=_outline,
    life=Life(breaks="up", margin_atr=0.0, volume_ratio=_P["volume_ratio"]),
    line_names=("pivot", ""),
)
