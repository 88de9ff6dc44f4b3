"""Numbers over time: rows, coverage, elapsed seconds."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.plots import _canvas as canvas
from bist_pipeline.plots._days import label_days

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = (canvas.UP, canvas.DOWN, "#009E73", "#CC79A7", "#E69F00", "#000000")
_STYLES = ("solid", "dashed", "dashdot", "dotted")
_FEW = 45  # points up to which each gets a dot


def series_chart(
    days: Sequence[date] | pd.Series | pd.DatetimeIndex,
    series: Mapping[str, npt.ArrayLike],
    *,
    title: str,
    unit: str = "",
) -> bytes:
    """Draw one line per series, with its last value in the legend, as a PNG of 640 × 320 pixels.

    Args:
        days: Where the values stand on the time axis, in any order, shape (n,).
        series: Values by name, shape (n,) each; NaN interrupts a line.
        title: What is shown.
        unit: What one unit is, written above the axis.

    Raises:
        ValueError: A series has not as many values as there are days.
    """
    index = pd.DatetimeIndex(list(days))
    columns = {name: np.asarray(values, dtype=np.float64) for name, values in series.items()}
    for name, values in columns.items():
        if len(values) != len(index):
            raise ValueError(f"series {name!r} has {len(values)} values for {len(index)} days")
    frame = pd.DataFrame(columns, index=index)
    frame = frame.sort_index(kind="stable")
    if not frame.notna().any(axis=None):
        return canvas.no_data(title)
    figure = canvas.new_sheet(title, unit)
    axes = canvas.add_panel(figure, (0.02, 0.09, 0.875, 0.74))
    axes.yaxis.tick_right()
    axes.tick_params(length=0)
    places = _day_numbers(pd.DatetimeIndex(frame.index))
    for number, name in enumerate(frame.columns):
        _draw(axes, places, frame[name].to_numpy(), name, number)
    _scale(axes, places, frame.to_numpy())
    label_days(axes, pd.DatetimeIndex(frame.index), places)
    legend = axes.legend(
        loc="lower left", bbox_to_anchor=(-0.006, 1.01), ncols=4, frameon=False, borderaxespad=0, handlelength=1.8,
        handletextpad=0.5, columnspacing=1.4, labelcolor=canvas.FAINT, prop={"family": canvas.FONT, "size": 7.5},
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)
    return canvas.png_bytes(figure)


def _day_numbers(days: pd.DatetimeIndex) -> np.ndarray:
    return days.to_numpy().astype("datetime64[D]").astype(np.float64)


def _draw(axes: "Axes", places: np.ndarray, values: np.ndarray, name: str, number: int) -> None:
    colour, style = _COLOURS[number % len(_COLOURS)], _STYLES[number % len(_STYLES)]
    known = np.pad(np.isfinite(values), 1)
    alone = known[1:-1] & ~known[:-2] & ~known[2:]  # no line leads to these
    dotted = np.flatnonzero(alone if known.sum() > _FEW else known[1:-1]).tolist()
    label = f"{name}  {_written(values[np.isfinite(values)][-1])}" if np.isfinite(values).any() else name
    axes.plot(places, values, color=colour, linestyle=style, linewidth=1.5, marker=".", markevery=dotted, label=label)


def _written(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 100 or number == round(number) else f"{number:,.2f}"


def _scale(axes: "Axes", places: np.ndarray, values: np.ndarray) -> None:
    """Fit both axes; the value axis starts at zero unless the values would shrink to a flat line far above it."""
    from matplotlib.ticker import EngFormatter, MaxNLocator

    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    bottom = 0.0 if 0 <= low < 0.6 * high or low == high >= 0 else low
    top = high if high > bottom else bottom + 1.0
    room = 0.06 * (top - bottom)
    axes.set_ylim(bottom - (room if bottom else 0.0), top + room)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=canvas.TICK_STEPS))
    if max(abs(low), abs(high)) >= 10_000:
        axes.yaxis.set_major_formatter(EngFormatter(sep=""))
    span = float(places[-1] - places[0]) or 1.0
    axes.set_xlim(float(places[0]) - 0.02 * span, float(places[-1]) + 0.02 * span)
