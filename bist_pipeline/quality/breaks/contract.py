"""What the analysis of breaks looks at and what it answers.

Belongs here: the types. Does not belong here: applying a repair (`market/repairs.py`), storing an action
(`pipeline/`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.bars import DayArray, FloatArray

# One row per bar that is withheld or doubted, and per break that was explained (effect `none`).
VERDICT_COLUMNS = ("symbol", "session_date", "rule", "effect", "kind", "reason")
# One row per run of bars whose values are multiplied with factors.
REPAIR_COLUMNS = (
    *("symbol", "first_session", "last_session", "price_factor", "volume_factor"),
    *("rule", "kind", "reason"),
)
# One row per day before which prices on a basis other than as traded are still to be multiplied, since the provider
# adjusted them by a wrong factor or not at all; volumes by `share_ratio`. The rows themselves stay as they are: what
# was derived of them must not change because of what came after.
RESIDUAL_COLUMNS = ("symbol", "ex_date", "price_factor", "share_ratio", "rule", "reason")
# One row per corporate action that the prices tell of and nobody stated; `ratio` is shares after per share before.
INFERRED_COLUMNS = ("symbol", "ex_date", "kind", "ratio", "amount_try", "reason")
# One row per run of bars of which a value beside the bar itself is wrong: `column` is `adj_close` or `dividend`, to be
# multiplied with `factor` (0: there was none).
MISADJUSTED_COLUMNS = ("symbol", "first_session", "last_session", "column", "factor", "rule", "reason")


def _none_misadjusted() -> pd.DataFrame:
    return pd.DataFrame(columns=list(MISADJUSTED_COLUMNS))


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the rules of an exchange guarantee about prices as traded; None where nothing is known.

    Attributes:
        limit: The largest move of one session, as a share, by session.
        snap: The nearest price of the grid and how many ticks away it is, by price and session.
        tick: The step of the grid, by price and session.
    """

    limit: Callable[[npt.ArrayLike], FloatArray] | None = None
    snap: Callable[[npt.ArrayLike, npt.ArrayLike], tuple[FloatArray, FloatArray]] | None = None
    tick: Callable[[npt.ArrayLike, npt.ArrayLike], FloatArray] | None = None


@dataclass(frozen=True, slots=True)
class SymbolHistory:
    """One symbol's bars, as far as they were undone, in session order.

    Attributes:
        symbol: Code.
        day: Sessions, datetime64[D], strictly increasing, shape (n,).
        open, high, low, close, volume: float64, NaN where missing, shape (n,).
        gap: How many sessions of the exchange lie between the bar before and this one: 1 for neighbours, shape (n,).
        basis: `as_traded`, `split_adjusted` or `fully_adjusted`.
        actions: `ex_date`, `kind`, `ratio`, `amount_try`, `price_factor`, `share_ratio` of what is known.
        adj_close: The provider's adjusted close, NaN where there is none, shape (n,).
        dividend: What the provider says was paid on the session, 0 for nothing, shape (n,).
        split: Shares after per share before that the provider says, 1 for nothing, shape (n,).
    """

    symbol: str
    day: DayArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    gap: npt.NDArray
    basis: str
    actions: pd.DataFrame
    adj_close: FloatArray
    dividend: FloatArray
    split: FloatArray


@dataclass(frozen=True, slots=True)
class Breaks:
    """What was found.

    Attributes:
        verdicts: `VERDICT_COLUMNS`.
        repairs: `REPAIR_COLUMNS`; no two of one symbol overlap.
        actions: `INFERRED_COLUMNS`.
        residuals: `RESIDUAL_COLUMNS`.
        misadjusted: `MISADJUSTED_COLUMNS`; says nothing against the bars.
    """

    verdicts: pd.DataFrame
    repairs: pd.DataFrame
    actions: pd.DataFrame
    residuals: pd.DataFrame
    misadjusted: pd.DataFrame = field(default_factory=_none_misadjusted)
