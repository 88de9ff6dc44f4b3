"""Marks on a candlestick chart: a triangle at a candle, a name beside it.

Belongs here: placing them so that names cover neither candles nor each other. Bullish marks stand below the low,
bearish and neutral ones above the high.

1. Marks of one candle and side become one; the sessions that are not shown drop out.
2. From left to right each name is put next to the candles that it spans, then moved outward until it is free.
3. Where the panel is too low for that, its price axis is widened, three times at most; then what still has no room
   keeps its triangle and loses its name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from bist_pipeline.plots import _canvas as canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Direction = Literal["bullish", "bearish", "neutral"]

_COLOURS = {"bullish": canvas.UP, "bearish": canvas.DOWN, "neutral": canvas.NEUTRAL}
_SHAPES = {"bullish": "^", "bearish": "v", "neutral": "o"}
_FONT_POINTS = 7.0
_LETTER_PIXELS, _TEXT_PIXELS = 5.8, 10.0  # mean width of a letter of that size, height of its line
_TRIANGLE_PIXELS, _GAP_PIXELS = 6.0, 11.0  # from the candle to the middle of its triangle, and to the name
_LONGEST = 26
_WIDENINGS, _WIDENING = 3, 0.1


@dataclass(frozen=True, slots=True)
class Mark:
    """Something to point at.

    Attributes:
        session_date: The candle.
        text: A few words.
        direction: What it is said to announce: sets side, shape and colour.
    """

    session_date: date
    text: str
    direction: Direction


@dataclass(frozen=True, slots=True)
class _Name:
    """A name in pixels: its box, and the candle's end that it belongs to."""

    left: float
    right: float
    bottom: float
    text: str
    tip: tuple[float, float]
    direction: Direction

    def covers(self, other: "_Name") -> bool:
        apart = self.right <= other.left or other.right <= self.left
        return not apart and abs(self.bottom - other.bottom) < _TEXT_PIXELS


def draw_marks(axes: "Axes", shown: pd.DataFrame, marks: Sequence[Mark]) -> None:
    """Draw the marks of the sessions shown; widens the price axis by the room that they need."""
    joined = _joined(shown, marks)
    names = _names(axes, shown, joined)
    for _ in range(_WIDENINGS):
        if all(_inside(axes, name) for name in names):
            break
        _widen(axes, names)
        names = _names(axes, shown, joined)
    for name in names:
        _draw(axes, name)


def _joined(shown: pd.DataFrame, marks: Sequence[Mark]) -> list[tuple[int, str, Direction]]:
    """(position, text, direction) per candle and side, from left to right."""
    position = {pd.Timestamp(day): i for i, day in enumerate(shown["session_date"])}
    groups: dict[tuple[int, bool], list[Mark]] = {}
    for mark in marks:
        place = position.get(pd.Timestamp(mark.session_date))
        if place is not None:
            groups.setdefault((place, mark.direction == "bullish"), []).append(mark)
    joined = []
    for (place, _), group in sorted(groups.items()):
        text = ", ".join(dict.fromkeys(mark.text for mark in group))
        kinds = {mark.direction for mark in group} - {"neutral"}
        short = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
        joined.append((place, short, kinds.pop() if kinds else "neutral"))
    return joined


def _names(axes: "Axes", shown: pd.DataFrame, joined: list[tuple[int, str, Direction]]) -> list[_Name]:
    """Place every name at the present scale of the axes, whether or not it ends inside the panel."""
    pixels = axes.transData.transform
    columns = np.arange(len(shown))
    middle = pixels(np.column_stack([columns, shown["close_try"]]))[:, 0]
    low, high = (pixels(np.column_stack([columns, shown[name]]))[:, 1] for name in ("low_try", "high_try"))
    panel = axes.get_window_extent()
    placed: list[_Name] = []
    for place, text, direction in joined:
        half = len(text) * _LETTER_PIXELS / 2
        centre = float(np.clip(middle[place], panel.x0 + half, max(panel.x0 + half, panel.x1 - half)))
        spanned = np.abs(middle - centre) <= half + 3
        spanned[place] = True
        below = direction == "bullish"
        bottom = low[spanned].min() - _GAP_PIXELS - _TEXT_PIXELS if below else high[spanned].max() + _GAP_PIXELS
        tip = (float(middle[place]), float(low[place] if below else high[place]))
        name = _Name(centre - half, centre + half, float(bottom), text, tip, direction)
        while any(name.covers(other) for other in placed):
            step = -1.0 if below else 1.0
            name = _Name(name.left, name.right, name.bottom + step, text, tip, direction)
        placed.append(name)
    return placed


def _inside(axes: "Axes", name: _Name) -> bool:
    panel = axes.get_window_extent()
    return panel.y0 <= name.bottom and name.bottom + _TEXT_PIXELS <= panel.y1


def _widen(axes: "Axes", names: list[_Name]) -> None:
    bottom, top = axes.get_ylim()
    room = _WIDENING * (top - bottom)
    outside = [name.direction == "bullish" for name in names if not _inside(axes, name)]
    axes.set_ylim(bottom - room * any(outside), top + room * (not all(outside)))


def _draw(axes: "Axes", name: _Name) -> None:
    from matplotlib.patheffects import withStroke

    colour, side = _COLOURS[name.direction], -1 if name.direction == "bullish" else 1
    to_data = axes.transData.inverted().transform
    x, tip = name.tip
    axes.plot(
        *to_data((x, tip + side * _TRIANGLE_PIXELS)), marker=_SHAPES[name.direction], markersize=4.5, color=colour,
        markeredgewidth=0, linestyle="none", zorder=4,
    )  # fmt: skip
    if not _inside(axes, name):
        return
    near = name.bottom + (_TEXT_PIXELS if side < 0 else 0)
    leader = to_data([(x, tip + side * (_TRIANGLE_PIXELS + 4)), (x, near)])
    if abs(near - tip) > _GAP_PIXELS + 2:
        axes.plot(leader[:, 0], leader[:, 1], color=colour, linewidth=0.6, zorder=3.5)
    middle, height = to_data(((name.left + name.right) / 2, name.bottom + _TEXT_PIXELS / 2))
    axes.text(
        middle, height, name.text, ha="center", va="center", fontsize=_FONT_POINTS, fontfamily=canvas.FONT,
        color=colour, parse_math=False, zorder=4, path_effects=[withStroke(linewidth=2.2, foreground="white")],
    )  # fmt: skip
