"""Which sign is the decimal sign.

Belongs here: weighing the evidence of all number columns of a file. Does not belong here: parsing. Rules, in order:
1. A column's own evidence: a sign that stands after the other kind, is followed by other than three digits, or stands
   after a zero or four digits and more, is decimal; a sign that repeats groups thousands. Both at once is refused.
2. A column without evidence follows the other columns; where those disagree it is refused.
3. No evidence in the file (`1,234` everywhere): the one reading under which low ≤ open, close ≤ high holds and no close
   is 50 times its neighbour. If both hold: a lone point is decimal, as programs write CSV; a lone comma is refused.
4. Shares are whole: a volume column of which every sign stands before exactly three digits groups thousands, unless
   the file says that this very sign is decimal, which is refused.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pyarrow as pa

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.providers.archive._place import Place, quoted
from bist_pipeline.providers.archive._strings import any_containing, any_matching, first_matching


class Sign(StrEnum):
    """A sign that parts digits."""

    POINT = "."
    COMMA = ","


OTHER = {Sign.POINT: Sign.COMMA, Sign.COMMA: Sign.POINT}

_IMPOSSIBLE_JUMP = 50.0


@dataclass(frozen=True, slots=True)
class Column:
    """A number column while its sign is being decided.

    Attributes:
        role: What it is.
        name: Its header.
        cells: Trimmed strings, null where missing, suffixes already exponents (`35.1e6`).
    """

    role: str
    name: str
    cells: pa.StringArray


def decide(
    columns: Sequence[Column], parse: Callable[[Column, Sign], FloatArray], place: Place
) -> tuple[dict[str, Sign], str]:
    """Return each column's decimal sign, by role, and why.

    Args:
        columns: All number columns that are text.
        parse: Reads a column under a sign, NaN where it cannot.
        place: The file.

    Raises:
        BadPayloadError: The evidence contradicts itself or does not suffice.
    """
    own = {column.role: _own_sign(column, place) for column in columns}
    known = [sign for sign in Sign if sign in own.values()]
    undecided = [column for column in columns if own[column.role] is None and _has_signs(column)]
    if not known:
        return _without_evidence(columns, undecided, parse, place)
    for column in undecided:
        if len(known) > 1:
            raise _ambiguous(column, place, "and the other columns disagree about the decimal sign")
        _refuse_fractional_shares(column, known[0], place)
    reason = "unmistakable numbers in the file" if len(known) == 1 else "unmistakable numbers, column by column"
    return {role: sign or known[0] for role, sign in own.items()}, reason


def _without_evidence(
    columns: Sequence[Column],
    undecided: Sequence[Column],
    parse: Callable[[Column, Sign], FloatArray],
    place: Place,
) -> tuple[dict[str, Sign], str]:
    prices = [column for column in undecided if column.role != "volume"]
    if not undecided:
        comma = any(any_containing(c.cells, ",") and not any_containing(c.cells, ".") for c in columns)
        plain = Sign.COMMA if comma else Sign.POINT
        return dict.fromkeys((column.role for column in columns), plain), "no number has thousands to separate"
    if not prices:
        whole = OTHER[_sign_in(undecided[0], place)]
        return dict.fromkeys((column.role for column in columns), whole), "shares are whole: the sign groups thousands"
    signs = {_sign_in(column, place) for column in prices}
    if len(signs) > 1:
        raise _ambiguous(prices[0], place, "and another column uses the other sign")
    lone = signs.pop()
    faults = {sign: _faults({c.role: parse(c, sign) for c in columns}) for sign in Sign}
    sign, reason = lone, "a lone point is the decimal point"
    if min(faults.values()) == 0 < max(faults.values()):
        sign, reason = min(Sign, key=lambda s: faults[s]), "only so are the prices in order"
    elif lone is Sign.COMMA:
        raise _ambiguous(prices[0], place, "everywhere; write a decimal point")
    for column in undecided:
        if column.role == "volume":
            _refuse_fractional_shares(column, sign, place)
    return dict.fromkeys((column.role for column in columns), sign), reason


def _own_sign(column: Column, place: Place) -> Sign | None:
    found = {sign: first_matching(column.cells, pattern) for sign, pattern in _EVIDENCE.items()}
    evidence = {sign: at for sign, at in found.items() if at is not None}
    if len(evidence) > 1:
        point, comma = (quoted(column.cells[evidence[sign]].as_py()) for sign in Sign)
        raise place.refuse(f"{point} has a decimal point but {comma} a decimal comma", column=column.name)
    return next(iter(evidence), None)


def _pattern(sign: Sign) -> str:
    s, o, group = re.escape(sign), re.escape(OTHER[sign]), "[ ']"
    lone = rf"^[^{s}]*{s}"
    return "|".join(
        (
            rf"{o}\d+{s}",  # 1.234,5
            rf"{o}\d{{3}}{o}",  # 1.234.567
            rf"{lone}(?:\d{{0,2}}|\d{{4,}})(?:[eE].*)?$",  # 12,5
            rf"^[-+]?(?:0|\d{{4,}})?{s}\d*(?:[eE].*)?$",  # 0,125 and 1234,567
            rf"\d{group}\d{{3}}{s}",  # 1 234,567
        )
    )


_EVIDENCE: Mapping[Sign, str] = {sign: _pattern(sign) for sign in Sign}


def shows_sign(cells: pa.Array, sign: Sign) -> bool:
    """Say whether some cell is unmistakable evidence that `sign` is the decimal sign."""
    return any_matching(cells, _EVIDENCE[sign])


def _has_signs(column: Column) -> bool:
    """Say whether a cell has a sign, suffixed volumes aside: nobody groups the thousands of `1.234K`."""
    return any_matching(column.cells, r"[.,]\d+$")


def _sign_in(column: Column, place: Place) -> Sign:
    has = [sign for sign in Sign if any_containing(column.cells, sign)]
    if len(has) > 1:
        raise _ambiguous(column, place, "and the column uses both signs so")
    return has[0]


def _refuse_fractional_shares(column: Column, sign: Sign, place: Place) -> None:
    if column.role == "volume" and any_matching(column.cells, rf"{re.escape(sign)}\d{{3}}$"):
        raise _ambiguous(column, place, f"and {str(sign)!r} is the decimal sign elsewhere, yet shares are whole")


def _ambiguous(column: Column, place: Place, why: str) -> Exception:
    example = next(cell for cell in column.cells.to_pylist() if cell and ("," in cell or "." in cell))
    plain, decimal = re.sub(r"[.,]", "", example), example.replace(",", ".")
    return place.refuse(f"{quoted(example)} may be {plain} or {decimal} {why}", column=column.name)


def _faults(values: Mapping[str, FloatArray]) -> int:
    """Count rows outside low ≤ open, close ≤ high and impossible jumps of the close."""
    close = values["close"]
    low, high = values.get("low", close), values.get("high", close)
    faults = sum(
        int(np.count_nonzero((values[role] < low) | (values[role] > high)))
        for role in ("open", "close")
        if role in values
    )
    finite = close[np.isfinite(close) & (close > 0)]
    jumps = np.abs(np.diff(np.log(finite)))
    return faults + int(np.count_nonzero(jumps > np.log(_IMPOSSIBLE_JUMP)))
