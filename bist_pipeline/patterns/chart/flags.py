"""Flags and pennants: a steep pole, then a few bars between two short lines.

Belongs here: the pole, the lines over and under the bars since its top. Does not belong here: the high-tight flag,
whose pole takes two months (`high_tight_flag.py`).
"""

from types import MappingProxyType

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.pivots.tape import Ints
from bist_pipeline.patterns.structures.contract import Candidates, ChartPattern, Life, Outline, Rule, mirrored
from bist_pipeline.patterns.structures.judging import in_order
from bist_pipeline.patterns.structures.outlines import outline
from bist_pipeline.patterns.structures.spans import highest_high, lowest_low
from bist_pipeline.patterns.structures.swings import FIRST_TURN, TROUGH, swings
from bist_pipeline.patterns.structures.view import View

_P = MappingProxyType(
    {
        "pole_atr": 5.0,
        "pole_log": 0.10,
        "pole_bars": 10,
        "nearly": 0.8,
        "pole_advances": 0.7,
        "shortest_bars": 5,
        "longest_bars": 15,
        "retrace": 0.5,
        "flat_atr": 0.1,
        "volume_ratio": 1.0,
        "above_top_atr": 0.25,
    }
)
# The pole's foot and top; the third point is the lowest bar since that may turn a price. The rules ask every bar that
# traded: a day locked at the limit makes no point, but what it gave back is given back.
_FOOT, _TOP = range(2)


def _candidates(view: View) -> Candidates:
    return view.once(_flags)


def _flags(view: View) -> Candidates:
    """Every leg that rises nearly as a pole must, with each bar from the fifth to the fifteenth after its top.

    What has not nearly the height of a pole, or takes much longer, is no candidate: every swing would be eleven.
    """
    from bist_pipeline.patterns.structures._line_kernels import lowest_rows

    legs = swings(view, 2, TROUGH, scales=(1.5, 3.0))
    legs = legs.take((_height(legs) >= _P["nearly"]) & (_P["nearly"] * legs.bars <= _P["pole_bars"]))
    after = np.arange(int(_P["shortest_bars"]), int(_P["longest_bars"]) + 1)
    bar = legs.last_row[:, None] + after
    leg, _ = chosen = np.nonzero((bar >= legs.known[:, None]) & (bar < view.tape.end_row[legs.last_row][:, None]))
    poles, known = legs.take(leg), bar[chosen]
    lowest = lowest_rows(view.tape.low, view.tape.usable, poles.last_row + 1, known)
    poles, known, lowest = poles.take(lowest >= 0), known[lowest >= 0], lowest[lowest >= 0]
    flags = Candidates(
        view,
        known,
        np.column_stack((poles.rows, lowest)),
        np.column_stack((poles.prices, view.tape.low[lowest])),
        np.column_stack((poles.known_rows, known)),
        poles.scale,
    )
    return in_order(flags)


def _height(c: Candidates) -> FloatArray:
    """Height of the pole over the least that is asked."""
    return _pole(c) / np.maximum(_P["pole_atr"] * c.atr, _P["pole_log"])


def _pole(c: Candidates) -> FloatArray:
    return c.price(_TOP) - c.price(_FOOT)


def _rises(view: View) -> Ints:
    """How many bars of the tape up to each closed above the bar before: whole numbers, so no rounding is shared."""
    return np.cumsum(np.diff(view.tape.close, prepend=np.inf) > 0, dtype=np.int64)


def _advances(c: Candidates) -> FloatArray:
    rises = c.view.once(_rises)
    return (rises[c.row(_TOP)] - rises[c.row(_FOOT)]) / (c.row(_TOP) - c.row(_FOOT))


def _over(c: Candidates) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The line over the bars since the top: value at the last one, slope a bar, mean distance of the highs."""
    from bist_pipeline.patterns.structures._line_kernels import lines_over_bars

    return lines_over_bars(c.tape.high, c.row(_TOP) + 1, c.known)


def _under(c: Candidates) -> tuple[FloatArray, FloatArray, FloatArray]:
    from bist_pipeline.patterns.structures._line_kernels import lines_over_bars

    value, slope, distance = lines_over_bars(-c.tape.low, c.row(_TOP) + 1, c.known)
    return -value, -slope, distance


def _closing(c: Candidates) -> FloatArray:
    return (_under(c)[1] - _over(c)[1]) / c.atr


def _volume_ratio(c: Candidates) -> FloatArray:
    from bist_pipeline.patterns.structures._line_kernels import means

    volume = c.tape.volume
    pole = means(volume, c.row(_FOOT) + 1, c.row(_TOP))
    return means(volume, c.row(_TOP) + 1, c.known) / np.where(pole > 0, pole, np.nan)


def _above_top(c: Candidates) -> FloatArray:
    return (highest_high(c, c.row(_TOP) + 1) - c.price(_TOP)) / c.atr


_POLE = (
    Rule(
        "pole_height",
        "tolerances",
        "height of the pole, in what is asked (5 ATR or 10 %)",
        _height,
        least=1.0,
    ),
    Rule(
        "pole_bars",
        "bars",
        "bars from the pole's start to its end",
        lambda c: (c.row(_TOP) - c.row(_FOOT)).astype(np.float64),
        most=_P["pole_bars"],
    ),
    Rule(
        "pole_advances",
        "ratio",
        "share of the pole's bars that closed above the bar before",
        _advances,
        least=_P["pole_advances"],
    ),
    Rule(
        "retrace",
        "ratio",
        "how much of the pole was given back at most since its end",
        lambda c: (c.price(_TOP) - lowest_low(c, c.row(_TOP) + 1)) / _pole(c),
        most=_P["retrace"],
    ),
    Rule("under_the_top", "ATR", "highest high since the pole's end, above it", _above_top, most=_P["above_top_atr"]),
    Rule(
        "top_against_pole",
        "ATR a bar",
        "slope of the line over the bars since the pole's end",
        lambda c: _over(c)[1] / c.atr,
        most=_P["flat_atr"],
    ),
)
_QUIET = Rule(
    "quieter",
    "ratio",
    "mean volume since the pole's end, as a share of that in the pole",
    _volume_ratio,
    most=_P["volume_ratio"],
)


def _bars_until(above: FloatArray, slope: FloatArray) -> Ints:
    """Whole bars for which something that is `above` zero and changes by `slope` a bar stays above it."""
    falls = slope < 0
    bars = np.where(falls, above / np.where(falls, -slope, 1.0), _P["longest_bars"])
    return np.floor(np.clip(bars, -1.0, _P["longest_bars"])).astype(np.int64)


def _outline(c: Candidates) -> Outline:
    (upper, rise, above), (lower, fall, below) = _over(c), _under(c)
    width = np.maximum(upper - lower, 1e-9)
    after_top = c.known - c.row(_TOP)
    # It waits no longer than until the line above has given back what may be given back, or the lines meet.
    half = c.price(_TOP) - _P["retrace"] * _pole(c)
    waits = np.minimum(_bars_until(upper - half, rise), _bars_until(upper - lower, rise - fall))
    latest = np.minimum(c.known + waits, c.row(_TOP) + int(_P["longest_bars"]))
    return outline(
        c,
        height=_pole(c),
        wait_bars=latest - c.last_row,
        upper=(c.known, upper, rise),
        lower=(c.known, lower, fall),
        top=c.price(_TOP),
        ideal_touches=3,
        fit=np.clip(1 - (above + below) / width, 0.0, 1.0),
        drawn_from=c.row(_TOP),
        structure=np.clip(after_top / (c.row(_TOP) - c.row(_FOOT)), 0.0, 1.0),
    )


# The top is the second turning point.
_WARM_UP = FIRST_TURN + 1 + int(_P["shortest_bars"])

_SOURCE = (
    "Bulkowski's Encyclopedia (steep pole of several days, less than three weeks, {shape}); ours: pole of at least "
    "5 ATR and 10 % in at most 10 bars of which 70 % rise, half of it given back at most, volume less than in the "
    "pole, lines by least squares through all bars since the top, moved out to the outermost; flat is 0.1 ATR a bar: "
    "over ten bars 0.02 would be less than a touch's tolerance."
)

BULL_FLAG = ChartPattern(
    name="bull_flag",
    version=1,
    direction="bullish",
    mirror="bear_flag",
    title="Bull flag",
    meaning="A steep rise, then a few bars between parallel lines that fall or lie flat; a close above them is said to "
    "begin as much of a rise again.",
    aims="Target: as far above the line at the break as the pole is long. Stop: the lower line at the break.",
    source=_SOURCE.format(shape="parallel lines"),
    parameters=_P,
    warm_up=_WARM_UP,
    candidates=_candidates,
    rules=(
        *_POLE,
        Rule(
            "bottom_against_pole",
            "ATR a bar",
            "slope of the line under the bars since the pole's end",
            lambda c: _under(c)[1] / c.atr,
            most=_P["flat_atr"],
        ),
        Rule(
            "parallel",
            "ATR a bar",
            "slope of the line under the bars less that over them",
            _closing,
            -_P["flat_atr"],
            _P["flat_atr"],
        ),
        _QUIET,
    ),
    outline=_outline,
    life=Life(breaks="up"),
)

BEAR_FLAG = mirrored(
    BULL_FLAG,
    title="Bear flag",
    meaning="A steep fall, then a few bars between parallel lines that rise or lie flat; a close below them is said to "
    "begin as much of a fall again.",
)

BULL_PENNANT = ChartPattern(
    name="bull_pennant",
    version=1,
    direction="bullish",
    mirror="bear_pennant",
    title="Bull pennant",
    meaning="A steep rise, then a few bars between lines that meet; a close above them is said to begin as much of a "
    "rise again.",
    aims="Target: as far above the line at the break as the pole is long. Stop: the lower line at the break.",
    source=_SOURCE.format(shape="converging lines"),
    parameters=_P,
    warm_up=_WARM_UP,
    candidates=_candidates,
    rules=(
        *_POLE,
        Rule(
            "converging",
            "ATR a bar",
            "slope of the line under the bars since the pole's end less that over them",
            _closing,
            least=_P["flat_atr"],
        ),
        _QUIET,
    ),
    outline=_outline,
    life=Life(breaks="up"),
)

BEAR_PENNANT = mirrored(
    BULL_PENNANT,
    title="Bear pennant",
    meaning="A steep fall, then a few bars between lines that meet; a close below them is said to begin as much of a "
    "fall again.",
)
