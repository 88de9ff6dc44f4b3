"""Number columns to float64, exactly as Python's `float` reads the same digits.

Belongs here: missing marks, grouping, suffixes of volumes, refusing what is no number. Does not belong here: which sign
is decimal (`_separators.py`). Steps:
1. Typed columns (Parquet) are converted; text is cast at once where every cell is a plain number or a missing mark.
2. If all is plain and nothing could mean thousands, that is the answer (nearly every file).
3. Otherwise suffixes become exponents, the signs are decided for the file, groups are removed, and the text is cast.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.providers.archive._place import MISSING_MARKS, Place, quoted
from bist_pipeline.providers.archive._separators import OTHER, Column, Sign, decide, shows_sign
from bist_pipeline.providers.archive._strings import (
    any_containing,
    any_matching,
    first_not_matching,
    null_filled,
    replaced,
    trimmed,
    without,
)

_MISSING = pa.array(MISSING_MARKS)
_SUFFIXES = (  # folded suffix of a volume → power of ten; Turkish and English
    ("k|bin", 3),
    ("m|mn|mln|mio|milyon", 6),
    ("b|bn|mr|mlr|milyar", 9),
)
_CURRENCY = r"(?i)^(?:₺|TL|TRY)\s*|\s*(?:₺|TL|TRY)$"
_SHAPE = r"(?i)^[-+]?(?:inf(?:inity)?|(?:\d[\d.,' ]*|[.,]\d+)(?:e[-+]?\d+)?)$"
_LONE_POINT_AND_THREE = r"^[-+]?[1-9]\d{0,2}\.\d{3}$"


@dataclass(frozen=True, slots=True)
class RawNumbers:
    """A number column as the file holds it.

    Attributes:
        role: What it is.
        name: Its header.
        cells: Strings, or any number type from Parquet.
    """

    role: str
    name: str
    cells: pa.Array


def read_numbers(
    columns: Sequence[RawNumbers], rows: npt.NDArray[np.int64], place: Place
) -> tuple[dict[str, FloatArray], dict[str, Any]]:
    """Read all number columns of a file.

    Returns:
        Values by role, NaN where missing, each of shape (rows,), and what was recognised.

    Raises:
        BadPayloadError: A cell is not a number, or it cannot be told which sign is decimal.
    """
    values = {c.role: _typed(c, place) for c in columns if not _is_text(c.cells)}
    texts = [replace(c, cells=c.cells.cast(pa.string())) for c in columns if _is_text(c.cells)]
    if not texts:
        return values, {}
    plain = {c.role: _cast(_null_missing(c.cells)) for c in texts}
    quick = {role: array for role, array in plain.items() if array is not None}
    if len(quick) == len(texts) and not any(_may_group(c) for c in texts):
        return values | quick, {"decimal": ".", "decimal_reason": "all numbers are plain"}
    read, notes = _read_dialect(texts, rows, place)
    return values | read, notes


def _read_dialect(
    texts: Sequence[RawNumbers], rows: npt.NDArray[np.int64], place: Place
) -> tuple[dict[str, FloatArray], dict[str, Any]]:
    columns = [_normalised(c) for c in texts]
    for raw, column in zip(texts, columns, strict=True):
        _refuse_text(raw, first_not_matching(column.cells, _SHAPE), rows, place)
    signs, reason = decide(columns, _parse_leniently, place)
    read: dict[str, FloatArray] = {}
    for raw, column in zip(texts, columns, strict=True):
        _refuse_text(raw, first_not_matching(column.cells, _grammar(signs[column.role])), rows, place)
        read[column.role] = _to_floats(_without_groups(column.cells, signs[column.role]))
    used = sorted(set(signs.values()))
    decimal = str(used[0]) if len(used) == 1 else {c.name: str(signs[c.role]) for c in columns}
    notes = {"decimal": decimal, "decimal_reason": reason}
    return read, notes | ({"volume_suffixes": True} if _has_suffixes(texts) else {})


def _is_text(cells: pa.Array) -> bool:
    return pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type) or pa.types.is_null(cells.type)


def _typed(column: RawNumbers, place: Place) -> FloatArray:
    kind = column.cells.type
    if pa.types.is_decimal(kind):  # through text: arrow's own conversion is not correctly rounded
        return _to_floats(column.cells.cast(pa.string()))
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise place.refuse(f"holds {kind}, not numbers", column=column.name)
    return _to_floats(column.cells.cast(pa.float64(), safe=False))


def _null_missing(cells: pa.Array) -> pa.Array:
    return without(trimmed(cells), _MISSING)


def _cast(cells: pa.Array) -> FloatArray | None:
    try:
        return _to_floats(cells)
    except pa.ArrowInvalid:
        return None


def _to_floats(cells: pa.Array) -> FloatArray:
    floats = null_filled(cells.cast(pa.float64()), np.nan)
    return np.array(floats.to_numpy(zero_copy_only=False), dtype=np.float64)


def _may_group(column: RawNumbers) -> bool:
    """Say whether a point could separate thousands, judged on plain numbers: `1.234` and nothing that rules it out."""
    if not any_containing(column.cells, ".") or shows_sign(column.cells[:1], Sign.POINT):
        return False
    return any_matching(column.cells, _LONE_POINT_AND_THREE) and not shows_sign(column.cells, Sign.POINT)


def _normalised(column: RawNumbers) -> Column:
    cells = _null_missing(column.cells)
    if first_not_matching(cells, _SHAPE) is not None:
        cells = _tidied(cells, column.role)
    return Column(column.role, column.name, cells)


def _tidied(cells: pa.Array, role: str) -> pa.Array:
    """Return the cells with one kind of blank, apostrophe and minus, without currency, and suffixes as exponents."""
    cells = replaced(cells, "[\u00a0\u2007\u2009\u202f]", " ")
    cells = replaced(replaced(cells, "[’`]", "'"), "−", "-")
    cells = replaced(cells, _CURRENCY, "")
    if role == "volume":
        for suffix, power in _SUFFIXES:
            cells = replaced(cells, rf"(?i)(\d[.,]?)\s*(?:{suffix})\.?$", rf"\1e{power}")
    return cells


def _has_suffixes(texts: Sequence[RawNumbers]) -> bool:
    return any(c.role == "volume" and any_matching(c.cells, r"(?i)\d\s*[a-z]+\.?\s*$") for c in texts)


def _refuse_text(column: RawNumbers, at: int | None, rows: npt.NDArray[np.int64], place: Place) -> None:
    if at is not None:
        text = quoted(str(column.cells[at].as_py()))
        raise place.refuse(f"{text} is not a number", row=int(rows[at]), column=column.name)


def _grammar(sign: Sign) -> str:
    """Return what a number looks like under a sign; groups have three digits and one kind of sign between them."""
    grouped = "|".join(rf"\d{{1,3}}(?:{group}\d{{3}})+" for group in (f"[{OTHER[sign]}]", " ", "'"))
    return rf"(?i)^[-+]?(?:inf(?:inity)?|(?:(?:\d+|{grouped})(?:[{sign}]\d*)?|[{sign}]\d+)(?:e[-+]?\d+)?)$"


def _without_groups(cells: pa.Array, sign: Sign) -> pa.Array:
    return replaced(replaced(cells, f"[{OTHER[sign]} ']", ""), f"[{sign}]", ".")


def _parse_leniently(column: Column, sign: Sign) -> FloatArray:
    parsed = _cast(_without_groups(column.cells, sign))
    return np.full(len(column.cells), np.nan) if parsed is None else parsed
