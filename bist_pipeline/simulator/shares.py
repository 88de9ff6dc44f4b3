"""One share: everything that is known of it, its future included.

Belongs here: its rows, what happened to it, the trades behind a row. Does not belong here: where the history comes
from (`invention.py`, `replay.py`), what of it is shown at a moment (`views.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time

import numpy as np
import numpy.typing as npt

from bist_pipeline.core.bars import DayArray, FloatArray
from bist_pipeline.simulator.hours import hours_of, stamp
from bist_pipeline.simulator.paths import DayBar, Path, path_of

Moments = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Action:
    """What happened to a share at the open of a session.

    Attributes:
        day: Ex-date.
        ratio: New shares per old one, 1 where there was no split.
        dividend_try: Lira per share, 0 where there was none.
    """

    day: date
    ratio: float = 1.0
    dividend_try: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """Everything about one share, the future included.

    Attributes:
        symbol: Its code; after a rename still the first one.
        name: As people read it; says SIMULATED where it is.
        sector: Likewise.
        seed: Of its paths.
        days: datetime64[D], shape (n,).
        open, high, low, close, volume: As traded or as found, NaN where missing, shape (n,).
        adj_close: Yahoo's adjusted close as found in a file; None where it is computed or unknown.
        actions: By ascending day.
        is_traded: Whether prices are as traded, so that Yahoo's adjustment is still to be done.
        is_invented: Whether prices lie on the grid and are shown as Yahoo shows them, in single precision.
        first_trades: Sessions on which it trades late, and from when.
    """

    symbol: str
    name: str
    sector: str
    seed: int
    days: DayArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    adj_close: FloatArray | None = None
    actions: tuple[Action, ...] = ()
    is_traded: bool = True
    is_invented: bool = False
    first_trades: Mapping[date, time] = field(default_factory=dict)
    opens_at: Moments = field(init=False)
    finals_at: Moments = field(init=False)
    on_session: npt.NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        hours = [hours_of(day) for day in self.days.astype(object)]
        object.__setattr__(self, "opens_at", np.array([h.open_at for h in hours], dtype=np.int64))
        object.__setattr__(self, "finals_at", np.array([h.final_at for h in hours], dtype=np.int64))
        object.__setattr__(self, "on_session", np.array([h.is_session for h in hours], dtype=bool))

    def path(self, row: int) -> Path | None:
        """Return the trades of one row; None where there was no trade or a price is missing."""
        opened, high, low, close = (float(prices[row]) for prices in (self.open, self.high, self.low, self.close))
        if not (self.on_session[row] and self.volume[row] > 0 and np.isfinite([opened, high, low, close]).all()):
            return None
        day = self.days[row].astype(object)
        late = self.first_trades.get(day)
        bar = DayBar(
            self.seed,
            self.symbol,
            day,
            opened,
            high,
            low,
            close,
            float(self.volume[row]),
            first_trade_at=stamp(day, late) if late else 0,
            on_grid=self.is_invented,
        )
        return path_of(bar)
