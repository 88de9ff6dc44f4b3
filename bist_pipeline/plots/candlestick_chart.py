"""Candlesticks of one symbol with its volume, marks and lines.

Belongs here: the drawing. Does not belong here: deciding what is marked. Sessions stand side by side, so that weekends
and holidays leave no gaps. A rise is hollow and blue, a fall filled and vermilion.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.plots import _canvas as canvas
from bist_pipeline.plots._candles import draw_candles, draw_volume, drawable, forming, tag_close
from bist_pipeline.plots._days import label_days, written
from bist_pipeline.plots._marks import Mark, draw_marks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Line", "Mark", "candlestick_chart"]

SESSIONS_SHOWN = 60

_PRICE_BOX, _VOLUME_BOX = (0.02, 0.30, 0.885, 0.53), (0.02, 0.085, 0.885, 0.16)
_FEWEST_SLOTS = 30  # a new listing is drawn at the right, not as a few candles as wide as houses


@dataclass(frozen=True, slots=True)
class Line:
    """A line over the candles: an indicator (a value per session) or a trend line (its two ends).

    Attributes:
        name: What the legend says; empty for none.
        session_dates: Its points' sessions, ascending; those that are not among the bars are left out.
        values: Prices in lira, NaN interrupts it.
        style: Solid or dashed.
    """

    name: str
    session_dates: Sequence[date] | pd.Series
    values: npt.ArrayLike
    style: Literal["solid", "dashed"] = "solid"


def candlestick_chart(
    bars: pd.DataFrame,
    *,
    title: str,
    marks: Sequence[Mark] = (),
    lines: Sequence[Line] = (),
    sessions: int = SESSIONS_SHOWN,
) -> bytes:
    """Draw the last sessions of one symbol as a PNG of 640 × 320 pixels.

    Args:
        bars: `session_date`, `open_try`, `high_try`, `low_try`, `close_try`, `volume_shares`, in any order; where
            `is_final` stands beside them, a forming bar is drawn pale and named. Rows without a price are left out.
        title: Symbol and name.
        marks: What to point at; marks of sessions that are not shown are left out.
        lines: What to draw over the candles, in the order of the legend; may begin before the first session shown.
        sessions: How many sessions to show.
    """
    usable = drawable(bars)
    if usable.empty:
        return canvas.no_data(title)
    first = max(0, len(usable) - sessions)
    shown = usable.iloc[first:].reset_index(drop=True)
    figure = canvas.new_sheet(title, _remark(shown))
    price, volume = canvas.add_panel(figure, _PRICE_BOX), canvas.add_panel(figure, _VOLUME_BOX)
    for axes in (price, volume):
        axes.set_xlim(min(0, len(shown) - _FEWEST_SLOTS) - 0.8, len(shown) - 0.2)
        axes.yaxis.tick_right()
        axes.tick_params(length=0)
    days = pd.DatetimeIndex(shown["session_date"])
    draw_candles(price, shown)
    _draw_lines(price, usable, first, lines)
    _limit_prices(price, shown)
    draw_marks(price, shown, marks)
    tag_close(price, shown)
    draw_volume(volume, shown)
    label_days(volume, days, np.arange(len(days), dtype=np.float64))
    price.set_xticks(volume.get_xticks(), ["" for _ in volume.get_xticks()])
    price.grid(visible=True, axis="x", color=canvas.GRID, linewidth=0.7)
    return canvas.png_bytes(figure)


def _remark(shown: pd.DataFrame) -> str:
    last = written(shown["session_date"].iloc[-1])
    count = "1 session" if len(shown) == 1 else f"{len(shown)} sessions"
    return f"{count} to {last} · lira" + (" · last bar forming" if forming(shown)[-1] else "")


def _draw_lines(axes: "Axes", bars: pd.DataFrame, first: int, lines: Sequence[Line]) -> None:
    position = pd.Series(np.arange(len(bars)) - first, index=pd.DatetimeIndex(bars["session_date"]))
    for number, line in enumerate(lines):
        places = position.reindex(pd.DatetimeIndex(list(line.session_dates))).to_numpy(dtype=np.float64)
        known = ~np.isnan(places)
        values = np.asarray(line.values, dtype=np.float64)[known]
        colour = canvas.LINE_COLOURS[number % len(canvas.LINE_COLOURS)]
        label = line.name or "_"
        axes.plot(places[known], values, color=colour, linestyle=line.style, linewidth=1.3, label=label, zorder=1.5)
    if any(line.name for line in lines):
        legend = axes.legend(
            loc="lower left", bbox_to_anchor=(-0.006, 1.01), ncols=5, frameon=False, borderaxespad=0,
            handlelength=1.3, handletextpad=0.5, columnspacing=1.4, labelcolor=canvas.FAINT,
            prop={"family": canvas.FONT, "size": 7.5},
        )  # fmt: skip
        for text in legend.get_texts():
            text.set_parse_math(False)


def _limit_prices(axes: "Axes", shown: pd.DataFrame) -> None:
    """Fit the axis to the candles; lines may widen it by a third of their height, no more, or candles turn flat."""
    low, high = float(shown["low_try"].min()), float(shown["high_try"].max())
    height = (high - low) or abs(high) * 0.02 or 1.0
    inside = [low, high]
    for line in axes.get_lines():
        places, values = (np.asarray(v, dtype=np.float64) for v in line.get_data())
        seen = values[(places >= 0) & np.isfinite(values)]
        inside += np.clip(seen, low - height / 3, high + height / 3).tolist()
    axes.set_ylim(min(inside) - 0.06 * height, max(inside) + 0.06 * height)
