"""From structures and their changes to the rows of `analytics.chart_patterns`.

Belongs here: what is said of one change of one structure, all changes at once. Does not belong here: finding them, or
when a row could be known in hours and minutes (`pipeline/known_at.py`).

A row speaks in the shares and money of its own session: prices on the tape times the basis of that session. Prices are
rounded to a millionth of a lira: the last bit of a logarithm is not the same on every machine.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.patterns.pivots.tape import Flags, Ints, Tape
from bist_pipeline.patterns.structures.confidence import WEIGHTS, confidence_terms, shape_confidence, volume_profile
from bist_pipeline.patterns.structures.engine import Detected
from bist_pipeline.patterns.structures.life import REASONS, STATES
from bist_pipeline.patterns.structures.points import lines_json, pivots_json

_DECIMALS = 6
_TAPES = ("limit_down", "", "limit_up")
_FORMING, _EXPIRED = STATES.index("forming"), STATES.index("expired")
_CONFIRMED = STATES.index("confirmed")
_STRONG_VOLUME_Z = 2.0


def chart_events(tape: Tape, detected: Sequence[Detected], since: date | None = None) -> pd.DataFrame:
    """State every change of every structure from a session on.

    Args:
        tape: The tape, upright, that was searched.
        detected: What was found in it.
        since: First session of the answer; None for all. It changes no row.

    Returns:
        One row a change, sorted by symbol, session and event: the columns of `analytics.chart_patterns` but `known_at`
        and `updated_at`.
    """
    first = np.datetime64("0000-01-01" if since is None else since, "D")
    parts = [_rows(tape, one, first) for one in detected]
    # One frame of all, not one a pattern: most of a refresh's patterns have nothing to tell.
    told = [part for part in parts if len(part["row"])] or parts[:1]
    rows = {name: _joined([part[name] for part in told]) for name in told[0]}
    order = np.lexsort((np.asarray(rows["event_id"], dtype=str), rows.pop("row")))
    return pd.DataFrame({name: values.take(order) for name, values in rows.items()})


def _joined(parts: list[Any]) -> Any:
    """Arrays of one kind one after the other: NumPy's or pandas'."""
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)
    return type(parts[0])._concat_same_type(parts)


def _rows(tape: Tape, one: Detected, first: np.datetime64) -> dict[str, Any]:
    """The changes of one pattern's structures from a session on, in no settled order."""
    chosen = np.flatnonzero((tape.day[one.changes.row] >= first) & one.answers(one.changes.row))
    shown, places = np.unique(one.changes.structure[chosen], return_inverse=True)
    row, state = one.changes.row[chosen], one.changes.state[chosen]
    way = one.changes.way[chosen] * _sign(one)
    return {
        "row": row,
        **_named(tape, one, shown, places, row),
        "direction": _texts(("bearish", one.pattern.direction, "bullish"), way + 1),
        "state": _texts(STATES, state),
        "because": _texts(REASONS, one.changes.reason[chosen]),
        **_priced(tape, one, chosen, row),
        **_measured(one, shown, places),
        "volume_z": tape.volume_z[row],
        "tape": _texts(_TAPES, tape.locked[row].astype(np.int64) + 1),
        "is_tradeable": _tradeable(state, way, tape.locked[row]),
        "is_strong": _strong(tape, state, way, row),
        "pivots": pivots_json(one, one.found.take(shown), places, tape.basis[row]),
        "lines": lines_json(one, shown, places, tape.basis[row]),
        "version": np.full(len(row), one.pattern.version, dtype=np.int64),
        "is_final": tape.is_final[row],
    }


def _named(tape: Tape, one: Detected, shown: Ints, places: Ints, row: Ints) -> dict[str, Any]:
    """Whose change it is, and when the structure began, turned last and was known."""
    found = one.found.take(shown)
    symbols = np.array(tape.symbols, dtype=object)[tape.symbol_index[row]]
    days = {
        name: rows[places]
        for name, rows in (
            ("started_on", one.outline.span_from[shown]),
            ("last_pivot_on", found.last_row),
            ("formed_on", found.known),
        )
    }
    return {
        "symbol": pd.array(symbols, dtype="str"),
        "session_date": tape.day[row].astype("datetime64[us]"),
        "event_id": _event_ids(tape, symbols, one.pattern.name, days),
        "pattern": pd.array([one.pattern.name], dtype="str").repeat(len(row)),
        **{name: tape.day[rows].astype("datetime64[us]") for name, rows in days.items()},
    }


def _priced(tape: Tape, one: Detected, chosen: Ints, row: Ints) -> dict[str, FloatArray]:
    """Prices in the money of each row's session."""
    money = tape.unit_try[row] * tape.basis[row]
    levels = {
        f"{name}_try": _lira(one, getattr(one.changes, name)[chosen], money) for name in ("line", "target", "stop")
    }
    return {"close_try": np.round(tape.price_close[row] * tape.basis[row], _DECIMALS), **levels}


def _measured(one: Detected, shown: Ints, places: Ints) -> dict[str, np.ndarray]:
    """What is measured of a structure: the same over its life."""
    found, terms = one.found.take(shown), confidence_terms(one, shown)
    volumes = volume_profile(one, shown)
    return {
        "scale": found.scale[places],
        "height_atr": (one.outline.height[shown] / found.atr)[places],
        "touches": one.outline.touches[shown][places].astype(np.int64),
        "shape_confidence": shape_confidence(terms)[places],
        **{f"confidence_{name}": terms[name][places] for name in WEIGHTS},
        **{f"volume_{name}_third": volumes[places, part] for part, name in enumerate(("first", "middle", "last"))},
    }


def _sign(one: Detected) -> int:
    return -1 if one.pattern.flipped else 1


def _lira(one: Detected, logs: FloatArray, money: FloatArray) -> FloatArray:
    """Prices of log prices as the pattern's view sees them, in the money of each row; NaN where there is none."""
    return np.round(np.exp(np.where(np.isfinite(logs), logs, np.nan) * _sign(one)) * money, _DECIMALS)


def _tradeable(state: Ints, way: Ints, locked: npt.NDArray[np.int8]) -> pd.arrays.BooleanArray:
    """Whether what a change asks for could be done at that close: enter at a confirmation, leave at an end.

    One buys to enter upward and to leave downward; nobody sells to a buyer at the upper limit, nor buys at the lower.
    """
    side = np.where(state == _CONFIRMED, way, -way)
    nothing_asked = (state == _FORMING) | (way == 0) | (state == _EXPIRED)
    return pd.arrays.BooleanArray(locked != side, mask=nothing_asked)


def _strong(tape: Tape, state: Ints, way: Ints, row: Ints) -> pd.arrays.BooleanArray:
    """Whether a confirming bar had much volume and closed in the third of its range on the side of the break."""
    volume, high, low, close = (values[row] for values in (tape.volume_z, tape.high, tape.low, tape.close))
    from_end = np.where(way > 0, high - close, close - low)
    strong = (volume >= _STRONG_VOLUME_Z) & (3 * from_end <= high - low)
    return pd.arrays.BooleanArray(strong, mask=(state != _CONFIRMED) | np.isnan(volume))


def _event_ids(
    tape: Tape, symbols: np.ndarray, pattern: str, rows: Mapping[str, Ints]
) -> pd.api.extensions.ExtensionArray:
    started, formed = (tape.day_text[rows[name]].tolist() for name in ("started_on", "formed_on"))
    return pd.array([f"{s}:{pattern}:{a}:{b}" for s, a, b in zip(symbols, started, formed, strict=True)], dtype="str")


def _texts(texts: Sequence[str], positions: Ints | Flags) -> pd.api.extensions.ExtensionArray:
    return pd.array(list(texts), dtype="str").take(positions)
