"""What a quality check is and what it reports.

Belongs here: the types that a new check's file fills in. Checks are pure; `defs/checks.py` turns a `Finding` into a
Dagster result, the command line prints the same object, and cleaning withholds or doubts what it names.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from bist_pipeline.schemas.market import EFFECTS, SEVERITIES

Severity = Literal["error", "warn"]
Effect = Literal["none", "doubt", "withhold"]

assert set(SEVERITIES) == {"error", "warn"}
assert set(EFFECTS) == {"none", "doubt", "withhold"}

# A finding's sample is bounded: it is shown in the UI and stored with every evaluation.
SAMPLE_ROWS = 10

# Columns of `CheckInput.bars`, row by row those of `raw` as they were traded, as far as that is known.
BAR_VALUES = ("open_try", "high_try", "low_try", "close_try", "volume_shares")
# Columns of `CheckInput.actions`.
ACTION_COLUMNS = (
    *("symbol", "ex_date", "kind", "ratio", "amount_try", "subscription_try", "origin"),
    *("price_factor", "share_ratio"),
)


def _no_actions() -> pd.DataFrame:
    return pd.DataFrame(columns=list(ACTION_COLUMNS)).astype(
        {
            **dict.fromkeys(("symbol", "kind", "origin"), "str"),
            "ex_date": "datetime64[us]",
            **dict.fromkeys(("ratio", "amount_try", "subscription_try", "price_factor", "share_ratio"), "float64"),
        }
    )


@dataclass(frozen=True, slots=True)
class CheckInput:
    """What a check may look at: the run's range of rows and the market around them.

    Attributes:
        raw: Rows of `market.raw_prices` in the range, and where `first` or `last` is set some sessions around it.
        sessions: Columns `session_date`, `is_session`: the weekdays of the same days and whether the exchange traded.
        outcomes: One row per symbol asked: `symbol`, `status` (answered, failed, missing), `reason`.
        bars: The rows of `raw`, one by one and under the same index, as they were traded as far as that is known:
            `BAR_VALUES` and `basis`. None: nothing was undone, the provider's values are taken.
        actions: Corporate actions of the symbols: `ACTION_COLUMNS`; `price_factor` is what an action leaves of a price
            and `share_ratio` shares after per share before, both of all actions of that symbol and day together.
        second: Rows of the second source in the same days, columns of `market.raw_prices`; None where there is none.
        first, last: Sessions that are judged; what lies around them is there to compare with. None: all of them.
        bounds: Each symbol's first and last session with a bar, whether or not `raw` holds them: `symbol`,
            `first_session`, `last_session`. None: those that `raw` holds.
    """

    raw: pd.DataFrame
    sessions: pd.DataFrame
    outcomes: pd.DataFrame
    bars: pd.DataFrame | None = None
    actions: pd.DataFrame = field(default_factory=_no_actions)
    second: pd.DataFrame | None = None
    first: pd.Timestamp | None = None
    last: pd.Timestamp | None = None
    bounds: pd.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check over one range.

    Attributes:
        passed: Whether nothing was found.
        summary: One sentence with the numbers.
        counts: Numbers worth watching over time.
        rows: Every offending row: `symbol`, `session_date`, `detail` (text with the numbers). Optionally `effect`,
            where it differs from row to row, and `kind`: `action` or `fault`, where the check tells them apart.
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
        effect: What cleaning does with a row that was found: `withhold` puts it into quarantine with the check's name
            as the rule, `doubt` accepts it with grade C, `none` leaves it alone.
        market_wide: Whether the answer for a row rests on other symbols too. A check with an effect that is not
            market-wide must give the same answer for a row whichever other symbols are in its input: cleaning hands it
            some symbols at a time, and a market-wide one the delivered rows of all.
    """

    name: str
    severity: Severity
    blocking: bool
    description: str
    find: Callable[[CheckInput], Finding]
    effect: Effect = "none"
    market_wide: bool = False
