"""One chart pattern on the candles of its share.

Belongs here: the sheet: which sessions are shown, how both axes are scaled, the words above. Does not belong here:
finding or judging patterns; what is drawn is handed in.

1. Show the sessions from a month before the structure to the newest one, 160 at most; a longer structure is still shown
   whole up to 320, with thinner candles.
2. Candles and volume, then the structure over them, then target and stop in a strip at the right.
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bist_pipeline.plots import _canvas as canvas
from bist_pipeline.plots._candles import draw_candles, draw_volume, drawable, label_prices, tag_close
from bist_pipeline.plots._days import label_days, written
from bist_pipeline.plots._levels import Level, draw_levels, levels_of, strip_pixels
from bist_pipeline.plots._ruler import Ruler
from bist_pipeline.plots._structure import PatternLine, PatternPicture, draw_events, draw_shape

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PatternLine", "PatternPicture", "pattern_chart"]

HEIGHT_PIXELS = 380
SESSIONS_BEFORE, SESSIONS_SHOWN, SESSIONS_OF_THE_LONGEST = 20, 160, 320
_FEWEST_SHOWN = 60  # a pattern of one bar is still seen in what led to it
_SESSIONS_AFTER = 10  # of an old structure whose later sessions do not fit
_PRICE_BOX, _VOLUME_BOX = (0.02, 0.235, 0.885, 0.645), (0.02, 0.072, 0.885, 0.135)
_SECOND_ROW = 0.905  # beside the legend
_FEWEST_SLOTS = 40
_WIDEST_LEVEL = 0.6  # of the candles' height: how far a target may widen the axis before candles turn flat
_THIN_PIXELS = 3.5  # of a session's room: below it a candle's line of one point would fill its body
_STATES = {"target": "target reached", "stopped": "stopped out"}
_BREAKS = {"bullish": "broke upward", "bearish": "broke downward", "neutral": "either way"}


def pattern_chart(bars: pd.DataFrame, structure: PatternPicture, *, title: str) -> bytes:
    """Draw one structure as a PNG of 640 × 380 pixels.

    Args:
        bars: `session_date`, `open_try`, `high_try`, `low_try`, `close_try`, `volume_shares` of one symbol in the
            shares of the last session, in any order, up to the newest session to show; where `is_final` stands beside
            them, a forming bar is drawn pale. Rows without a price are left out.
        structure: What to draw.
        title: Symbol, name, pattern.
    """
    usable = drawable(bars)
    if usable.empty:
        return canvas.no_data(title)
    ruler = _ruler(pd.DatetimeIndex(usable["session_date"]), structure)
    shown = usable.iloc[ruler.first : ruler.first + ruler.count].reset_index(drop=True)
    levels = levels_of(structure.target_try, structure.stop_try)
    figure = canvas.new_sheet(title, _remark(structure), height=HEIGHT_PIXELS)
    price, volume = canvas.add_panel(figure, _PRICE_BOX), canvas.add_panel(figure, _VOLUME_BOX)
    room = _scale_sessions((price, volume), len(shown), strip_pixels(levels))
    draw_candles(price, shown, line_width=1.0 if room > _THIN_PIXELS else 0.6)
    draw_shape(price, structure, ruler)
    _scale_prices(price, shown, levels)
    draw_events(price, structure, ruler, shown)
    draw_levels(price, levels, ruler.place(structure.confirmed_on or structure.formed_on))
    tag_close(price, shown)
    draw_volume(volume, shown)
    _label(price, volume, shown)
    sure = f"confidence {structure.confidence:.2f} · lira" if np.isfinite(structure.confidence) else "lira"
    figure.text(0.986, _SECOND_ROW, sure, ha="right", fontsize=7.5, color=canvas.FAINT, fontfamily=canvas.FONT)
    return canvas.png_bytes(figure)


def _ruler(days: pd.DatetimeIndex, structure: PatternPicture) -> Ruler:
    """Choose the sessions to show."""
    everything = Ruler(days, 0, len(days))
    begin, end = (int(place) for place in everything.places([structure.first_session, structure.last_session]))
    first = max(0, min(begin - SESSIONS_BEFORE, len(days) - _FEWEST_SHOWN))
    last = min(len(days), max(first + SESSIONS_SHOWN, end + _SESSIONS_AFTER))
    # What is longer than the longest loses its beginning: what came of it stands at its end.
    first = max(first, last - SESSIONS_OF_THE_LONGEST)
    return Ruler(days, first, last - first)


def _remark(structure: PatternPicture) -> str:
    way = _BREAKS[structure.way] if structure.direction == "neutral" else structure.direction
    state = _STATES.get(structure.state, structure.state)
    ended = f" {written(structure.ended_on)}" if structure.ended_on else ""
    return f"{way} · {state}{ended}"


def _scale_sessions(panels: tuple["Axes", "Axes"], count: int, strip: float) -> float:
    """Give each session its room, the same in all panels, and the words at the right theirs; return it in pixels."""
    slots = max(count, _FEWEST_SLOTS)
    room = (panels[0].get_window_extent().width - strip) / (slots + 0.6)
    for axes in panels:
        axes.set_xlim(count - slots - 0.8, count - 0.2 + strip / room)
        axes.yaxis.tick_right()
        axes.tick_params(length=0)
    return room


def _scale_prices(axes: "Axes", shown: pd.DataFrame, levels: list[Level]) -> None:
    """Fit the axis to the candles; lines may widen it by a third of their height and levels by more, but not by all."""
    low, high = float(shown["low_try"].min()), float(shown["high_try"].max())
    height = (high - low) or abs(high) * 0.02 or 1.0
    inside = [low, high]
    for line in axes.get_lines():
        at, values = (np.asarray(v, dtype=np.float64) for v in line.get_data())
        seen = values[(at >= 0) & (at < len(shown)) & np.isfinite(values)]
        inside += np.clip(seen, low - height / 3, high + height / 3).tolist()
    far = _WIDEST_LEVEL * height
    inside += [min(max(level.price, low - far), high + far) for level in levels]
    room = 0.07 * (max(inside) - min(inside))
    axes.set_ylim(max(min(inside) - room, 0.0), max(inside) + room)
    label_prices(axes)


def _label(price: "Axes", volume: "Axes", shown: pd.DataFrame) -> None:
    """Dates below, months as faint lines in both panels, the legend above."""
    days = pd.DatetimeIndex(shown["session_date"])
    label_days(volume, days, np.arange(len(days), dtype=np.float64))
    price.set_xticks(volume.get_xticks(), ["" for _ in volume.get_xticks()])
    price.grid(visible=True, axis="x", color=canvas.GRID, linewidth=0.7)
    legend = price.legend(
        loc="lower left", bbox_to_anchor=(-0.006, 1.01), ncols=6, frameon=False, borderaxespad=0, handlelength=1.3,
        handletextpad=0.5, columnspacing=1.4, labelcolor=canvas.FAINT, prop={"family": canvas.FONT, "size": 7.5},
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)
