"""A chart pattern's structure on the candles: its turning points, its lines, when it was known and what confirmed it.

Belongs here: what a structure is to a picture, and drawing that on a price panel. Does not belong here: target and stop
(`_levels.py`), the sheet around it (`pattern_chart.py`), finding structures.
"""

from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bist_pipeline.plots import _canvas as canvas
from bist_pipeline.plots._days import written
from bist_pipeline.plots._marks import Direction
from bist_pipeline.plots._ruler import Ruler

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Unlike candles, which are blue and vermilion; black is seen first.
PIVOT = "#000000"
LINES = ("#AA3377", "#6A3FB5", "#8C6D00", "#56B4E9")
_GROUND = "#F4F4F4"
_ARROWS = {"bullish": "^", "bearish": "v", "neutral": "o"}
_ARROW_COLOURS = {"bullish": canvas.UP, "bearish": canvas.DOWN, "neutral": canvas.NEUTRAL}
_OTHER_WORDS = 410  # pixels of the legend's row that known, confirmed and confidence need
_ARROW_POINTS = 7.0  # from the candle to the middle of the arrow


@dataclass(frozen=True, slots=True)
class PatternLine:
    """A line of a structure, straight in the logarithm of the price.

    Attributes:
        name: What the legend says; empty for none.
        from_date: Session of its first point.
        from_try: Price there, in lira.
        to_date: Session of its last point; from there on it is drawn dashed, up to the break.
        to_try: Price there, in lira.
    """

    name: str
    from_date: date
    from_try: float
    to_date: date
    to_try: float


@dataclass(frozen=True, slots=True)
class PatternPicture:
    """What is drawn of a structure. All prices are in lira, in the shares of the last session of the bars it goes with.

    Attributes:
        pivots: (session, price) of its points, in time order; at least one.
        lines: Its lines.
        direction: What it announces; neutral where the break decides and has not yet.
        state: Its state in words: forming, confirmed, target, stopped, busted, expired.
        formed_on: Session at whose end all of it was known.
        confirmed_on: Session whose close broke its line; None where none did.
        target_try: Price that is aimed at; None where there is none.
        stop_try: Price at which the idea is wrong; None where there is none.
        confidence: How well formed it is, 0…1; no probability.
        ended_on: Session of its last change of state, where that is an end; None while it lives.
    """

    pivots: tuple[tuple[date, float], ...]
    lines: tuple[PatternLine, ...]
    direction: Direction
    state: str
    formed_on: date
    confirmed_on: date | None
    target_try: float | None
    stop_try: float | None
    confidence: float
    ended_on: date | None = None

    @property
    def first_session(self) -> date:
        """Session of its first point or of the start of its first line, whichever is earlier."""
        return min([day for day, _ in self.pivots] + [line.from_date for line in self.lines], default=self.formed_on)

    @property
    def last_point(self) -> date:
        """Session of its last point."""
        return max([day for day, _ in self.pivots], default=self.formed_on)

    @property
    def last_session(self) -> date:
        """Session of the last thing that happened to it."""
        told = [self.last_point, self.formed_on, self.confirmed_on, self.ended_on]
        return max(day for day in told if day is not None)

    @property
    def way(self) -> Direction:
        """Where it leads: its direction, or that from stop to target where the break has decided."""
        if self.direction != "neutral" or self.target_try is None or self.stop_try is None:
            return self.direction
        return "bullish" if self.target_try > self.stop_try else "bearish"


def draw_shape(axes: "Axes", picture: PatternPicture, ruler: Ruler) -> None:
    """Draw its points and lines, on a ground that shows from where to where it reaches."""
    begin, end = ruler.places([picture.first_session, picture.confirmed_on or picture.last_point])
    axes.axvspan(begin - 0.5, end + 0.5, color=_GROUND, linewidth=0, zorder=0)
    until = _break(picture, ruler)
    lines = sorted(picture.lines, key=lambda line: -line.to_try)
    for number, line in enumerate(lines):
        colour = LINES[number % len(LINES)]
        _draw_line(axes, line, ruler, until, colour=colour, letters=_name_letters(len(lines)))
    turns = ruler.places([day for day, _ in picture.pivots])
    prices = [price for _, price in picture.pivots]
    for start, stop in pairwise(zip(turns.tolist(), prices, strict=True)):
        axes.plot(*_bent(start, stop), color=PIVOT, linewidth=0.8, zorder=3.2)
    axes.plot(turns, prices, color=PIVOT, linestyle="none", marker="o", markersize=3.8, markeredgewidth=0, zorder=3.3)


def draw_events(axes: "Axes", picture: PatternPicture, ruler: Ruler, shown: pd.DataFrame) -> None:
    """Draw when it was known and what confirmed it; call it when the price axis has its limits.

    Args:
        axes: The panel; candles stand at 0, 1, …
        picture: What to draw.
        ruler: Where sessions stand.
        shown: The bars shown.
    """
    axes.axvline(
        ruler.place(picture.formed_on), color=canvas.NEUTRAL, linewidth=1, linestyle=(0, (1, 1.5)),
        label=f"known {written(picture.formed_on)}", zorder=1.2,
    )  # fmt: skip
    if picture.confirmed_on is not None:
        _draw_confirmation(axes, picture, int(ruler.place(picture.confirmed_on)), shown)


def _name_letters(lines: int) -> int:
    """Letters a line's name may have so that the legend stays on the sheet: 5.2 pixels each, 30 for its sample."""
    return int(((canvas.WIDTH_PIXELS - _OTHER_WORDS) / lines - 30) / 5.2)


def _break(picture: PatternPicture, ruler: Ruler) -> float:
    """Place up to which its lines matter: the break, the end without one, or the last session shown."""
    until = picture.confirmed_on or picture.ended_on
    return float(ruler.count - 1) if until is None else ruler.place(until)


def _draw_line(axes: "Axes", line: PatternLine, ruler: Ruler, until: float, *, colour: str, letters: int) -> None:
    """Solid between its points, dashed from there to the break."""
    begin, end = ruler.places([line.from_date, line.to_date]).tolist()
    start, stop = (begin, line.from_try), (end, line.to_try)
    label = (line.name if len(line.name) <= letters else line.name[: letters - 1].rstrip() + "…") or "_"
    axes.plot(*_bent(start, stop), color=colour, linewidth=1.6, label=label, zorder=2.8)
    if until > end:
        beyond = line.to_try * (line.to_try / line.from_try) ** ((until - end) / max(end - begin, 1.0))
        axes.plot(*_bent(stop, (until, beyond)), color=colour, linewidth=1.6, linestyle=(0, (4, 2)), zorder=2.8)


def _bent(start: tuple[float, float], stop: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Places and prices of what is straight in the logarithm of the price, at every session: the axis is of prices."""
    at = np.linspace(start[0], stop[0], max(2, round(abs(stop[0] - start[0])) + 1))
    return at, np.geomspace(start[1], stop[1], len(at))


def _draw_confirmation(axes: "Axes", picture: PatternPicture, place: int, shown: pd.DataFrame) -> None:
    from matplotlib.transforms import ScaledTranslation

    if not 0 <= place < len(shown):
        return
    way = picture.way
    below = way == "bullish"
    tip = float(shown["low_try" if below else "high_try"].iloc[place])
    shift = -_ARROW_POINTS if below else _ARROW_POINTS
    label = f"confirmed {written(shown['session_date'].iloc[place])}"
    moved = axes.transData + ScaledTranslation(0, shift / 72, axes.figure.dpi_scale_trans)
    axes.plot(
        place, tip, marker=_ARROWS[way], markersize=7.5, color=_ARROW_COLOURS[way], markeredgecolor="white",
        markeredgewidth=0.7, linestyle="none", transform=moved, label=label, zorder=4,
    )  # fmt: skip
