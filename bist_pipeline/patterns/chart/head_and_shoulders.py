"""Head and shoulders, top and inverse.

Belongs here: the seven turning points of the pattern and the line through its armpits.
"""

from types import MappingProxyType

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.structures.contract import Candidates, ChartPattern, Life, Outline, Rule, mirrored
from bist_pipeline.patterns.structures.outlines import line_through, outline
from bist_pipeline.patterns.structures.swings import FIRST_TURN, PEAK, swings

_P = MappingProxyType(
    {
        "head_atr": 0.6,
        "level_log": 0.03,
        "level_atr": 1.0,
        "time_ratio": 2.5,
        "height_atr": 3.0,
        "wait_bars_share": 0.5,
    }
)

# Of the seven points: the peak and the trough before the pattern (the trend), then Lo, Mamaysky & Wang's E1 … E5.
_BEFORE, _TROUGH, _LEFT, _ARMPIT_1, _HEAD, _ARMPIT_2, _RIGHT = range(7)


def _apart(one: int, other: int):  # noqa: ANN202
    """How far two points that should be level lie apart, in tolerances: 3 % of the price or one ATR."""

    def measure(c: Candidates) -> FloatArray:
        return np.abs(c.price(one) - c.price(other)) / np.maximum(_P["level_log"], _P["level_atr"] * c.atr)

    return measure


def _neckline_at(c: Candidates, row: np.ndarray) -> FloatArray:
    start, value, slope = line_through(c.row(_ARMPIT_1), c.price(_ARMPIT_1), c.row(_ARMPIT_2), c.price(_ARMPIT_2))
    return value + slope * (row - start)


def _height(c: Candidates) -> FloatArray:
    return c.price(_HEAD) - _neckline_at(c, c.row(_HEAD))


def _middle(c: Candidates, one: int, other: int) -> FloatArray:
    return (c.price(one) + c.price(other)) / 2


RULES = (
    Rule(
        "head_above_shoulders",
        "ATR",
        "head over the higher shoulder",
        lambda c: (c.price(_HEAD) - np.maximum(c.price(_LEFT), c.price(_RIGHT))) / c.atr,
        least=_P["head_atr"],
    ),
    Rule(
        "shoulders_level", "tolerances", "left shoulder against right (3 % or 1 ATR)", _apart(_LEFT, _RIGHT), most=1.0
    ),
    Rule(
        "armpits_level",
        "tolerances",
        "left armpit against right (3 % or 1 ATR)",
        _apart(_ARMPIT_1, _ARMPIT_2),
        most=1.0,
    ),
    Rule(
        "rise_before",
        "ATR",
        "how far the peak and the trough before lie below the left shoulder and the left armpit",
        lambda c: np.minimum(c.price(_LEFT) - c.price(_BEFORE), c.price(_ARMPIT_1) - c.price(_TROUGH)) / c.atr,
        least=1e-9,
    ),
    Rule(
        "symmetric_in_time",
        "ratio",
        "bars from left shoulder to head, as a multiple of those from head to right shoulder",
        lambda c: (c.row(_HEAD) - c.row(_LEFT)) / (c.row(_RIGHT) - c.row(_HEAD)),
        least=1 / _P["time_ratio"],
        most=_P["time_ratio"],
    ),
    Rule(
        "shoulders_above_middle",
        "ATR",
        "lower shoulder over the middle of the other shoulder and its armpit",
        lambda c: (
            np.minimum(c.price(_RIGHT) - _middle(c, _LEFT, _ARMPIT_1), c.price(_LEFT) - _middle(c, _ARMPIT_2, _RIGHT))
            / c.atr
        ),
        least=0.0,
    ),
    Rule(
        "armpits_below_middle",
        "ATR",
        "middle of a shoulder and its armpit over the other armpit",
        lambda c: (
            np.minimum(
                _middle(c, _LEFT, _ARMPIT_1) - c.price(_ARMPIT_2), _middle(c, _ARMPIT_2, _RIGHT) - c.price(_ARMPIT_1)
            )
            / c.atr
        ),
        least=0.0,
    ),
    Rule("tall_enough", "ATR", "head over the neckline", lambda c: _height(c) / c.atr, least=_P["height_atr"]),
)


def _outline(c: Candidates) -> Outline:
    span = c.row(_RIGHT) - c.row(_LEFT)
    evenness = np.minimum(c.row(_HEAD) - c.row(_LEFT), c.row(_RIGHT) - c.row(_HEAD)) * 2 / span
    return outline(
        c,
        height=_height(c),
        wait_bars=np.ceil(span * _P["wait_bars_share"]).astype(np.int64),
        upper=(c.row(_HEAD), c.price(_HEAD), np.zeros(len(c))),
        lower=line_through(c.row(_ARMPIT_1), c.price(_ARMPIT_1), c.row(_ARMPIT_2), c.price(_ARMPIT_2)),
        stop_down=c.price(_RIGHT),
        top=c.price(_HEAD),
        fit=1 - (_apart(_LEFT, _RIGHT)(c) + _apart(_ARMPIT_1, _ARMPIT_2)(c)) / 2,
        structure=evenness,
        drawn_from=c.row(_LEFT),
        span_from=c.row(_LEFT),
    )


HEAD_AND_SHOULDERS = ChartPattern(
    name="head_and_shoulders",
    version=1,
    direction="bearish",
    mirror="inverse_head_and_shoulders",
    title="Head and shoulders",
    meaning="Three peaks, the middle one highest, the outer ones level, after a rise; a close below the line through "
    "the two troughs is said to end the rise.",
    aims="Target: as far below the neckline as the head lies above it. Stop: the right shoulder.",
    source="Lo, Mamaysky & Wang 2000 (order), Osler 1998 (symmetry; a peak and a trough before it that "
    "are lower: the trend that it ends), stock-pattern (a head stands out by 0.6 of "
    "a bar's range; what stands out less is a triple top); ours: tolerances in ATR, height of 3 ATR.",
    parameters=_P,
    warm_up=FIRST_TURN + 7,
    candidates=lambda view: swings(view, 7, PEAK),
    rules=RULES,
    outline=_outline,
    life=Life(breaks="down", margin_atr=0.0),
    line_names=("", "neckline"),
)

INVERSE_HEAD_AND_SHOULDERS = mirrored(
    HEAD_AND_SHOULDERS,
    title="Inverse head and shoulders",
    meaning="Three troughs, the middle one lowest, the outer ones level, after a fall; a close above the line through "
    "the two peaks is said to end the fall.",
)
