"""The tape: the bars of many symbols in the form in which shapes are looked for.

Belongs here: prices as logarithms in one basis, what a usual day's move is, and which bars may turn a price. Does not
belong here: where prices turned (`zigzag.py`, `bar_pivots.py`).

Prices are looked at in logarithms, so that a share at 2 lira and one at 2,000 give the same numbers for the same shape
and the mirror image of a rise is a fall. Before that they are brought into one basis for the whole history: the bars
from an ex-date on are divided by what the action left of a price. The history in the shares of any later session is
this series times one number, and a shape does not depend on that number. So one pass over a symbol serves every
session, and a bar's value depends on actions up to it alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.bars import Bars, DayArray, FloatArray
from bist_pipeline.patterns.pivots.arrays import Flags, Ints

ATR_SESSIONS = 14
SIGMA_SESSIONS = 60  # a quarter: long enough to be a usual day's move, short enough to follow the market's moods
VOLUME_SESSIONS = 20
VOLUME_RATIO_SESSIONS = 50


@dataclass(frozen=True)
class Tape:
    """Many symbols one after the other; all arrays have one item a bar, shape (n,), unless said otherwise.

    Attributes:
        symbols: Codes, in order.
        offsets: Row of each symbol's first bar, and the end, shape (symbols + 1,).
        day: Session, datetime64[D].
        open, high, low, close: Natural logarithms of prices in the symbol's basis.
        volume: Shares in the symbol's basis, not a logarithm.
        unit_try: What a price is divided by before its logarithm is taken: `exp(x) * unit_try` is lira.
        price_close: Closes in lira, all of the above in the symbol's basis.
        basis: What turns a price of the symbol's basis into one in this session's own shares, by multiplication.
        atr: Average true range of 14 sessions (Wilder), of logarithms; NaN before it is known.
        sigma: Standard deviation of the last 60 daily returns of usable bars; NaN before it is known.
        usable: Whether the bar may turn a price: it traded, and not at one price alone.
        traded: Whether there was a trade at all.
        locked: +1 where the bar ended at the upper price limit or had one price alone above the close before, −1 at the
            lower, 0 else.
        is_final: False while the session trades.
        flipped: Whether the tape is upside down.
    """

    symbols: tuple[str, ...]
    offsets: Ints
    day: DayArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    unit_try: FloatArray
    price_close: FloatArray
    basis: FloatArray
    atr: FloatArray
    sigma: FloatArray
    usable: Flags
    traded: Flags
    locked: npt.NDArray[np.int8]
    is_final: Flags
    flipped: bool = False

    def __len__(self) -> int:
        return len(self.day)

    @cached_property
    def symbol_index(self) -> Ints:
        """Position of each bar's symbol in `symbols`."""
        return np.repeat(np.arange(len(self.symbols)), np.diff(self.offsets))

    @cached_property
    def first_row(self) -> Ints:
        """Row of the first bar of each bar's symbol."""
        return self.offsets[:-1][self.symbol_index]

    @cached_property
    def end_row(self) -> Ints:
        """Row after the last bar of each bar's symbol."""
        return self.offsets[1:][self.symbol_index]

    @cached_property
    def next_traded(self) -> Ints:
        """Row of the first bar with a trade from each bar on, itself included; len(tape) where there is none."""
        rows = np.where(self.traded, np.arange(len(self)), len(self))
        return np.minimum.accumulate(rows[::-1])[::-1]

    @cached_property
    def day_text(self) -> npt.NDArray[np.object_]:
        """Sessions as ISO dates: there are far fewer days than bars, so each is spelled out once."""
        days, places = np.unique(self.day, return_inverse=True)
        return np.datetime_as_string(days, unit="D").astype(object)[places]

    @cached_property
    def volume_z(self) -> FloatArray:
        """Volume in standard deviations from the mean of the 20 sessions before; NaN where that is not known."""
        from bist_pipeline.patterns.pivots._kernels import volume_scores

        return volume_scores(self.volume, self.offsets, VOLUME_SESSIONS)

    @cached_property
    def volume_ratio(self) -> FloatArray:
        """Volume over the mean of the 50 sessions before; NaN where that is not known."""
        from bist_pipeline.patterns.pivots._kernels import volume_ratios

        return volume_ratios(self.volume, self.offsets, VOLUME_RATIO_SESSIONS)

    def mirrored(self) -> "Tape":
        """Turn it upside down: every rise becomes the equal fall. Volumes and prices in lira stay as they are."""
        upside_down = replace(
            self,
            open=-self.open,
            high=-self.low,
            low=-self.high,
            close=-self.close,
            locked=-self.locked,
            flipped=not self.flipped,
        )
        for name in ("symbol_index", "first_row", "end_row", "day_text", "volume_z", "volume_ratio"):
            if name in self.__dict__:
                upside_down.__dict__[name] = self.__dict__[name]
        return upside_down


def read_tape(bars: Bars, actions: Mapping[str, pd.DataFrame] | None = None) -> Tape:
    """Bring bars into the form in which shapes are looked for.

    Args:
        bars: Whole histories as traded, from each symbol's origin.
        actions: By symbol: `ex_date`, `price_factor` (what the day's actions leave of a price), `share_ratio` (shares
            after per share before), oldest first; None where the bars need none.
    """
    offsets = bars.offsets
    symbols = tuple(map(str, bars.frame["symbol"].take(offsets[:-1]))) if len(bars) else ()
    day = bars.frame["session_date"].to_numpy().astype("datetime64[D]")
    factor, ratio = _bases(symbols, offsets, day, actions or {})
    prices = [bars.frame[name].to_numpy(np.float64) / factor for name in _PRICES]
    units = _units(prices[3], offsets)
    logs = [np.log(price / units) for price in prices]
    volume = bars.frame["volume_shares"].to_numpy(np.float64) / ratio
    traded, usable = _use(symbols, offsets, prices[1], prices[2], volume)
    atr, sigma = _usual_moves(offsets, logs, traded, usable)
    return Tape(
        symbols=symbols,
        offsets=offsets,
        day=day,
        open=logs[0],
        high=logs[1],
        low=logs[2],
        close=logs[3],
        volume=volume,
        unit_try=units,
        price_close=prices[3],
        basis=factor,
        atr=atr,
        sigma=sigma,
        usable=usable,
        traded=traded,
        locked=_locked(offsets, day, logs, traded),
        is_final=bars.frame["is_final"].to_numpy(bool),
    )


_PRICES = ("open_try", "high_try", "low_try", "close_try")


def _bases(
    symbols: tuple[str, ...], offsets: Ints, day: DayArray, actions: Mapping[str, pd.DataFrame]
) -> tuple[FloatArray, FloatArray]:
    """What all actions from a symbol's first bar up to each bar have left of a price, and made of a share."""
    factor, ratio = np.ones(len(day)), np.ones(len(day))
    for symbol, start, end in zip(symbols, offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        if symbol in actions:
            own = actions[symbol]
            ex_dates = own["ex_date"].to_numpy().astype("datetime64[D]")
            later = ex_dates > day[start]
            cuts = np.searchsorted(day[start:end], ex_dates[later])
            steps = own.loc[later, ["price_factor", "share_ratio"]].to_numpy(np.float64)
            for cut, (price, shares) in zip(cuts.tolist(), steps.tolist(), strict=True):
                factor[start + cut : end] *= price
                ratio[start + cut : end] *= shares
    return factor, ratio


def _units(close: FloatArray, offsets: Ints) -> FloatArray:
    """A power of two near each symbol's first close: dividing by it is exact, doubled prices give the same bits."""
    if not len(close):
        return np.empty(0)
    _, exponents = np.frexp(close[offsets[:-1]])
    return np.repeat(np.ldexp(1.0, exponents), np.diff(offsets))


def _use(
    symbols: tuple[str, ...], offsets: Ints, high: FloatArray, low: FloatArray, volume: FloatArray
) -> tuple[Flags, Flags]:
    # The exchange keeps codes that begin with X for its indices, which have no volume and trade every session.
    is_index = np.repeat(np.array([symbol.startswith("X") for symbol in symbols], dtype=bool), np.diff(offsets))
    ranged = high > low
    return ranged | (volume > 0) | is_index, ranged & ((volume > 0) | is_index)


def _usual_moves(offsets: Ints, logs: list[FloatArray], traded: Flags, usable: Flags) -> tuple[FloatArray, FloatArray]:
    from bist_pipeline.patterns.pivots._kernels import average_true_ranges, deviations

    _, high, low, close = logs
    return (
        average_true_ranges(high, low, close, traded, offsets, ATR_SESSIONS),
        deviations(close, usable, offsets, SIGMA_SESSIONS),
    )


# A close within a hundredth of the limit's width of it is at the limit: the limit is rounded inward to a tick.
_NEAR_LIMIT = 0.985


def _locked(offsets: Ints, day: DayArray, logs: list[FloatArray], traded: Flags) -> npt.NDArray[np.int8]:
    from bist_pipeline.core.price_limits import limit_on

    _, high, low, close = logs
    before = np.concatenate([[np.nan], close[:-1]]) if len(close) else close
    before[offsets[:-1]] = np.nan
    move = np.expm1(close - before)
    limit = limit_on(day) * _NEAR_LIMIT
    one_price = (high == low) & traded
    up = (close == high) & ((move >= limit) | (one_price & (move > 0)))
    down = (close == low) & ((move <= -limit) | (one_price & (move < 0)))
    return up.astype(np.int8) - down.astype(np.int8)
