"""Dates on an axis.

Belongs here: which days are labelled and how they are written. English month names, whatever the machine's locale.
"""

from datetime import date
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_STEPS = (1, 2, 3, 6, 12, 24, 60, 120)


def label_days(axes: "Axes", days: pd.DatetimeIndex, positions: npt.NDArray[np.float64], most: int = 8) -> None:
    """Label the first day of each month, or of every second, third, sixth, twelfth … where not all fit.

    Args:
        axes: Its x axis is labelled.
        days: The days drawn, ascending, at least one.
        positions: Where each stands on the axis; consecutive sessions stand side by side on a chart without gaps.
        most: Labels that fit.
    """
    month_of = days.year.to_numpy() * 12 + days.month.to_numpy() - 1
    starts = [i for i in range(1, len(days)) if month_of[i] != month_of[i - 1]]
    chosen = next((c for step in _STEPS if len(c := [i for i in starts if month_of[i] % step == 0]) <= most), [])
    if len(chosen) < 2:
        chosen = sorted({0, len(days) - 1})
        labels = [written(days[i]) for i in chosen]
    else:
        labels = [_month(days[i], with_year=n == 0) for n, i in enumerate(chosen)]
    ticks = [float(positions[i]) for i in chosen]
    axes.set_xticks(ticks, labels)
    left, right = axes.get_xlim()
    for tick, label in zip(ticks, axes.get_xticklabels(), strict=True):
        label.set_horizontalalignment(_alignment((tick - left) / (right - left)))


def _alignment(place: float) -> Literal["left", "center", "right"]:
    """Keep a label at the panel's edge (place 0 or 1) on the sheet."""
    return "left" if place < 0.06 else "right" if place > 0.94 else "center"


def written(day: date) -> str:
    """Return `7 Aug 2026`."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _month(day: date, *, with_year: bool) -> str:
    name = _MONTHS[day.month - 1]
    return f"{name} {day.year}" if with_year or day.month == 1 else name
