"""From a table to the frames of `History`.

Belongs here: bringing roles, dates and numbers together, and the actions that stand in the rows. Does not belong here:
repairing a value: what the file says is what `market/` gets, infinite and negative prices included.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.providers.archive._columns import NUMBER_ROLES, OPTIONAL_ROLES, Roles, assign_roles
from bist_pipeline.providers.archive._daily import refuse_unless_daily
from bist_pipeline.providers.archive._dates import Dates, Stamps, read_dates
from bist_pipeline.providers.archive._header import same_symbol
from bist_pipeline.providers.archive._numbers import RawNumbers, read_numbers
from bist_pipeline.providers.archive._place import MISSING_MARKS, Place, quoted
from bist_pipeline.providers.archive._table import Table
from bist_pipeline.providers.contract import ACTION_COLUMNS, RAW_BAR_COLUMNS

# What sources write where nothing happened: yfinance 0, Tiingo and Alpha Vantage a split of 1.
_NO_ACTION = {"split": (0.0, 1.0), "dividend": (0.0,)}
_BAR_ROLES = ("open", "high", "low", "close", "adj_close", "volume")


@dataclass(frozen=True, slots=True)
class Frames:
    """What a file says.

    Attributes:
        bars: Columns `RAW_BAR_COLUMNS`, in the file's order.
        actions: Columns `ACTION_COLUMNS`, in the file's order.
        notes: What was recognised.
    """

    bars: pd.DataFrame
    actions: pd.DataFrame
    notes: dict[str, Any]


def build_frames(table: Table, place: Place) -> Frames:
    """Understand a table.

    Raises:
        BadPayloadError: A column or a cell is not understood, the rows are not days, or belong to another symbol.
    """
    roles = assign_roles(table.names, place)
    _refuse_other_symbols(table, roles, place)
    dates = _read_stamps(table, roles, place)
    numbers = [
        RawNumbers(role, table.names[at], table.columns[at]) for role, at in roles.index.items() if role in NUMBER_ROLES
    ]
    values, number_notes = read_numbers(numbers, table.rows, place)
    refuse_unless_daily(dates, place)
    notes: dict[str, Any] = {
        "file": place.file,
        **table.notes,
        **_describe_columns(table, roles),
        **dates.notes,
        **number_notes,
        **_describe_rows(dates),
    }
    return Frames(_bars(dates, values, table.rows), _actions(dates, values, table.rows, place), notes)


def _refuse_other_symbols(table: Table, roles: Roles, place: Place) -> None:
    at = roles.index.get("symbol")
    if at is None:
        return
    cells = ["" if cell is None else str(cell).strip() for cell in table.columns[at].to_pylist()]
    wrong = {cell for cell in set(cells) if cell.lower() not in MISSING_MARKS and not same_symbol(cell, place.symbol)}
    if wrong:
        first = next(row for row, cell in enumerate(cells) if cell in wrong)
        raise place.refuse(
            f"{quoted(cells[first])} contradicts the file's name", row=int(table.rows[first]), column=table.names[at]
        )


def _read_stamps(table: Table, roles: Roles, place: Place) -> Dates:
    at = roles.index["date"]
    dates = read_dates(table.columns[at], table.names[at], table.rows, place)
    beside = roles.index.get("time")
    if beside is None or dates.times.any():
        return dates
    # The text of the time is enough to see whether a day has several.
    distinct = pd.factorize(np.array([str(cell) for cell in table.columns[beside].to_pylist()], dtype=object))[0]
    return Dates(dates.stamps + distinct.astype("timedelta64[us]"), dates.notes)


def _describe_columns(table: Table, roles: Roles) -> dict[str, Any]:
    notes: dict[str, Any] = {"columns": {role: table.names[at] for role, at in roles.index.items()}}
    missing = [role for role in OPTIONAL_ROLES if role not in roles.index]
    if missing:
        notes["missing_columns"] = missing
    if any(roles.ignored):
        notes["ignored_columns"] = [name for name in roles.ignored if name]
    return notes


def _describe_rows(dates: Dates) -> dict[str, Any]:
    steps = np.diff(dates.days).astype(np.int64)
    order = "oldest first" if (steps >= 0).all() else "newest first" if (steps <= 0).all() else "unsorted"
    notes: dict[str, Any] = {"rows": len(dates.stamps), "row_order": order}
    repeated = len(dates.days) - len(np.unique(dates.days))
    return notes | ({"repeated_dates": repeated} if repeated else {})


def _bars(dates: Dates, values: Mapping[str, FloatArray], rows: npt.NDArray[np.int64]) -> pd.DataFrame:
    absent = np.full(len(rows), np.nan)
    columns = {f"{role}_raw": values.get(role, absent) for role in _BAR_ROLES}
    return pd.DataFrame({"session_date": dates.days, **columns, "source_row": rows}, columns=list(RAW_BAR_COLUMNS))


def _actions(dates: Dates, values: Mapping[str, FloatArray], rows: npt.NDArray[np.int64], place: Place) -> pd.DataFrame:
    """Return the rows that carry a split or a dividend; a repeated row is one action, a split of 1 is none."""
    parts = [
        _action_rows(role, dates, values[role], rows, place) for role in ("split", "dividend") if role in values
    ] or [_action_frame(dates.days[:0], "split", rows[:0].astype(np.float64))]
    actions = pd.concat(parts).drop_duplicates().sort_values("ex_date", kind="stable")
    return actions.reset_index(drop=True).loc[:, list(ACTION_COLUMNS)]


def _action_rows(
    kind: str, dates: Dates, amounts: FloatArray, rows: npt.NDArray[np.int64], place: Place
) -> pd.DataFrame:
    impossible = (amounts < 0) | np.isinf(amounts)
    if impossible.any():
        first = int(np.argmax(impossible))
        raise place.refuse(f"{float(amounts[first])!r} is no {kind}", row=int(rows[first]))
    held = ~np.isnan(amounts) & ~np.isin(amounts, _NO_ACTION[kind])
    return _action_frame(dates.days[held], kind, amounts[held])


def _action_frame(ex_dates: Stamps, kind: str, amounts: FloatArray) -> pd.DataFrame:
    other = np.full(len(amounts), np.nan)
    ratio, amount = (amounts, other) if kind == "split" else (other, amounts)
    kinds = pd.array([kind] * len(amounts), dtype="str")
    return pd.DataFrame({"ex_date": ex_dates, "kind": kinds, "ratio": ratio, "amount_try": amount})
