"""The scores of one session: how they are spread, and who stands at the ends.

Belongs here: drawing them. The thresholds are handed in: they belong to the model that made the scores.
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bist_pipeline.plots import _canvas as canvas
from bist_pipeline.plots._days import written

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Deeper means stronger; the side of zero says the same without colour.
_ACTION_COLOURS = {
    "strong_sell": "#B34700",
    "sell": "#EFA66F",
    "hold": "#BDBDBD",
    "buy": "#7FB8DB",
    "strong_buy": "#005A94",
}
_BIN_EDGES = np.linspace(-1.0, 1.0, 41)


def score_histogram(signals: pd.DataFrame, *, buy: float, strong: float) -> bytes:
    """Draw how many signals have which score, with the counts of the actions, as a PNG of 640 × 320 pixels.

    Args:
        signals: `session_date`, `score`, `action`.
        buy: The model's threshold of `buy`; that of `sell` is its negative.
        strong: The model's threshold of `strong_buy`; that of `strong_sell` is its negative.
    """
    from matplotlib.ticker import MaxNLocator

    if signals.empty:
        return canvas.no_data("Scores")
    figure = canvas.new_sheet(f"Scores of {_span(signals)}", f"{len(signals):,} signals · a score is no forecast")
    axes = canvas.add_panel(figure, (0.06, 0.11, 0.905, 0.66))
    by_action = [signals.loc[signals["action"] == action, "score"].to_numpy() for action in _ACTION_COLOURS]
    axes.hist(
        by_action, bins=_BIN_EDGES.tolist(), stacked=True, color=list(_ACTION_COLOURS.values()), rwidth=0.86, zorder=2
    )
    axes.set_xlim(-1, 1)
    limits = [-1.0, -strong, -buy, buy, strong, 1.0]
    axes.set_xticks(
        [-1, -strong, -buy, 0, buy, strong, 1], [_signed(v) for v in (-1, -strong, -buy, 0, buy, strong, 1)]
    )
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True, steps=canvas.TICK_STEPS))
    axes.axhline(0, color=canvas.FAINT, linewidth=0.8, zorder=3)
    for limit in limits[1:-1]:
        axes.axvline(limit, color=canvas.INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=3)
    for action, scores, left, right in zip(_ACTION_COLOURS, by_action, limits[:-1], limits[1:], strict=True):
        _head(axes, (left + right) / 2, action.replace("_", " "), f"{len(scores):,}")
    return canvas.png_bytes(figure)


def top_scores_bar(signals: pd.DataFrame, count: int = 10) -> bytes:
    """Draw the highest positive and the lowest negative scores as a PNG of 640 × 320 pixels.

    Args:
        signals: `symbol`, `session_date`, `score`, `action`, `confidence`, of one session.
        count: How many at each end.
    """
    if signals.empty:
        return canvas.no_data("Highest and lowest scores")
    figure = canvas.new_sheet(f"Highest and lowest scores of {_span(signals)}", "score · confidence")
    ordered = signals.sort_values(["score", "symbol"], ascending=[False, True], kind="stable")
    highest = ordered[ordered["score"] > 0].head(count)
    lowest = ordered[ordered["score"] < 0].sort_values(["score", "symbol"], kind="stable").head(count)
    _ranking(canvas.add_panel(figure, (0.115, 0.05, 0.37, 0.81), grid=False), highest, count, "none above 0")
    _ranking(canvas.add_panel(figure, (0.615, 0.05, 0.37, 0.81), grid=False), lowest, count, "none below 0")
    return canvas.png_bytes(figure)


def _ranking(axes: "Axes", rows: pd.DataFrame, count: int, empty: str) -> None:
    axes.set_xlim(0, 1.45)  # the room beyond 1 is for the numbers
    axes.set_ylim(count - 0.4, -0.6)
    axes.set_xticks([])
    axes.set_yticks(range(len(rows)), [_short(symbol) for symbol in rows["symbol"]], color=canvas.INK)
    axes.barh(range(len(rows)), np.ones(len(rows)), height=0.68, color="#F2F2F2")
    colours = [_ACTION_COLOURS[action] for action in rows["action"]]
    axes.barh(range(len(rows)), rows["score"].abs().to_numpy(), height=0.68, color=colours, zorder=2)
    for i, (score, confidence) in enumerate(zip(rows["score"], rows["confidence"], strict=True)):
        style = {"va": "center", "fontsize": 7.5, "fontfamily": canvas.FONT}
        axes.text(1.03, i, _signed(score), color=canvas.INK, **style)
        axes.text(1.45, i, f"{confidence:.0%}", ha="right", color=canvas.FAINT, **style)
    if rows.empty:
        axes.text(0.5, count / 2 - 0.5, empty, ha="center", color=canvas.FAINT, fontsize=9, fontfamily=canvas.FONT)


def _head(axes: "Axes", x: float, name: str, number: str) -> None:
    frame = axes.get_xaxis_transform()
    style = {"ha": "center", "va": "bottom", "fontfamily": canvas.FONT, "transform": frame}
    axes.text(x, 1.085, number, fontsize=9, fontweight="bold", color=canvas.INK, **style)
    axes.text(x, 1.02, name, fontsize=7.5, color=canvas.FAINT, **style)


def _span(signals: pd.DataFrame) -> str:
    first, last = signals["session_date"].min(), signals["session_date"].max()
    return written(last) if first == last else f"{written(first)} to {written(last)}"


def _signed(number: float) -> str:
    """Return `+0.62` or `−0.62`, with the minus sign of typography, which is as wide as the plus."""
    return f"{number:+.2f}".replace("-", "−") if number else "0"


def _short(symbol: str) -> str:
    return symbol if len(symbol) <= 9 else symbol[:8] + "…"
