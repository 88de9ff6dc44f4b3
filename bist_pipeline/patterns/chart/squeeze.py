"""Squeeze: Bollinger's bands inside Keltner's.

Belongs here: a run of sessions whose closes scatter little for the bars' ranges. Either side may break it.
"""

from types import MappingProxyType

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.chart._bars import before, by_symbol, ordinary_bars, spans
from bist_pipeline.patterns.pivots.tape import Ints
from bist_pipeline.patterns.structures.contract import Candidates, ChartPattern, Life, Outline, Rule
from bist_pipeline.patterns.structures.outlines import level, outline
from bist_pipeline.patterns.structures.view import View

_P = MappingProxyType(
    {
        "window_bars": 20,
        "bollinger_deviations": 2.0,
        "keltner_ranges": 1.5,
        "trigger_bars": 3,
        "least_bars": 6,
        "height_atr": 1.0,
        "wait_bars": 20,
        "margin_atr": 0.25,
        "hold_bars": 20,
    }
)
_BARS = int(_P["least_bars"])


def _widths(view: View) -> FloatArray:
    """Half the width of Bollinger's bands over that of Keltner's, at every bar: both lie around the same mean."""
    import talib

    tape, window = view.tape, int(_P["window_bars"])

    def one(high: FloatArray, low: FloatArray, close: FloatArray) -> FloatArray:
        scatter = talib.STDDEV(close, timeperiod=window, nbdev=_P["bollinger_deviations"])
        usual = talib.SMA(talib.TRANGE(high, low, close), timeperiod=window) * _P["keltner_ranges"]
        return np.divide(scatter, usual, out=np.full(len(close), np.nan), where=usual > 0)

    return by_symbol(view, one, tape.high, tape.low, tape.close)


def _runs(view: View) -> Ints:
    """For how many sessions the squeeze has been on, at every bar; a symbol's first bars have no bands and are off."""
    rows = np.arange(len(view.tape))
    return rows - np.maximum.accumulate(np.where(view.once(_widths) < 1, -1, rows))


def _candidates(view: View) -> Candidates:
    run = _runs(view)
    full = np.flatnonzero(run == _BARS)
    ended = np.flatnonzero((run[1:] == 0) & (run[:-1] >= _P["trigger_bars"]) & (run[:-1] < _BARS)) + 1
    ended = ended[ended > view.tape.first_row[ended]]
    last = np.concatenate([full, ended - 1])
    return spans(view, last - run[last] + 1, last, np.concatenate([full, ended]))


def _box(c: Candidates) -> tuple[FloatArray, FloatArray]:
    rows = before(c.last_row, _BARS)
    return c.tape.high[rows].max(axis=1), c.tape.low[rows].min(axis=1)


def _outline(c: Candidates) -> Outline:
    top, bottom = _box(c)
    return outline(
        c,
        height=np.maximum(top - bottom, _P["height_atr"] * c.atr),
        wait_bars=int(_P["wait_bars"]),
        upper=level(c, top),
        lower=level(c, bottom),
        top=top,
        bottom=bottom,
        structure=1 - c.view.once(_widths)[c.last_row],
    )


SQUEEZE = ChartPattern(
    name="squeeze",
    version=1,
    direction="neutral",
    mirror="squeeze",
    title="Squeeze",
    meaning="Closes scatter so little for six sessions that Bollinger's bands lie inside Keltner's; a close beyond the "
    "range of those bars is said to begin a move. Looked at: every run of three sessions, at its sixth or its end.",
    aims="Target: the range of the six sessions beyond it, at least 1 ATR. Stop: its other end.",
    source="Bollinger(20, 2) inside Keltner(20, 1.5), both around the mean of 20 closes, Keltner's of mean true "
    "ranges; on logarithms. Ours: six sessions of it, and the range of those as the lines.",
    parameters=_P,
    # True ranges begin one bar after the closes.
    warm_up=int(_P["window_bars"] + _P["least_bars"]) - 1,
    candidates=_candidates,
    rules=(
        Rule(
            "on_long_enough",
            "bars",
            "sessions for which the squeeze was on",
            lambda c: (c.bars + 1).astype(np.float64),
            least=_P["least_bars"],
        ),
        ordinary_bars(_BARS),
    ),
    outline=_outline,
    life=Life(breaks="either", margin_atr=_P["margin_atr"], hold_bars=int(_P["hold_bars"])),
)
