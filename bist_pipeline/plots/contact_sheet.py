"""Several pictures side by side as one.

Belongs here: pasting PNGs. It knows nothing of what they show.
"""

from collections.abc import Sequence
from io import BytesIO

from bist_pipeline.plots import _canvas as canvas

_GAP_PIXELS = 12


def contact_sheet(pictures: Sequence[bytes], columns: int = 2) -> bytes:
    """Put pictures into rows, from left to right, each in a field as large as the largest.

    The sheet is for a page, not for metadata: it is as large as it has to be.

    Args:
        pictures: PNGs.
        columns: Pictures a row, at least one.
    """
    from PIL import Image

    if not pictures:
        return canvas.no_data("Pictures")
    images = [Image.open(BytesIO(png)).convert("RGB") for png in pictures]
    width, height = (max(sizes) for sizes in zip(*(image.size for image in images), strict=True))
    across = min(columns, len(images))
    down = -(-len(images) // columns)
    size = (across * (width + _GAP_PIXELS) - _GAP_PIXELS, down * (height + _GAP_PIXELS) - _GAP_PIXELS)
    sheet = Image.new("RGB", size, "white")
    for number, image in enumerate(images):
        row, column = divmod(number, columns)
        sheet.paste(image, (column * (width + _GAP_PIXELS), row * (height + _GAP_PIXELS)))
    return canvas.palette_png(sheet)
