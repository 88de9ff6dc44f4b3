"""Sheet, colours and bytes: what every picture of this room shares.

Belongs here: an empty sheet, the look of its panels, and turning it into a small PNG. Does not belong here: any
picture.

Figures are made without pyplot, which keeps every figure ever made and is not safe in threads. Matplotlib is imported
inside functions: it takes a third of a second that most processes of the pipeline never need.
"""

from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from PIL.Image import Image as Pixels

WIDTH_PIXELS, HEIGHT_PIXELS, DOTS_PER_INCH = 640, 320, 100
MOST_BYTES = 30_000
_PALETTES = (256, 128, 32, 12)  # colours; the next where a crowded picture is too large with the one before

# Okabe & Ito (2008): told apart by every kind of colour vision. Rises and falls differ in fill, side or shape as well,
# so that a print in grey still tells them.
UP, DOWN, NEUTRAL = "#0072B2", "#D55E00", "#7A7A7A"
LINE_COLOURS = ("#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
TICK_STEPS = (1, 2, 2.5, 5, 10)
INK, FAINT, GRID = "#222222", "#5F5F5F", "#E4E4E4"

# Shipped with matplotlib, so that pictures are alike on every machine; it has the Turkish letters.
FONT = "DejaVu Sans"


def new_sheet(title: str, remark: str = "", *, height: int = HEIGHT_PIXELS) -> "Figure":
    """Return a sheet with a title at the top left and a remark at the top right; dollar signs are no mathematics."""
    from matplotlib.figure import Figure

    size = (WIDTH_PIXELS / DOTS_PER_INCH, height / DOTS_PER_INCH)
    figure = Figure(figsize=size, dpi=DOTS_PER_INCH, facecolor="white")
    style: dict[str, Any] = {"va": "top", "fontfamily": FONT, "parse_math": False}
    top, lower = 1 - 8.96 / height, 1 - 10.88 / height
    figure.text(0.014, top, _fitting(title, remark), ha="left", fontsize=10, fontweight="bold", color=INK, **style)
    figure.text(0.986, lower, remark, ha="right", fontsize=7.5, color=FAINT, **style)
    return figure


def _fitting(title: str, remark: str) -> str:
    """Cut a title that would run into the remark; 8 and 5.2 pixels are wide letters of their sizes."""
    most = int((WIDTH_PIXELS - 30 - 5.2 * len(remark)) / 8)
    return title if len(title) <= most else title[: most - 1].rstrip() + "…"


def add_panel(figure: "Figure", box: tuple[float, float, float, float], *, grid: bool = True) -> "Axes":
    """Add a panel at (left, bottom, width, height), in parts of the sheet: no frame, faint level lines behind it."""
    axes = figure.add_axes(box)
    axes.set_facecolor("none")
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0, labelsize=7.5, labelcolor=FAINT, pad=3, labelfontfamily=FONT)
    if grid:
        axes.grid(visible=True, axis="y", color=GRID, linewidth=0.7, linestyle="-")
    axes.set_axisbelow(True)
    return axes


def no_data(title: str) -> bytes:
    """Return the picture that says there is nothing to show."""
    figure = new_sheet(title)
    figure.text(0.5, 0.47, "no data", ha="center", va="center", fontsize=16, color=FAINT, fontfamily=FONT)
    return png_bytes(figure)


def png_bytes(figure: "Figure") -> bytes:
    """Render a sheet to at most `MOST_BYTES`: a picture is stored with every materialization.

    A palette does it; 256 colours cannot be told from all of them where colours are flat and edges smoothed. Maximum
    coverage keeps the colour of a small mark, which a median cut blends into its surroundings. The same figure gives
    the same bytes: no time and no library's name is written into them.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    agg = FigureCanvasAgg(figure)
    agg.draw()
    image = Image.fromarray(np.asarray(agg.buffer_rgba())).convert("RGB")
    png = b""
    for colours in _PALETTES:
        png = palette_png(image, colours)
        if len(png) <= MOST_BYTES:
            break
    return png


def palette_png(image: "Pixels", colours: int = _PALETTES[0]) -> bytes:
    """Write an image with a palette: a third of it are its commonest colours as they are, the rest covers the others.

    Without that third the palest grounds take a tint; without the rest small marks lose their colour.
    """
    from PIL import Image

    rgb = np.asarray(image, dtype=np.int32)
    packed = rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2]
    found, place, count = np.unique(packed, return_inverse=True, return_counts=True)
    palette = _unpacked(found)
    if len(found) > colours:
        commonest = found[np.argsort(-count, kind="stable")[: colours // 3]]
        covering = image.quantize(colours - len(commonest), method=Image.Quantize.MAXCOVERAGE).getpalette() or []
        palette = np.vstack([_unpacked(commonest), np.array(covering, dtype=np.int32).reshape(-1, 3)])[:colours]
    nearest = ((_unpacked(found)[:, None] - palette) ** 2).sum(axis=2).argmin(axis=1).astype(np.uint8)
    reduced = Image.fromarray(nearest[place.reshape(packed.shape)])
    reduced.putpalette(palette.astype(np.uint8).tobytes())
    buffer = BytesIO()
    reduced.save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def _unpacked(colours: np.ndarray) -> np.ndarray:
    return np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1)
