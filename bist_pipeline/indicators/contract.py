"""What an indicator is.

Belongs here: the types that a new indicator's file fills in. The engine (`engine.py`) calls it once per symbol with
that symbol's whole clean history; the indicator knows nothing of symbols, sessions, databases or Dagster.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bist_pipeline.core.bars import FloatArray

Family = Literal["trend", "momentum", "volatility", "volume", "statistics"]
Input = Literal["open", "high", "low", "close", "volume"]


@dataclass(frozen=True, slots=True)
class IndicatorColumn:
    """One column of `analytics.indicators`.

    Attributes:
        name: Storage contract, `function_parameters` (`rsi_14`); never renamed, never given another meaning.
        unit: `try`, `percent`, `ratio`, `index`, `shares`, `try_shares`, `direction`, …: what one unit of the value is.
        warm_up: Sessions at the start of every series that are NaN; exact, tested.
        description: One sentence for the table dictionary.
        undefined_when: The one circumstance in which the value is NaN after the warm-up; None where there is none.
    """

    name: str
    unit: str
    warm_up: int
    description: str
    undefined_when: str | None = None


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator: its declaration and its function.

    Attributes:
        name: Registered name, unique over the room.
        family: The group it is listed under.
        version: Raised when the mathematics changes, so that stored rows can be told apart.
        inputs: Which arrays `compute` takes, in order.
        columns: The columns it fills, in the order `compute` returns them.
        compute: Takes the input arrays (float64, no NaN, shape (n,), n may be 0) and returns one float64 array of
            shape (n,) per column, NaN before the warm-up, never infinite. Must not look ahead: value i depends on
            inputs 0…i only.
        source: Where the formula is defined.
    """

    name: str
    family: Family
    version: int
    inputs: tuple[Input, ...]
    columns: tuple[IndicatorColumn, ...]
    compute: Callable[..., tuple[FloatArray, ...]]
    source: str
