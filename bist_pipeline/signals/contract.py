"""What a term of the signal is.

Belongs here: the type that a new term's file fills in, and the names of the sub-signals. A term sees columns of one
market's rows as arrays, each row on its own: it knows nothing of symbols, sessions, databases or Dagster, and it
cannot look at the row before. What has a memory (an average, a pattern) is an indicator or a detector, not a term.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.core.errors import RegistryError

SubSignal = Literal["trend", "momentum", "volatility", "volume", "candles"]
Action = Literal["strong_sell", "sell", "hold", "buy", "strong_buy"]

SUB_SIGNALS: tuple[SubSignal, ...] = get_args(SubSignal)
ACTIONS: tuple[Action, ...] = get_args(Action)

CLOSE_INPUT = "close_try"
CANDLE_INPUTS = ("candles_bullish", "candles_bearish")


@dataclass(frozen=True, slots=True)
class Term:
    """One term of the score: its declaration and its function.

    Attributes:
        name: Storage contract; the column of `analytics.signals` is `term_<name>`. Never given another meaning.
        sub_signal: The sub-signal it belongs to.
        version: Raised when the mathematics changes; then the model's version is raised too.
        weight: Above zero; its share of the sub-signal is this over the sum of the known terms' weights.
        inputs: Columns that `compute` takes, in order: indicator columns, `close_try` or `CANDLE_INPUTS`.
        description: One sentence for the table dictionary: what a positive value says.
        source: Where the reading comes from, and what is our own choice in it.
        compute: Takes the input arrays (float64, finite or NaN, shape (n,), n may be 0), returns float64 of shape (n,)
            in [−1, 1], positive bullish, NaN exactly where an input is NaN. Elementwise, by +, −, ×, ÷, √, clip and
            comparison only: IEEE rounds these the same way everywhere, so that a row's bits do not depend on its
            neighbours or the machine (tanh and exp do).
        rises_with: Inputs in which the value never falls, all others fixed.
        falls_with: Inputs in which the value never rises, all others fixed.
    """

    name: str
    sub_signal: SubSignal
    version: int
    weight: float
    inputs: tuple[str, ...]
    description: str
    source: str
    compute: Callable[..., FloatArray]
    rises_with: tuple[str, ...] = ()
    falls_with: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.sub_signal not in SUB_SIGNALS:
            raise RegistryError(f"term {self.name}: sub-signal {self.sub_signal!r} is none of {', '.join(SUB_SIGNALS)}")
        if not self.weight > 0:
            raise RegistryError(f"term {self.name}: weight {self.weight} is not above zero")
        strangers = {*self.rises_with, *self.falls_with} - set(self.inputs)
        if strangers or not self.inputs:
            raise RegistryError(f"term {self.name}: claims about {sorted(strangers)}, inputs are {self.inputs}")

    @property
    def column(self) -> str:
        """The column of `analytics.signals` that stores it."""
        return f"term_{self.name}"
