"""A trial run of everything that is compiled: `python -m bist_pipeline.patterns.trial`.

Belongs here: a tiny invented market on which each compiled loop has something to do, and running all of them once. Does
not belong here: when that is done (`pipeline/compiling.py`), the loops themselves.
"""

from datetime import date

import numpy as np
import pandas as pd

from bist_pipeline.core.bars import Bars
from bist_pipeline.patterns.level_context import level_distances
from bist_pipeline.patterns.pivots.tape import read_tape
from bist_pipeline.patterns.registry import registered_charts
from bist_pipeline.patterns.structures.census import reject_census
from bist_pipeline.patterns.structures.engine import detect
from bist_pipeline.patterns.structures.events import chart_events

_CODES = ("ZZAAA", "ZZAAB", "ZZAAC", "ZZAAD", "ZZAAE", "ZZAAF", "ZZAAG", "ZZAAH")
_SESSIONS = 700
_FIRST = date(2020, 1, 1)


def run_every_loop() -> int:
    """Find everything on the tiny market; return how many changes of chart patterns it has."""
    tape = read_tape(_tiny_market())
    level_distances(tape)
    detected = detect(tape, registered_charts().values(), _FIRST)
    reject_census(tape, detected, _FIRST)
    return len(chart_events(tape, detected, _FIRST))


def _tiny_market() -> Bars:
    """Random walks with volume, always the same ones."""
    rng = np.random.default_rng(2)
    shape = (len(_CODES), _SESSIONS)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, shape), axis=1))
    opened = close * np.exp(rng.normal(0, 0.005, shape))
    above, below = np.exp(np.abs(rng.normal(0, 0.01, (2, *shape))))
    columns = {
        "symbol": np.repeat(_CODES, _SESSIONS),
        "session_date": np.tile(pd.bdate_range(_FIRST, periods=_SESSIONS).to_numpy(), len(_CODES)),
        "open_try": opened.ravel(),
        "high_try": (np.maximum(opened, close) * above).ravel(),
        "low_try": (np.minimum(opened, close) / below).ravel(),
        "close_try": close.ravel(),
        "volume_shares": np.round(1e6 * np.exp(rng.normal(0, 0.5, shape))).ravel(),
        "is_final": True,
    }
    return Bars.from_frame(pd.DataFrame(columns))


if __name__ == "__main__":
    run_every_loop()
