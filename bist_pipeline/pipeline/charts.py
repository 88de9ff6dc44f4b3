"""What the patterns room finds in accepted bars: candlesticks with their surroundings, chart patterns, their census.

Belongs here: handing bars and actions to the patterns. Candlesticks look at single bars and their neighbours, and are
computed on the history in each session's own shares (`point_in_time.py`). Chart patterns look at shapes, which do not
depend on the unit of a price: one pass over the tape serves every session (`patterns/pivots/tape.py`).
"""

from datetime import date
from typing import NamedTuple

import pandas as pd

from bist_pipeline.core.bars import Bars
from bist_pipeline.patterns.level_context import with_context
from bist_pipeline.patterns.pivots.tape import Tape, read_tape
from bist_pipeline.patterns.registry import registered_charts
from bist_pipeline.patterns.structures.census import reject_census
from bist_pipeline.patterns.structures.engine import detect
from bist_pipeline.patterns.structures.events import chart_events
from bist_pipeline.pipeline.point_in_time import PointInTime
from bist_pipeline.pipeline.traded import detect_traded


class Charts(NamedTuple):
    """Chart patterns of some symbols.

    Attributes:
        events: Rows of `analytics.chart_patterns`, without the moments.
        census: Rows of `analytics.chart_candidates`.
    """

    events: pd.DataFrame
    census: pd.DataFrame


def tape_of(bars: Bars, shares: PointInTime) -> Tape:
    """Lay whole histories on a tape, across every action that is known."""
    return read_tape(bars, shares.factors)


def find_charts(tape: Tape, since: date) -> Charts:
    """Find every registered chart pattern; only changes and candidates from a session on are told."""
    detected = detect(tape, registered_charts().values(), since)
    return Charts(chart_events(tape, detected, since), reject_census(tape, detected, since))


def find_candlesticks(bars: Bars, shares: PointInTime, tape: Tape, since: date) -> pd.DataFrame:
    """Find candlesticks from a session on, with their distance to the nearest level and the locked bars told."""
    return with_context(shares.compute(detect_traded, bars, since), tape)
