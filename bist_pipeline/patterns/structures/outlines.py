"""Outlines that several patterns share.

Belongs here: filling in `Outline` with what most patterns leave as it is. Does not belong here: a pattern's own lines.
"""

from typing import Any

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.pivots.tape import Ints
from bist_pipeline.patterns.structures.contract import MOST_WAIT_BARS, Candidates, Outline


def line_through(
    row_a: Ints, value_a: FloatArray, row_b: Ints, value_b: FloatArray
) -> tuple[Ints, FloatArray, FloatArray]:
    """The line through two points each: row, value, slope a bar."""
    return row_a, value_a, (value_b - value_a) / np.maximum(row_b - row_a, 1)


def level(found: Candidates, value: FloatArray) -> tuple[Ints, FloatArray, FloatArray]:
    """A line that does not slope."""
    return found.last_row, value, np.zeros(len(found))


def outline(
    found: Candidates,
    *,
    height: FloatArray,
    wait_bars: Ints | int,
    upper: tuple[Ints, FloatArray, FloatArray] | None = None,
    lower: tuple[Ints, FloatArray, FloatArray] | None = None,
    **own: Any,
) -> Outline:
    """Fill in an outline; what is not given takes the usual value.

    Args:
        found: The structures.
        height: See `Outline`.
        wait_bars: Bars after the last point within which a break counts.
        upper: Row, value, slope of the line above; None where there is none.
        lower: The same of the line below.
        **own: Any other field of `Outline`. By default there is no stop of its own, top and bottom are the highest and
            lowest point, a break counts from the first bar on, every point is a touch and the fit is perfect.
    """
    n = len(found)
    nowhere = np.full(n, np.nan)
    up = upper or level(found, np.full(n, np.inf))
    down = lower or level(found, np.full(n, -np.inf))
    has_points = not np.isnan(found.prices).all(axis=1).any() if n else False
    usual: dict[str, Any] = {
        "stop_up": nowhere,
        "stop_down": nowhere,
        "top": np.nanmax(found.prices, axis=1) if has_points else nowhere,
        "bottom": np.nanmin(found.prices, axis=1) if has_points else nowhere,
        "earliest": found.known,
        "latest": np.minimum(found.last_row + wait_bars, found.known + MOST_WAIT_BARS),
        "touches": (found.rows >= 0).sum(axis=1),
        "ideal_touches": found.rows.shape[1],
        "fit": np.ones(n),
        "structure": np.ones(n),
        "drawn_from": found.first_row,
        "span_from": found.first_row,
    }
    return Outline(*up, *down, height=height, **(usual | own))
