"""How many symbol-sessions have which coverage status."""

from collections.abc import Collection, Mapping

import numpy as np

from bist_pipeline.plots import _canvas as canvas


def coverage_bar(counts: Mapping[str, int], *, title: str = "Coverage", attention: Collection[str] = ()) -> bytes:
    """Draw one bar per status, in the order given, as a PNG of 640 × 320 pixels.

    Args:
        counts: Symbol-sessions per status; their sum is the whole.
        title: What the counts are of.
        attention: Statuses that somebody should look at; drawn in the colour of falls and marked with a triangle.
    """
    total = sum(counts.values())
    if not total:
        return canvas.no_data(title)
    figure = canvas.new_sheet(title, f"{total:,} symbol-sessions")
    axes = canvas.add_panel(figure, (0.225, 0.04, 0.575, 0.83), grid=False)
    rows = np.arange(len(counts))
    noticed = [status in attention and count > 0 for status, count in counts.items()]
    axes.set_xlim(0, total)
    axes.set_ylim(max(len(counts), 5) - 0.4, -0.6)
    axes.set_xticks([])
    axes.set_yticks(rows, [status.replace("_", " ") for status in counts])
    axes.barh(rows, np.full(len(rows), total), height=0.66, color="#F2F2F2")
    # A status with a single symbol must be seen beside one with hundreds: no bar is thinner than two pixels.
    widths = [max(count, total * 0.005) if count else 0 for count in counts.values()]
    axes.barh(rows, widths, height=0.66, color=[canvas.DOWN if bad else canvas.UP for bad in noticed], zorder=2)
    for row, (count, bad) in enumerate(zip(counts.values(), noticed, strict=True)):
        style = {"va": "center", "ha": "right", "fontsize": 8, "fontfamily": canvas.FONT, "clip_on": False}
        colour = canvas.DOWN if bad else canvas.INK if count else "#A0A0A0"
        axes.text(total * 1.17, row, f"{count:,}", color=colour, fontweight="bold" if bad else "normal", **style)
        axes.text(total * 1.31, row, f"{count / total:.1%}", color=canvas.FAINT if count else "#A0A0A0", **style)
        if bad:
            axes.plot(total * 1.02, row, marker="<", markersize=4.5, color=canvas.DOWN, clip_on=False)
    for label, bad in zip(axes.get_yticklabels(), noticed, strict=True):
        label.set_color(canvas.DOWN if bad else canvas.INK)
    return canvas.png_bytes(figure)
