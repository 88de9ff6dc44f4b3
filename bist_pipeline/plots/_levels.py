"""Target and stop: dashed levels to the right of the confirmation, each with a word and its price.

Belongs here: placing them so that their words cover neither each other nor candles: they stand in a strip right of the
last candle that is kept free for them.
"""

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from bist_pipeline.plots import _canvas as canvas
from bist_pipeline.plots._candles import in_lira

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TARGET, STOP = "#117733", "#B34700"
_LETTER_PIXELS, _TEXT_PIXELS = 5.6, 11.0


@dataclass(frozen=True, slots=True)
class Level:
    """A price with its word.

    Attributes:
        word: `target` or `stop`.
        price: In lira.
        colour: Of line and word.
    """

    word: str
    price: float
    colour: str

    @property
    def text(self) -> str:
        """The word and the price."""
        return f"{self.word} {in_lira(self.price)}"


def levels_of(target: float | None, stop: float | None) -> list[Level]:
    """What there is of both, the higher one first."""
    asked = (("target", target, TARGET), ("stop", stop, STOP))
    known = [Level(word, price, colour) for word, price, colour in asked if price is not None and isfinite(price)]
    return sorted(known, key=lambda level: -level.price)


def strip_pixels(levels: list[Level]) -> float:
    """Width of the strip that the words need."""
    return max((len(level.text) * _LETTER_PIXELS + 6 for level in levels), default=0.0)


def draw_levels(axes: "Axes", levels: list[Level], begin: float) -> None:
    """Draw them from place `begin` to the panel's right end; call it when both axes have their limits."""
    from matplotlib.patheffects import withStroke

    right = axes.get_xlim()[1]
    to_data = axes.transData.inverted().transform
    for level, bottom in zip(levels, _bottoms(axes, levels), strict=True):
        axes.plot([begin, right], [level.price] * 2, color=level.colour, linewidth=1.1, linestyle=(0, (5, 3)), zorder=3)
        middle = float(to_data((0.0, bottom + _TEXT_PIXELS / 2))[1])
        axes.annotate(
            level.text + _beyond(axes, level), (right, middle), xytext=(-2, 0), textcoords="offset points", ha="right",
            va="center", fontsize=7.5, fontfamily=canvas.FONT, color=level.colour, fontweight="bold", zorder=5,
            path_effects=[withStroke(linewidth=2.2, foreground="white")],
        )  # fmt: skip


def _bottoms(axes: "Axes", levels: list[Level]) -> list[float]:
    """Lower edge of each word in pixels: the higher one above its line, the lower one below, inside the panel."""
    panel = axes.get_window_extent()
    lines = [float(axes.transData.transform((0.0, level.price))[1]) for level in levels]
    wanted = [lines[0] + 2, *(line - _TEXT_PIXELS - 2 for line in lines[1:])] if lines else []
    kept = [float(np.clip(one, panel.y0 + 1, panel.y1 - _TEXT_PIXELS)) for one in wanted]
    if len(kept) > 1 and kept[0] - kept[1] < _TEXT_PIXELS:
        kept[1] = max(kept[0] - _TEXT_PIXELS, panel.y0 + 1)
        kept[0] = max(kept[0], kept[1] + _TEXT_PIXELS)
    return kept


def _beyond(axes: "Axes", level: Level) -> str:
    bottom, top = axes.get_ylim()
    return " ↑" if level.price > top else " ↓" if level.price < bottom else ""
