"""Null rows that a second answer does not have.

Belongs here: which rows are worth asking for again, and taking them from another answer that agrees in all else. Does
not belong here: asking (`chart.py`), or inventing what Yahoo never tells: a row that stays null stays null.
"""

import hashlib
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from bist_pipeline.core.calendar import ORIGIN, SessionCalendar
from bist_pipeline.providers.yahoo._chart_answer import ADJUSTED, VALUES, Chart

Rows = npt.NDArray[np.bool_]


def null_rows(chart: Chart, calendar: SessionCalendar) -> Rows:
    """Tell which rows have no close although a session was held; those of the newest day are not over yet."""
    days = chart.days()
    sessions = calendar.sessions(ORIGIN, calendar.horizon)
    return np.isnan(chart.columns["close"]) & np.isin(days, sessions) & _past(days)


def fill(chart: Chart, other: Chart, rows: Rows) -> Chart | None:
    """Take rows from a second answer.

    Args:
        chart: The first answer.
        other: The second one.
        rows: Of the first answer, to be filled.

    Returns:
        The first answer with those of the rows filled that the second one has; None where the two do not agree: in
        another day, value or split the prices of one may stand on another basis than those of the other.
    """
    past = _past(chart.days())
    ends = other.seconds < chart.seconds[~past].min(initial=np.iinfo(np.int64).max)
    if not np.array_equal(chart.seconds[past], other.seconds[ends]) or _splits(chart) != _splits(other):
        return None
    theirs = {name: other.columns[name][ends] for name in (*VALUES, ADJUSTED)}
    if any(_contradict(chart.columns[name][past], theirs[name]) for name in VALUES):
        return None
    taken = rows[past] & ~np.isnan(theirs["close"])
    if not taken.any():
        return chart
    columns = {name: column.copy() for name, column in chart.columns.items()}
    places = np.flatnonzero(past)[taken]
    for name, column in columns.items():
        empty = np.isnan(column[places])
        column[places[empty]] = theirs[name][taken][empty]
    both = hashlib.sha256(f"{chart.payload_hash}{other.payload_hash}".encode()).hexdigest()
    return replace(chart, columns=columns, payload_hash=both)


def _past(days: npt.NDArray[np.datetime64]) -> Rows:
    return days < days.max() if len(days) else np.zeros(0, dtype=bool)


def _splits(chart: Chart) -> list[tuple[int, float]]:
    return [(event.seconds, event.value) for event in chart.events if event.kind == "split"]


def _contradict(ours: npt.NDArray[np.float64], theirs: npt.NDArray[np.float64]) -> bool:
    return bool((~np.isnan(ours) & ~np.isnan(theirs) & (ours != theirs)).any())
