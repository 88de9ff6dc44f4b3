"""What a quality check is and what it reports.

Belongs here: the types that a new check's file fills in. Checks are pure; `defs/checks.py` turns a `Finding` into a
Dagster result, and the command line prints the same object.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

Severity = Literal["error", "warn"]

# A finding's sample is bounded: it is shown in the UI and stored with every evaluation.
SAMPLE_ROWS = 10


@dataclass(frozen=True, slots=True)
class CheckInput:
    """What a check may look at: the run's range of rows and the market around them.

    Attributes:
        raw: Rows of `market.raw_prices` in the range.
        sessions: Columns `session_date`, `is_session`: the weekdays of the range and whether the exchange traded.
        outcomes: One row per symbol asked: `symbol`, `status` (answered, failed, missing), `reason`.
    """

    raw: pd.DataFrame
    sessions: pd.DataFrame
    outcomes: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check over one range.

    Attributes:
        passed: Whether nothing was found.
        summary: One sentence with the numbers.
        counts: Numbers worth watching over time.
        rows: Every offending row: `symbol`, `session_date`, `detail` (text with the numbers).
    """

    passed: bool
    summary: str
    counts: Mapping[str, int | float] = field(default_factory=dict)
    rows: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["symbol", "session_date", "detail"]))

    @property
    def sample(self) -> pd.DataFrame:
        """The first rows, bounded."""
        return self.rows.head(SAMPLE_ROWS)


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its declaration and its function.

    Attributes:
        name: Registered name, unique over the room.
        severity: `error` when the whole answer is unusable, `warn` when a person should look.
        blocking: Whether a failure stops everything downstream in the same run. Only for faults of the whole answer:
            one symbol's bad row is quarantined and blocks nobody.
        description: One sentence for the UI.
        find: Pure function from the input to the finding.
    """

    name: str
    severity: Severity
    blocking: bool
    description: str
    find: Callable[[CheckInput], Finding]
