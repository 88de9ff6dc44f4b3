"""Candles, volume and the tag of the last close: what every chart of prices draws alike.

Belongs here: bars as ink. Sessions stand side by side, one a unit of the axis from 0 on, so that weekends and holidays
leave no gaps. A rise is hollow and blue, a fall filled and vermilion. Does not belong here: what a chart points at.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bist_pipeline.plots import _canvas as canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PRICES = ["open_try", "high_try", "low_try", "close_try"]
_BODY = 0.64  # of the room of one session
_TAG_PIXELS = 14  # height of the last close's tag, with half a label


def drawable(bars: pd.DataFrame) -> pd.DataFrame:
    """Leave out the rows without a price, in the order of sessions; a new frame."""
    return bars.dropna(subset=PRICES).sort_values("session_date", kind="stable").reset_index(drop=True)


def forming(shown: pd.DataFrame) -> np.ndarray:
    """Which bars are not final; none where the frame does not say."""
    if "is_final" not in shown.columns:
        return np.zeros(len(shown), dtype=bool)
    return ~shown["is_final"].to_numpy(dtype=bool)


def draw_candles(axes: "Axes", shown: pd.DataFrame, *, line_width: float = 1.0) -> None:
    """Draw a candle a session; many sessions want a thinner line, in points."""
    from matplotlib.collections import LineCollection, PolyCollection

    open_, high, low, close = shown[PRICES].to_numpy(np.float64).T
    bottom, top, at = np.minimum(open_, close), np.maximum(open_, close), np.arange(len(shown))
    edges, faces = _colours(shown)
    wicks = [np.column_stack([np.repeat(at, 2), np.stack(ends, axis=1).ravel()]).reshape(-1, 2, 2)
             for ends in ((low, bottom), (top, high))]  # fmt: skip
    axes.add_collection(LineCollection(list(np.concatenate(wicks)), colors=edges * 2, linewidths=line_width))
    bodies = PolyCollection(_boxes(bottom, top), facecolors=faces, edgecolors=edges, linewidths=line_width)
    axes.add_collection(bodies)


def _boxes(bottom: np.ndarray, top: np.ndarray) -> list[np.ndarray]:
    """Corners of a bar a session, shape (4, 2) each. Drawn all at once, which is much faster than one at a time."""
    at = np.arange(len(bottom), dtype=np.float64)
    left, right = at - _BODY / 2, at + _BODY / 2
    columns, rows = np.stack([left, left, right, right], axis=1), np.stack([bottom, top, top, bottom], axis=1)
    return list(np.stack([columns, rows], axis=2))


def draw_volume(axes: "Axes", shown: pd.DataFrame) -> None:
    """Draw the shares traded as bars in pale colours; sets the axis."""
    from matplotlib.collections import PolyCollection
    from matplotlib.ticker import EngFormatter, MaxNLocator

    rises = (shown["close_try"] >= shown["open_try"]).to_numpy()
    colours = np.where(rises, "#8CBBD9", "#E9A980").tolist()
    shares = shown["volume_shares"].fillna(0.0).to_numpy(np.float64)
    axes.add_collection(PolyCollection(_boxes(np.zeros(len(shares)), shares), facecolors=colours, edgecolors="none"))
    axes.set_ylim(0, max(float(shown["volume_shares"].max()), 1.0) * 1.05)
    axes.yaxis.set_major_locator(MaxNLocator(2, min_n_ticks=2, steps=canvas.TICK_STEPS))
    axes.yaxis.set_major_formatter(EngFormatter(sep=""))


def label_prices(axes: "Axes") -> None:
    """Label the price axis in whole numbers of lira and as few decimals as tell its levels apart, never as powers."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    locator = MaxNLocator(7, steps=canvas.TICK_STEPS)
    ticks = locator.tick_values(*axes.get_ylim())
    decimals = next((n for n in range(8) if np.allclose(np.round(ticks, n), ticks, rtol=0, atol=1e-9)), 8)
    axes.yaxis.set_major_locator(locator)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda price, _: f"{price:,.{decimals}f}"))


def in_lira(price: float) -> str:
    """Write a price; lira alone where hundredths would say nothing."""
    return f"{price:,.0f}" if price >= 10_000 else f"{price:,.2f}"


def tag_close(axes: "Axes", shown: pd.DataFrame) -> None:
    """Write the last close on the price axis, in its bar's colour; call it when the axis has its limits."""
    close, edge = float(shown["close_try"].iloc[-1]), _colours(shown.iloc[-1:])[0][0]
    _hide_labels_behind_tag(axes, close)
    axes.annotate(
        in_lira(close), (1.0, close), xycoords=("axes fraction", "data"), xytext=(3, 0), textcoords="offset points",
        va="center", fontsize=7.5, fontfamily=canvas.FONT, color="white", zorder=5, annotation_clip=False,
        bbox={"boxstyle": "square,pad=0.25", "facecolor": edge[:3], "edgecolor": "none"},
    )  # fmt: skip


def _colours(shown: pd.DataFrame) -> tuple[list[Any], list[Any]]:
    """Edge and face of each bar; without a change of price it is drawn as a rise, like an exchange's own charts do."""
    from matplotlib.colors import to_rgba

    rises = (shown["close_try"] >= shown["open_try"]).to_numpy()
    strengths = np.where(forming(shown), 0.45, 1.0)
    edges = [to_rgba(canvas.UP if rise else canvas.DOWN, alpha) for rise, alpha in zip(rises, strengths, strict=True)]
    faces = [to_rgba("white" if rise else canvas.DOWN, alpha) for rise, alpha in zip(rises, strengths, strict=True)]
    return edges, faces


def _hide_labels_behind_tag(axes: "Axes", close: float) -> None:
    bottom, top = axes.get_ylim()
    ticks = [tick for tick in axes.get_yticks() if bottom <= tick <= top]
    texts = axes.yaxis.get_major_formatter().format_ticks(ticks)
    tag = (top - bottom) * _TAG_PIXELS / axes.get_window_extent().height
    labels = ["" if abs(tick - close) < tag else text for tick, text in zip(ticks, texts, strict=True)]
    axes.set_yticks(ticks, labels)
