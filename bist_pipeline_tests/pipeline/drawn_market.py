"""A SIMULATED market in which one share draws a double top over a split: its chart pattern is known by hand.

Belongs here: the bars, the day of the split, the database that holds all of it. Does not belong here: any expectation.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bist_pipeline.patterns.pivots.tape import read_tape
from bist_pipeline.patterns.registry import registered_charts
from bist_pipeline.patterns.structures.engine import detect
from bist_pipeline.patterns.structures.events import chart_events
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline_tests.archives import sessions_from, write_archive
from bist_pipeline_tests.patterns.drawing import fixtures
from bist_pipeline_tests.pipeline.sites import Sites, run
from bist_pipeline_tests.pipeline.split_market import FIRST, PRICES, YahooLike, at, market

TOP = fixtures()["double_top"].passes
SYMBOL, OTHER, PATTERN = "ZZTOP", "ZZAAA", "double_top"
SESSIONS = len(TOP.bars())
DAYS = [day.astype(object) for day in sessions_from(FIRST, SESSIONS)]

_DRAWN = TOP.bars().frame
_CHANGES = chart_events(read_tape(TOP.bars()), detect(read_tape(TOP.bars()), [registered_charts()[PATTERN]]))
FORMED, CONFIRMED = (DAYS[int(_DRAWN["session_date"].searchsorted(day))] for day in _CHANGES["session_date"])
EX_DATE = DAYS[DAYS.index(FORMED) + 3]
RATIO = 2.0
SPLITS = {SYMBOL: [(EX_DATE, RATIO)]}


def as_traded() -> pd.DataFrame:
    """One ordinary share, and one that was drawn; prices of the latter halve on the day of its split."""
    later = (np.arange(SESSIONS) >= DAYS.index(EX_DATE))[:, None]
    prices = np.round(_DRAWN[list(PRICES)].to_numpy() / np.where(later, RATIO, 1.0), 2)
    drawn = _DRAWN.assign(symbol=SYMBOL, session_date=np.array(DAYS, dtype="datetime64[us]"))
    drawn[list(PRICES)] = prices
    drawn["volume_shares"] = drawn["volume_shares"].to_numpy() * np.where(later[:, 0], RATIO, 1.0)
    return pd.concat([market(1, SESSIONS, {}), drawn], ignore_index=True)


def fill(sites: Sites, folder: Path) -> PipelineContext:
    """Fetch all of it on its last evening, derive and publish the whole range."""
    bars = as_traded()
    context = at(sites.make(write_archive(folder / "archive", bars)), DAYS[-1])
    provider: Any = YahooLike(bars, SPLITS, DAYS[-1])
    run(context, DAYS[0], DAYS[-1], providers=[provider])
    return context
