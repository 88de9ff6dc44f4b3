"""From a file's bytes to its lines.

Belongs here: decompression, encoding, line ends. Does not belong here: what the lines mean.
"""

import codecs
import gzip
import zlib
from dataclasses import dataclass

from bist_pipeline.providers.archive._place import Place

_GZIP = b"\x1f\x8b"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Text:
    """A decoded file.

    Attributes:
        lines: Without line ends; line n of the file is `lines[n - 1]`.
        encoding: How the bytes were read.
    """

    lines: list[str]
    encoding: str


def unpack(payload: bytes, place: Place) -> bytes:
    """Return the bytes, decompressed when they are gzip whatever the name says.

    Raises:
        BadPayloadError: The file is empty or its compression is broken.
    """
    if payload.startswith(_GZIP):
        try:
            payload = gzip.decompress(payload)
        except (OSError, EOFError, zlib.error) as error:
            raise place.refuse(f"is broken gzip: {error}") from error
    if not payload.strip():
        raise place.refuse("is empty")
    return payload


def decode(payload: bytes, place: Place) -> Text:
    """Decode UTF-8, UTF-16 with byte order mark or, when it is neither, the Turkish code page 1254.

    Raises:
        BadPayloadError: The bytes are no text in any of the three.
    """
    text, encoding = _decode(payload, place)
    if "\0" in text:
        raise place.refuse("is not text: it holds zero bytes (expected UTF-8, UTF-16 with byte order mark or cp1254)")
    return Text(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), encoding)


def _decode(payload: bytes, place: Place) -> tuple[str, str]:
    if payload.startswith(codecs.BOM_UTF8):
        candidates = ("utf-8-sig",)
    elif payload.startswith(_UTF16):
        candidates = ("utf-16",)
    else:
        candidates = ("utf-8", "cp1254")
    for encoding in candidates:
        try:
            return payload.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    raise place.refuse(f"is not text in {' or '.join(candidates)}")
