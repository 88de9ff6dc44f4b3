"""Rows that stand a known ratio away from their neighbours: other units, or a split that reached some rows only.

Belongs here: following a level in and out of such rows. Does not belong here: ratios that nobody stated (`_grids.py`).
"""

import numpy as np
import numpy.typing as npt

from bist_pipeline.quality.breaks._moves import Moves
from bist_pipeline.quality.breaks._rules import UNADJUSTED, UNIT_ERROR
from bist_pipeline.quality.breaks._thresholds import LEAST_RATIO, RATIO_MOST, RATIO_SHARE, UNIT
from bist_pipeline.quality.breaks._told import NOTHING, Repair, Told, Verdict
from bist_pipeline.quality.breaks.contract import SymbolHistory

Steps = npt.NDArray[np.int64]


def steps_of(moves: Moves, ratio: float) -> Steps:
    """Return +1 where a move is `ratio`, -1 where it is its inverse, else 0, shape (m,)."""
    if moves.has_limit:
        up = (moves.move / ratio >= moves.lowest) & (moves.move / ratio <= moves.highest)
        down = (moves.move * ratio >= moves.lowest) & (moves.move * ratio <= moves.highest)
    else:
        near = min(abs(np.log(ratio)) * RATIO_SHARE, RATIO_MOST)
        up = np.abs(np.log(moves.move) - np.log(ratio)) < near
        down = np.abs(np.log(moves.move) + np.log(ratio)) < near
    return np.where(moves.beyond, up.astype(np.int64) - down.astype(np.int64), 0)


def unit_errors(history: SymbolHistory, moves: Moves) -> tuple[Told, Steps]:
    """Find rows a hundred times too large or too small, and withhold the less supported level.

    A level is supported by the bars on which shares changed hands, where there are none by all of its bars, and where
    that is equal by being the later one.

    Returns:
        What to say, and the steps that it explains.
    """
    steps = steps_of(moves, UNIT)
    if not steps.any():
        return NOTHING, steps
    level = np.cumsum(steps)
    volume = history.volume[moves.bar]
    support = {
        int(at): (int((volume[level == at] > 0).sum()), int((level == at).sum()), int(np.flatnonzero(level == at)[-1]))
        for at in np.unique(level)
    }
    right = max(support, key=lambda at: support[at])
    verdicts = []
    for position in np.flatnonzero(level != right):
        times = UNIT ** float(level[position] - right)
        reason = (
            f"close {moves.close[position]:g} is {times:g} times the level of the {support[right][1]} bars "
            f"({support[right][0]} with trades) taken for right"
        )
        verdicts.append(Verdict(int(moves.bar[position]), UNIT_ERROR, "withhold", "fault", reason))
    return Told(tuple(verdicts)), steps


def unadjusted(history: SymbolHistory, moves: Moves, open_: npt.NDArray[np.bool_]) -> tuple[Told, Steps]:
    """Find rows before a stated split that the provider did not adjust for it, and multiply them.

    The last row of a history is taken as right: splits are undone or applied backwards from there.

    Args:
        history: One symbol.
        moves: Its moves.
        open_: Moves that nothing has explained yet, shape (m,).
    """
    told, explained = NOTHING, np.zeros(len(moves.bar), dtype=np.int64)
    for ex_date, factor in _stated(history):
        steps = np.where(open_ & (explained == 0), steps_of(moves, factor), 0)
        # A row that was not adjusted stands a factor away, until a step of the factor leads back to the others.
        level = np.cumsum(steps)
        away = level - (level[-1] if len(level) else 0)
        before = history.day[moves.bar] < ex_date
        if not steps.any() or (away[~before] != 0).any() or not set(np.unique(away)) <= {-1, 0}:
            continue
        explained += steps
        told += _multiplied(moves, away, factor, ex_date)
    return told, explained


def _stated(history: SymbolHistory) -> list[tuple[np.datetime64, float]]:
    """Return day and factor of every split that is large enough to be seen, of events and of known actions."""
    events = np.flatnonzero(np.isfinite(history.split) & (history.split > 0) & (history.split != 1))
    pairs = {(history.day[at], float(1 / history.split[at])) for at in events}
    for row in history.actions.itertuples():
        ratio = float(row.share_ratio)  # pyright: ignore[reportArgumentType] - a column of numbers
        if np.isfinite(ratio) and ratio > 0:
            pairs.add((np.datetime64(row.ex_date, "D"), 1 / ratio))  # pyright: ignore[reportArgumentType, reportCallIssue]
    return sorted((day, factor) for day, factor in pairs if abs(np.log(factor)) > np.log(LEAST_RATIO))


def _multiplied(moves: Moves, away: Steps, factor: float, ex_date: np.datetime64) -> Told:
    edges = np.flatnonzero(np.diff(away != 0, prepend=False, append=False)).reshape(-1, 2)
    repairs, verdicts = [], []
    for start, stop in edges:
        reason = f"not adjusted for the split of {ex_date} that the provider states: × {factor:g}"
        # Bars without a close between are left alone; a run ends with its last usable bar.
        first, last = int(moves.bar[start]), int(moves.bar[stop - 1])
        repairs.append(Repair(first, last + 1, factor, 1 / factor, UNADJUSTED, "fault", reason))
        verdicts.append(Verdict(first, UNADJUSTED, "none", "fault", f"{stop - start} bars {reason}"))
    return Told(tuple(verdicts), tuple(repairs))
