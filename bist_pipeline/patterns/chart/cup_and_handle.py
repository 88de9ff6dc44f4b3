"""Cup and handle, and its inverse.

Belongs here: two rims at one level, the round bottom between them, the handle after the right rim. Does not belong
here: the loops over their bars (`_cups.py`).
"""

from types import MappingProxyType

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.pivots.tape import Ints
from bist_pipeline.patterns.pivots.zigzag import Pivots
from bist_pipeline.patterns.structures.contract import Candidates, ChartPattern, Life, Outline, Rule, mirrored
from bist_pipeline.patterns.structures.outlines import level, outline
from bist_pipeline.patterns.structures.swings import FIRST_TURN
from bist_pipeline.patterns.structures.view import View

_P = MappingProxyType(
    {
        "left_scale": 3.0,
        "right_scale": 1.5,
        "least_depth_log": -float(np.log(1 - 0.12)),
        "most_depth_log": -float(np.log(1 - 0.50)),
        "least_bars": 35,
        "most_bars": 325,
        "rims_log": 0.05,
        "rims_atr": 2.0,
        "fit": 0.6,
        "low_third": 0.33,
        "low_closes": 0.4,
        "rise_log": float(np.log(1.3)),
        "rise_bars": 250,
        "handle_share": 0.5,
        "handle_least_bars": 5,
        "handle_most_bars": 25,
        "volume_z": 1.0,
    }
)

_LEFT, _LOW, _RIGHT = range(3)


def _candidates(view: View) -> Candidates:
    """Every right rim with the nearest peak before it that is as high: one cup a right rim at most."""
    from bist_pipeline.patterns.chart._cups import pair_rims

    scales = {one.scale: one for one in view.pivots}
    wide, near = scales[_P["left_scale"]], scales[_P["right_scale"]]
    lefts, lows, rights = _of_kind(wide, 1), _of_kind(near, -1), _of_kind(near, 1)
    tolerance = np.maximum(_P["rims_log"], _P["rims_atr"] * view.tape.atr[rights.row])
    bars = (_P["least_bars"], _P["most_bars"])
    pairs = pair_rims(_arrays(lefts), _arrays(lows), _arrays(rights), tolerance, bars)
    points = tuple(zip((lefts, lows, rights), pairs.T, strict=True))
    known = np.stack([one.known[places] for one, places in points], axis=1)
    return Candidates(
        view,
        known.max(axis=1, initial=-1),
        np.stack([one.row[places] for one, places in points], axis=1),
        np.stack([one.price[places] for one, places in points], axis=1),
        known,
        np.full(len(pairs), near.scale),
    )


def _of_kind(pivots: Pivots, kind: int) -> Pivots:
    chosen = pivots.kind == kind
    return Pivots(
        pivots.scale,
        pivots.row[chosen],
        pivots.known[chosen],
        pivots.kind[chosen],
        pivots.price[chosen],
        pivots.symbol[chosen],
    )


def _arrays(pivots: Pivots) -> tuple[Ints, FloatArray, Ints, Ints]:
    return pivots.row, pivots.price, pivots.symbol, pivots.known


def _depth(c: Candidates) -> FloatArray:
    return c.price(_LEFT) - c.price(_LOW)


def _apart(c: Candidates) -> FloatArray:
    return np.abs(c.price(_LEFT) - c.price(_RIGHT)) / np.maximum(_P["rims_log"], _P["rims_atr"] * c.atr)


def _handle_floor(c: Candidates) -> FloatArray:
    return c.price(_LOW) + _P["handle_share"] * _depth(c)


def _over_rims(c: Candidates) -> FloatArray:
    from bist_pipeline.patterns.chart._cups import highest_between

    high = c.tape.high
    into = highest_between(high, c.row(_LEFT), c.row(_LOW)) - c.price(_LEFT)
    out = highest_between(high, c.row(_LOW), c.row(_RIGHT)) - c.price(_RIGHT)
    return np.maximum(np.maximum(into, out) / c.atr, -1e3)


def _rise(c: Candidates) -> FloatArray:
    from bist_pipeline.patterns.chart._cups import rise_into

    row = c.row(_LEFT)
    return rise_into(c.tape.high, c.tape.low, row, c.tape.first_row[row], int(_P["rise_bars"]))


def _roundness(c: Candidates) -> tuple[FloatArray, FloatArray]:
    from bist_pipeline.patterns.chart._cups import roundness

    low_third = c.price(_LOW) + _P["low_third"] * _depth(c)
    return roundness(c.tape.close, c.tape.traded, c.row(_LEFT), c.row(_RIGHT), low_third)


RULES = (
    Rule("rims_level", "tolerances", "left rim against right (5 % or 2 ATR)", _apart, most=1.0),
    Rule(
        "depth",
        "log price",
        "left rim over the cup's low (12 % to 50 %)",
        _depth,
        least=_P["least_depth_log"],
        most=_P["most_depth_log"],
    ),
    Rule("rims_highest", "ATR", "highest bar on a rim's side of the low over that rim", _over_rims, most=0.0),
    Rule(
        "handle_high",
        "depths",
        "the handle's low when the right rim was known, over the cup's low",
        lambda c: (c.tape.low[c.known] - c.price(_LOW)) / _depth(c),
        least=_P["handle_share"],
    ),
    Rule(
        "rise_before",
        "log price",
        "left rim over the lowest low since the last bar that was higher, of the 250 before it (30 %)",
        _rise,
        least=_P["rise_log"],
    ),
    Rule("round", "R²", "parabola through the closes, opening upward", lambda c: _roundness(c)[0], least=_P["fit"]),
    Rule(
        "not_a_v",
        "share",
        "closes in the lowest third of the cup's depth, of all its closes",
        lambda c: _roundness(c)[1],
        least=_P["low_closes"],
    ),
)


def _outline(c: Candidates) -> Outline:
    rims = np.maximum(c.price(_LEFT), c.price(_RIGHT))
    sides = np.minimum(c.row(_LOW) - c.row(_LEFT), c.row(_RIGHT) - c.row(_LOW))
    return outline(
        c,
        height=_depth(c),
        wait_bars=int(_P["handle_most_bars"]),
        upper=level(c, rims),
        lower=level(c, _handle_floor(c)),
        earliest=c.row(_RIGHT) + _P["handle_least_bars"],
        fit=_roundness(c)[0],
        structure=sides * 2 / c.bars,
    )


CUP_AND_HANDLE = ChartPattern(
    name="cup_and_handle",
    version=1,
    direction="bullish",
    mirror="inverted_cup_and_handle",
    title="Cup and handle",
    meaning="After a rise a round bottom between two peaks at one level, then a shallow pause, the handle; a close "
    "above both rims on high volume is said to resume the rise.",
    aims="Target: as far above the higher rim as the cup's low lies below the left rim. Stop: halfway from there up "
    "to the left rim.",
    source="Bulkowski, O'Neil as digested by legend-ai (depth, length, handle in the upper half, volume); ours: rims "
    "from the zigzag, R² of a parabola, 30 % rise before, volume z of 1, and two fifths of all closes in the lowest "
    "third of the depth: a V has a third of them there, a parabola 58 %. The handle is judged by its low when the "
    "right rim is known, from then on by its closes: one below the middle of the cup ends it, a low does not.",
    parameters=_P,
    # Both rims, and the bar that confirms the right one.
    warm_up=FIRST_TURN + int(_P["least_bars"]) + 1,
    candidates=_candidates,
    rules=RULES,
    outline=_outline,
    life=Life(breaks="up", margin_atr=0.0, volume_z=_P["volume_z"]),
    line_names=("rim", ""),
)

INVERTED_CUP_AND_HANDLE = mirrored(
    CUP_AND_HANDLE,
    title="Inverted cup and handle",
    meaning="After a fall a round top between two troughs at one level, then a weak pause, the handle; a close below "
    "both rims on high volume is said to resume the fall.",
)
