"""What the comparison of two sources looks at, what it answers, and its thresholds with their reasons.

Belongs here: types and numbers. Does not belong here: which bar is served (`market/choice.py`), storing
(`pipeline/second_source.py`).
"""

from dataclasses import dataclass
from typing import Literal

import pandas as pd

Verdict = Literal["first_supported", "second_supported", "undecided", "only_first", "only_second"]

# Columns of both inputs: one bar per symbol and session.
INPUT_COLUMNS = (
    *("symbol", "session_date", "open_try", "high_try", "low_try", "close_try", "volume_shares"),
    "basis",
)
ACTION_COLUMNS = ("symbol", "ex_date", "price_factor", "share_ratio")
THIRD_COLUMNS = ("symbol", "session_date", "close_try")

ROW_TYPES = {
    "symbol": "str",
    "session_date": "datetime64[us]",
    "verdict": "str",
    "kind": "str",  # bar, volume, action or missing: what is disagreed about
    "first_close_try": "float64",
    "second_close_try": "float64",
    "return_difference": "float64",
    "level_difference": "float64",
    "volume_difference": "float64",
    "score": "float64",
    "detail": "str",
}
RECOGNISED_TYPES = {
    "symbol": "str",
    "bars": "int64",  # on which both have a close
    "agreeing": "int64",  # of them, those that agree in everything compared
    "volume_kind": "str",
    "volume_spread": "float64",
    "first_decimals": "int64",  # to which a source rounds its prices, -1 for not at all
    "second_decimals": "int64",
    "steps": "int64",  # places where the ratio of the prices changes for good
    "comparable": "bool",
    "reason": "str",  # why not
}
BROUGHT_TYPES = {
    "symbol": "str",
    "session_date": "datetime64[us]",
    "open_try": "float64",
    "high_try": "float64",
    "low_try": "float64",
    "close_try": "float64",
    "volume_shares": "float64",
    "basis": "str",
    "tolerance_try": "float64",  # by how much the second's rounding may have moved a price
}

# What is left of a price by floating point and by factors that were rounded on the way; a tick is at least 3.3e-5 of
# any price (0.10 of 3,000 lira before 2023-11-06) and mostly 4e-4.
BASE_TOLERANCE = 1e-5
# Rounding moves a price by half of its last digit; the rest is for halves that floating point made a bit more.
ROUNDING_SLACK = 1.02
MOST_DECIMALS = 6
SHARE_ROUNDED = 0.999
# A source may state two decimals because prices have two. Where its differences are this small a share of what rounding
# would leave, on nine bars of ten around, nothing was rounded (rounding leaves a quarter of the last digit in the
# median); a stale close spoils two bars of the window.
EXACT_SHARE = 0.02
EXACT_QUANTILE = 0.9
EXACT_WINDOW = 41

# Fewer bars tell neither the level nor the unit of the volume.
MIN_OVERLAP = 10
# So many bars in a row on one ratio make a level; a stale close repeats, but its ratio moves with the other source.
MIN_LEVEL = 5
# A ratio that comes back within so many sessions was a fault of these bars (a wrong unit for a month), no action.
MAX_EXCURSION = 60
# A smaller change of the ratio is not worth a word: a hundredth of a percent of a dividend.
MIN_STEP = 1e-4
# Below it, two sources tell of different shares under one code.
MIN_AGREEING = 0.5
# How many bars beyond the end of the other source are looked at: a source that is later than that has ended. Where the
# second is later, `pipeline/second_source.py` does not store it.
TAIL_BARS = 5
# By how much (log) a step may miss the action that explains it: sources round the ratio and the dividend.
ACTION_TOLERANCE = 2e-3

# Sources differ on late and special trades by some percent of the volume; beyond 28 % one of them is wrong.
VOLUME_TOLERANCE = 0.25
# The other hypothesis about the volume's unit must explain it so much better than plain shares.
UNIT_ADVANTAGE = 1.5
UNIT_MATCH = 0.18  # log: 100 and 1000 are told from 2, 5 or 10 by far
VOLUME_WINDOW = 11  # bars over which the scale of the volume is taken: a split changes it
LOTS = (100.0, 1000.0)

# How much each piece of evidence weighs against a source.
WEIGHT_THIRD = 4
WEIGHT_ORDER = 3
WEIGHT_GRID = 2
WEIGHT_LIMIT = 2
WEIGHT_COPY = 2  # the whole bar is that of the session before
WEIGHT_STALE = 1  # the close alone is; cheap shares do close unchanged
# A source of which fewer closes lie on the grid elsewhere is not judged by the grid.
MIN_ON_GRID = 0.9
# What the grid still tells with a rounding this coarse, in ticks: half a tick is as far as any price can be.
COARSEST_GRID = 0.2
# Most price-limit bands are rounded inwards to a tick; what remains is floating point and a coarser tick of the base.
LIMIT_ALLOWANCE = 0.002
# A base price further back than this says nothing about a limit.
MAX_LIMIT_GAP = 5


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two sources disagree on.

    Attributes:
        rows: `ROW_TYPES`: every bar, gap and action on which they do not agree, by symbol and session; a gap in one
            source only within the time that both tell of, and some bars after it.
        recognised: `RECOGNISED_TYPES`: one row per symbol that both have.
        brought: `BROUGHT_TYPES`: of the rows that the second could stand in for, its bars on the first's basis and in
            shares.
    """

    rows: pd.DataFrame
    recognised: pd.DataFrame
    brought: pd.DataFrame
