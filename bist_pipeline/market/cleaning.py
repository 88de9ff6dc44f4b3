"""Delivered rows in, clean bars and withheld rows out.

Belongs here: the one pass over raw rows that accepts or quarantines each of them and fills what is missing. Does not
belong here: the rules themselves (`rules.py`), the arithmetic of splits (`splits.py`), factors for readers
(`factors.py`), reading or writing tables.

1. Look up each row's day in the schedule (`Schedule`).
2. Find rows delivered more than once (`repetitions.py`).
3. Undo the splits of rows whose provider states them all (`splits.py`).
4. Apply what is to be repaired (`repairs.py`).
5. Try the rules in order; the first that a row breaks withholds it (`rules.py`); then what was judged of the row by its
   neighbours (`judged.py`).
6. Fill what the other rows lack, and flag it (`_accept`).
7. Say why the withheld rows are withheld, in the provider's own values, for those rows alone (`_quarantine`).
"""

from dataclasses import dataclass
from string import Formatter
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.bars import DayArray
from bist_pipeline.market.judged import Judged, nothing_judged
from bist_pipeline.market.repairs import repair
from bist_pipeline.market.repetitions import RAW_VALUES, Repetitions, find_repetitions
from bist_pipeline.market.rules import RULES, BoolArray, Evidence
from bist_pipeline.market.schedule import Schedule, moments
from bist_pipeline.market.splits import TRADED_VALUES, Actions, is_undoable, undo_splits

ACCEPTED_COLUMNS = (
    *("symbol", "session_date", "open_try", "high_try", "low_try", "close_try", "volume_shares"),
    *("adjustment_factor", "total_return_factor", "basis", "is_final"),
    *("grade", "filled", "repaired", "source", "as_of"),
)
QUARANTINED_COLUMNS = (
    *("symbol", "session_date", "occurrence", "rule", "reason", *RAW_VALUES),
    *("basis", "source", "source_row", "payload_hash"),
)

# What cleaning may fill, in the order in which `filled` names it.
FILLABLE = ("open_try", "high_try", "low_try", "volume_shares")
# Every combination of them: `_FILLED[sum of 2**position of each filled one]`.
_FILLED = tuple(
    ",".join(name for bit, name in enumerate(FILLABLE) if code >> bit & 1) for code in range(2 ** len(FILLABLE))
)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What became of the delivered rows. Each of them is in exactly one of the two frames, in the order delivered.

    Attributes:
        accepted: Columns `ACCEPTED_COLUMNS`: at most one bar per symbol and session, with the provider's own bits.
        quarantined: Columns `QUARANTINED_COLUMNS`: withheld rows, with the rule they broke and their raw values.
    """

    accepted: pd.DataFrame
    quarantined: pd.DataFrame


def clean(
    raw: pd.DataFrame,
    schedule: pd.DataFrame,
    actions: Actions | None = None,
    judged: Judged | None = None,
    *,
    undone: tuple[pd.DataFrame, BoolArray] | None = None,
) -> Cleaned:
    """Accept or quarantine every delivered row.

    Args:
        raw: Rows of `market.raw_prices`, symbols mixed, in any order. `as_of` decides what is final and what lies in
            the future, never the wall clock. Optionally `is_doubtful`, what is of grade C whatever its prices are, and
            `repaired`, what was done to a row already: it is of grade B.
        schedule: One row per weekday that covers the days of `raw`: `session_date`, `is_session`, `open_at`,
            `final_at` (UTC, NaT when closed), `note`. A day it does not hold counts as closed.
        actions: Splits to undo; None where none can be.
        judged: What is repaired, withheld or doubted for what neighbours say; None where nothing is.
        undone: The rows as traded and which are off the grid, where that is known already.
    """
    if undone is None:
        splits = is_undoable(raw, actions) if actions else np.zeros(len(raw), dtype=bool)
        traded = _as_traded(raw, splits, actions)
    else:
        traded = _Traded(undone[0], undone[1] | _given_doubts(raw))
    return _clean(raw, Schedule.of(schedule), traded, judged or nothing_judged())


def clean_forming(live: pd.DataFrame, schedule: pd.DataFrame, actions: Actions) -> Cleaned:
    """Accept or quarantine live answers, shaped as rows of `market.raw_prices`, by the same rules; none is final.

    Only history makes a bar final. Prices as traded are put on the grid.
    """
    traded = _as_traded(live, (live["basis"] == "as_traded").to_numpy(dtype=bool), actions)
    cleaned = _clean(live, Schedule.of(schedule), traded, nothing_judged())
    return Cleaned(cleaned.accepted.assign(is_final=np.zeros(len(cleaned.accepted), dtype=bool)), cleaned.quarantined)


@dataclass(frozen=True, slots=True)
class _Traded:
    """Delivered rows as they were traded, as far as that is known, and which of them are doubtful."""

    rows: pd.DataFrame
    doubtful: BoolArray


def _given_doubts(raw: pd.DataFrame) -> BoolArray:
    return np.array(raw["is_doubtful"] if "is_doubtful" in raw else np.zeros(len(raw)), dtype=bool)


def _as_traded(raw: pd.DataFrame, undone: BoolArray, actions: Actions | None) -> _Traded:
    doubtful = _given_doubts(raw)
    if actions is None or not undone.any():
        return _Traded(raw, doubtful)
    rows, off_grid = undo_splits(raw[undone], actions)
    doubtful[undone] |= off_grid
    if undone.all():
        return _Traded(rows, doubtful)
    columns = {name: raw[name].to_numpy(copy=True) for name in (*TRADED_VALUES, "volume_raw")}
    for name, values in columns.items():
        values[undone] = rows[name]
    basis = pd.array(np.where(undone, "as_traded", raw["basis"]), dtype="str")
    return _Traded(raw.assign(**columns, basis=basis), doubtful)


def _clean(raw: pd.DataFrame, calendar: Schedule, traded: _Traded, judged: Judged) -> Cleaned:
    day = raw["session_date"].to_numpy(dtype="datetime64[us]")
    where = calendar.find(day)
    repetitions = find_repetitions(raw)
    rows, repaired = repair(traded.rows, judged.repairs)
    if "repaired" in raw:  # rows of another source that stand in say so themselves
        repaired = np.where(raw["repaired"] == "", repaired, raw["repaired"].to_numpy(dtype=object))
    verdict = _judge(_evidence(rows, day, calendar, where, repetitions))
    by_neighbours = judged.of(raw)
    taken = np.flatnonzero((verdict < 0) & ~by_neighbours.withheld)
    broken, judged_rows = np.flatnonzero(verdict >= 0), np.flatnonzero((verdict < 0) & by_neighbours.withheld)
    doubts = _Doubts(traded.doubtful | by_neighbours.doubted, repaired, by_neighbours.doubts).take(taken)
    quarantined = _quarantine(
        raw.iloc[broken],
        verdict[broken],
        {
            "closure": calendar.why_closed(day[broken], where[broken]),
            "open_at": pd.DatetimeIndex(calendar.open_at[where[broken]]),
            "first_row": raw["source_row"].to_numpy()[repetitions.first[broken]],
        },
    )
    withheld = by_neighbours.quarantined(raw, judged_rows)
    return Cleaned(
        accepted=_accept(rows.iloc[taken], calendar.final_at[where[taken]], doubts),
        quarantined=_in_order(quarantined, withheld[list(QUARANTINED_COLUMNS)], broken, judged_rows),
    )


def _in_order(
    left: pd.DataFrame, right: pd.DataFrame, at: npt.NDArray[np.int64], beside: npt.NDArray[np.int64]
) -> pd.DataFrame:
    """Put two sets of rows into the order in which they were delivered; `at` and `beside` say where they stood."""
    if not len(right):
        return left
    order = np.argsort(np.append(at, beside), kind="stable")
    return pd.concat([left, right], ignore_index=True).iloc[order].reset_index(drop=True)


@dataclass(frozen=True, slots=True)
class _Doubts:
    """What is said of each row beside its values, arrays of shape (n,): whether it is doubtful, and texts."""

    doubtful: BoolArray
    repaired: npt.NDArray[np.object_]
    because: npt.NDArray[np.object_]

    def take(self, rows: npt.NDArray[np.int64]) -> "_Doubts":
        return _Doubts(self.doubtful[rows], self.repaired[rows], self.because[rows])

    def texts(self) -> npt.NDArray[np.object_]:
        """Rule and factor of what was repaired, and the names of what doubts it."""
        both = (self.repaired != "") & (self.because != "")
        return self.repaired + np.where(both, "; ", "") + self.because


def _evidence(
    raw: pd.DataFrame, day: DayArray, calendar: Schedule, where: npt.NDArray[np.intp], repetitions: Repetitions
) -> Evidence:
    return Evidence(
        day,
        moments(raw["as_of"]),
        *(raw[name].to_numpy(dtype=np.float64) for name in RAW_VALUES),
        is_session=calendar.is_session[where],
        open_at=calendar.open_at[where],
        repeats=repetitions.repeats,
        disputed=repetitions.disputed,
    )


def _judge(evidence: Evidence) -> npt.NDArray[np.int8]:
    """Return per row the position of the first rule it breaks, -1 for none."""
    verdict = np.full(len(evidence.day), -1, dtype=np.int8)
    for position in reversed(range(len(RULES))):  # the first rule is written last, so it wins
        verdict[RULES[position].broken_by(evidence)] = position
    return verdict


def _accept(rows: pd.DataFrame, final_at: DayArray, doubts: _Doubts) -> pd.DataFrame:
    open_, high, low, close, _, volume = (rows[name].to_numpy(dtype=np.float64) for name in RAW_VALUES)
    missing = [np.isnan(values) for values in (open_, high, low, volume)]
    code = sum((gap.astype(np.int64) << bit for bit, gap in enumerate(missing)), np.zeros(len(rows), dtype=np.int64))
    opened = np.where(missing[0], close, open_)
    columns: dict[str, Any] = {
        "open_try": opened,
        # Filled from the close alone, the high or low would contradict an open beyond the close.
        "high_try": np.where(missing[1], np.maximum(opened, close), high),
        "low_try": np.where(missing[2], np.minimum(opened, close), low),
        "close_try": close,
        "volume_shares": np.where(missing[3], 0.0, volume),
        "adjustment_factor": np.ones(len(rows)),
        "total_return_factor": np.ones(len(rows)),
        "is_final": moments(rows["as_of"]) >= final_at,
        "grade": _pick(("A", "B", "C"), np.where(doubts.doubtful, 2, (code > 0) | (doubts.repaired != "")).astype(int)),
        "filled": _pick(_FILLED, code),
        "repaired": pd.array(doubts.texts(), dtype="str"),
    }
    return rows.assign(**columns).reset_index(drop=True)[list(ACCEPTED_COLUMNS)]


def _quarantine(rows: pd.DataFrame, verdict: npt.NDArray[np.int8], context: dict[str, Any]) -> pd.DataFrame:
    told = rows.assign(
        rule=_pick(tuple(rule.name for rule in RULES), verdict),
        day=np.datetime_as_string(rows["session_date"].to_numpy(dtype="datetime64[D]")),
        **context,
    )
    told["reason"] = pd.array(_reasons(told, verdict), dtype="str")
    return told.reset_index(drop=True)[list(QUARANTINED_COLUMNS)]


def _reasons(told: pd.DataFrame, verdict: npt.NDArray[np.int8]) -> npt.NDArray[np.object_]:
    reasons = np.empty(len(told), dtype=object)
    for position in np.unique(verdict):
        mine = np.flatnonzero(verdict == position)
        template = f"{{symbol}} on {{day}} breaks {{rule}}: {RULES[position].because}."
        names = sorted({name for _, name, _, _ in Formatter().parse(template) if name})
        # Column by column: a dictionary of every column per row takes ten times as long, and a closed day that the
        # schedule forgot withholds every row of the market.
        values = zip(*(told[name].iloc[mine].tolist() for name in names), strict=True)
        reasons[mine] = [template.format_map(dict(zip(names, row, strict=True))) for row in values]
    return reasons


def _pick(texts: tuple[str, ...], positions: npt.NDArray[Any]) -> Any:
    return pd.array(texts, dtype="str").take(positions)
