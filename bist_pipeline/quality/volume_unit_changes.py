"""Volumes counted in another unit from a session on: lots, lira or thousands instead of shares.

The typical volume becomes many times the other, from one session to the next and for good, and the turnover with it:
after a split, volumes rise and prices fall, and the turnover stays.
"""

import numpy as np
import pandas as pd

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.quality._findings import nothing_there, offences, plural, report, texts
from bist_pipeline.quality._panel import Panel, usable
from bist_pipeline.quality._thresholds import MIN_UNIT_CHANGE, MIN_UNIT_CLEARANCE, UNIT_SESSIONS
from bist_pipeline.quality.contract import Check, CheckInput, Finding


def find(given: CheckInput) -> Finding:
    """Find the first session of each new unit.

    Compared are the `UNIT_SESSIONS` bars with volume on both sides; a symbol with fewer on a side is not judged there.
    """
    panel = Panel.of(given)
    volume = usable(panel.values("volume_raw"))
    turnover = volume * usable(panel.values("close_raw"))
    ratio = np.full(volume.shape, np.nan)
    for row in range(len(panel.symbols)):
        traded = np.flatnonzero(np.isfinite(turnover[row]))
        ratio[row, traded] = _change(volume[row, traded], turnover[row, traded])
    judged = np.isfinite(ratio) & panel.judged
    if not judged.any():
        return nothing_there(f"no symbols with {UNIT_SESSIONS} bars with volume before and after one")
    rows = panel.at(judged & (np.abs(np.log(ratio)) >= np.log(MIN_UNIT_CHANGE)), ratio=ratio, volume=volume)
    template = "volume {volume}: from here on typically {ratio:.4g} times that before, in shares and in lira"
    symbols = rows["symbol"].nunique()
    return report(
        offences(rows["symbol"], rows["session_date"], texts(template, rows), kind="fault"),
        found=f"{plural(len(rows), 'change')} of the unit of volume, of {plural(symbols, 'symbol')}.",
        clear=f"No change of the unit of volume in {plural(int(judged.sum()), 'bar')}.",
        counts={"bars": int(judged.sum()), "symbols": symbols},
    )


def _change(volume: FloatArray, turnover: FloatArray) -> FloatArray:
    """Return how many times the volume before each bar's is typical from it on, shape (n,).

    NaN where a side is too short, 1 where the sides overlap or the turnover says otherwise.
    """
    change = np.full(len(volume), np.nan)
    steps = [_sides(values) for values in (volume, turnover)]
    apart = np.logical_and.reduce([clearance >= MIN_UNIT_CLEARANCE for _, clearance in steps])
    (of_volume, _), (of_turnover, _) = steps
    known = np.isfinite(of_volume)
    nearer = np.minimum(np.abs(of_volume), np.abs(of_turnover)) * np.sign(of_volume)
    agree = apart & (np.sign(of_volume) == np.sign(of_turnover))
    change[known] = np.where(agree, np.exp(nearer), 1.0)[known]
    return change


def _sides(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return ln of the median from each bar on over that before it, and how far apart the two sides lie, as a ratio."""
    logs = pd.Series(np.log(values))
    before = logs.rolling(UNIT_SESSIONS)
    low, middle, high = (getattr(before, name)().to_numpy() for name in ("min", "median", "max"))
    # The window that ends `UNIT_SESSIONS` - 1 bars later begins at the bar.
    past, after = (_shifted(low, 1), _shifted(middle, 1), _shifted(high, 1)), 1 - UNIT_SESSIONS
    later = tuple(_shifted(array, after) for array in (low, middle, high))
    clearance = np.exp(np.fmax(later[0] - past[2], past[0] - later[2]))
    return later[1] - past[1], np.where(np.isfinite(clearance), clearance, 0.0)


def _shifted(values: FloatArray, by: int) -> FloatArray:
    return pd.Series(values).shift(by).to_numpy(dtype=np.float64)


CHECK = Check(
    name="volume_unit_changes",
    severity="warn",
    blocking=False,
    description="Volumes are counted in one unit over the whole of a history.",
    find=find,
)
