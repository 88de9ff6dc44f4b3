"""A picture inside a text, for the metadata that the Dagster UI shows."""

from base64 import b64encode


def png_markdown(png: bytes) -> str:
    """Return Markdown that carries the picture in itself, so that no file has to be served beside it."""
    return f"![](data:image/png;base64,{b64encode(png).decode('ascii')})"
