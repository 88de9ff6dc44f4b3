"""The points and lines of structures as JSON: what a person draws, and what a consumer checks.

Belongs here: spelling them out. A structure's points are the same in every row of its life, but for an ex-date in
between, so each is spelled out once for each basis.
"""

from collections.abc import Callable
from math import isnan

import numpy as np
import pandas as pd

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.pivots.tape import Ints
from bist_pipeline.patterns.structures.contract import Candidates
from bist_pipeline.patterns.structures.engine import Detected

_Texts = pd.api.extensions.ExtensionArray
_DECIMALS = 6


def pivots_json(one: Detected, found: Candidates, places: Ints, basis: FloatArray) -> _Texts:
    """Spell out the points of each row's structure.

    Args:
        one: Whose.
        found: The structures that have rows.
        places: Position in `found` of each row's structure.
        basis: Of each row's session.

    Returns:
        Per row, a JSON list of `{"session", "price_try", "known"}` in the order of time.
    """

    def spell(which: Ints, money: FloatArray) -> list[str]:
        rows, known = found.rows[which], found.known_rows[which]
        prices = np.round(np.exp(found.prices[which] * _sign(one)) * _units(one, found, which)[:, None] * money, 6)
        days, later = _days(one, rows), _days(one, known)
        return [
            "["
            + ",".join(
                f'{{"session":"{day}","price_try":{price!r},"known":"{at}"}}'
                for day, price, at, row in zip(*points, strict=True)
                if row >= 0
            )
            + "]"
            for points in zip(days, prices.tolist(), later, rows.tolist(), strict=True)
        ]

    return _once_each(places, basis, spell)


def lines_json(one: Detected, shown: Ints, places: Ints, basis: FloatArray) -> _Texts:
    """Spell out the lines of each row's structure, from its first point to the bar at which it was known.

    Returns:
        Per row, a JSON list of `{"name", "from", "from_try", "to", "to_try"}`, lines that are not there left out. A
        line is straight in the logarithm of the price.
    """
    found, outline = one.found.take(shown), one.outline
    names = one.pattern.line_names or (("lower", "upper") if one.pattern.flipped else ("upper", "lower"))

    def spell(which: Ints, money: FloatArray) -> list[str]:
        own = shown[which]
        start, end = outline.drawn_from[own], found.known[which]
        per_day = _units(one, found, which) * money[:, 0]
        sides = [
            (outline.upper_row[own], outline.upper[own], outline.upper_slope[own]),
            (outline.lower_row[own], outline.lower[own], outline.lower_slope[own]),
        ]
        told = [
            [_value(one, side, row, per_day) for row in (start, end)] for side in sides
        ]  # per line: prices at both ends
        from_days, to_days = _days(one, start), _days(one, end)
        pieces = [
            [
                f'{{"name":"{name}","from":"{a}","from_try":{x!r},"to":"{b}","to_try":{y!r}}}'
                if name and not isnan(x)
                else ""
                for a, x, b, y in zip(from_days, ends[0], to_days, ends[1], strict=True)
            ]
            for name, ends in zip(names, told, strict=True)
        ]
        return ["[" + ",".join(filter(None, both)) + "]" for both in zip(*pieces, strict=True)]

    return _once_each(places, basis, spell)


def _value(one: Detected, line: tuple[Ints, FloatArray, FloatArray], row: Ints, money: FloatArray) -> list[float]:
    at, value, slope = line
    logs = np.where(np.isfinite(value), value + slope * (row - at), np.nan)
    return np.round(np.exp(logs * _sign(one)) * money, _DECIMALS).tolist()


def _sign(one: Detected) -> int:
    return -1 if one.pattern.flipped else 1


def _units(one: Detected, found: Candidates, which: Ints) -> FloatArray:
    return found.tape.unit_try[found.known[which]]


def _days(one: Detected, rows: Ints) -> list:
    return one.found.tape.day_text[rows].tolist()


def _once_each(places: Ints, basis: FloatArray, spell: Callable[[Ints, FloatArray], list[str]]) -> _Texts:
    """Spell out each pair of structure and basis once; rows of a structure follow each other."""
    if not len(places):
        return pd.array([], dtype="str")
    new = np.concatenate([[True], (np.diff(places) != 0) | (np.diff(basis) != 0)])
    texts = spell(places[new], basis[new][:, None])
    return pd.array(texts, dtype="str").take(np.cumsum(new) - 1)
