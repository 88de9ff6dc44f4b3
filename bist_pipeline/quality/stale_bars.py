"""Bars copied from the session before: of one symbol whole, or the closes of most of the market at once."""

import numpy as np
import numpy.typing as npt

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.quality._findings import nothing_there, offences, plural, report, texts
from bist_pipeline.quality._panel import Panel, previous
from bist_pipeline.quality._thresholds import MAX_SHARE_UNCHANGED, MIN_SYMBOLS
from bist_pipeline.quality.contract import Check, CheckInput, Finding

_VALUES = ("open_raw", "high_raw", "low_raw", "close_raw", "volume_raw")


def find(given: CheckInput) -> Finding:
    """Find bars that equal the symbol's bar of the session before, and unchanged closes where most are unchanged.

    Equal bars count where volume was traded: no two sessions trade the same. A halted symbol repeats its close with
    volume zero, and that is right.
    """
    panel = Panel.of(given)
    values = {name: panel.values(name) for name in _VALUES}
    close, volume = values["close_raw"], values["volume_raw"]
    neighbours = np.isfinite(close) & np.isfinite(previous(close)) & panel.judged
    judged = int(neighbours.sum())
    if not judged:
        return nothing_there("no two bars on neighbouring sessions")
    copied = np.logical_and.reduce([array == previous(array) for array in values.values()]) & (volume > 0) & neighbours
    unchanged, share = _unchanged(close, neighbours)
    of_market = unchanged & (share > MAX_SHARE_UNCHANGED)
    how = np.where(copied, "whole bar copied", "close copied")
    rows = panel.at(copied | of_market, how=how, close=close, volume=volume, share=share)
    sessions = int(of_market.any(axis=0).sum())
    return report(
        offences(
            rows["symbol"],
            rows["session_date"],
            texts("{how}: close {close}, volume {volume}; {share:.0%} of the closes unchanged", rows),
            kind="fault",
        ),
        found=f"{plural(len(rows), 'bar')} as in the session before; {plural(sessions, 'session')} with most closes "
        "unchanged.",
        clear=f"None of {plural(judged, 'bar')} repeats the session before.",
        counts={"bars": judged, "copied": int(copied.sum()), "stale_sessions": sessions},
    )


def _unchanged(close: FloatArray, neighbours: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.bool_], FloatArray]:
    """Return which closes are those of the session before, and their share per session (0 where too few to say)."""
    unchanged = neighbours & (close == previous(close))
    judged = neighbours.sum(axis=0)
    return unchanged, np.where(judged >= MIN_SYMBOLS, unchanged.sum(axis=0) / np.maximum(judged, 1), 0.0)


CHECK = Check(
    name="stale_bars",
    severity="warn",
    blocking=False,
    description="No bar copies the session before, and the closes of most symbols do not stand still at once.",
    find=find,
    effect="doubt",
    market_wide=True,
)
