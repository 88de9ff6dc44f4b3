"""What Yahoo would show of a share at a moment.

Belongs here: hiding everything after the moment, adjusting for the splits and dividends that have happened by then,
and the bar that is forming. Does not belong here: JSON (`answers/`). Moments are epoch seconds of the market, Yahoo's
delay already taken off. Steps:
1. The rows that are final by then, adjusted (`_settle`; the same from one day's close to the next, hence kept).
2. Today's row as far as it has formed; without a trade today, the last session with trades.
3. Both as one table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.simulator.hours import hours_of, istanbul_day
from bist_pipeline.simulator.paths import Seen
from bist_pipeline.simulator.shares import Action, Moments, Share

_Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What Yahoo shows of a share at a moment.

    Attributes:
        share: Whose view it is.
        at: The moment.
        timestamps: Epoch second of each row: the session's open, or of the last trade for the row that is forming.
        open, high, low, close, volume: Adjusted for the splits so far, shape (n,).
        adj_close: Adjusted for dividends too; None where nobody knows.
        is_forming: Whether the last row is today's, still moving.
        splits: Open of the session and ratio of each split so far.
        dividends: Open of the session and amount in today's shares of each dividend so far.
        last: The session traded last, as far as it is known.
        previous_close: Close of the session before that one, in today's shares; None on the first.
        session_row: Row of the session of `last`.
    """

    share: Share
    at: int
    timestamps: Moments
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    adj_close: FloatArray | None
    is_forming: bool
    splits: Sequence[tuple[int, float]]
    dividends: Sequence[tuple[int, float]]
    last: Seen
    previous_close: float | None
    session_row: int


def view(share: Share, at: int) -> View | None:
    """Return what is shown at a moment; None before the first trade."""
    final = int(np.count_nonzero(share.finals_at <= at))
    so_far = sum(hours_of(action.day).match_at <= at for action in share.actions)
    settled = _settle(share, final, so_far)
    row, forming = _forming(share, at)
    last, before, session_row = (forming, settled.last_close, row) if forming else _last_traded(share, settled)
    if last is None:
        return None
    columns, stamps = settled.columns, settled.timestamps
    if forming:
        adjusted = forming.close if share.adj_close is None else float(share.adj_close[row])
        prices = _narrow(share, np.array([forming.open, forming.high, forming.low, forming.close, adjusted]))
        today = (*prices[:4], forming.volume, prices[4])
        columns = tuple(np.append(old, new) for old, new in zip(columns, today, strict=True))
        stamps = np.append(stamps, forming.traded_at)
    return View(
        share=share,
        at=at,
        timestamps=stamps,
        open=columns[0],
        high=columns[1],
        low=columns[2],
        close=columns[3],
        volume=columns[4],
        adj_close=columns[5] if settled.has_adjusted else None,
        is_forming=forming is not None,
        splits=settled.splits,
        dividends=settled.dividends,
        last=last,
        previous_close=before,
        session_row=session_row,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Settled:
    """The final rows, adjusted; `columns` are open, high, low, close, volume, adjusted close."""

    timestamps: Moments
    columns: tuple[FloatArray, ...]
    has_adjusted: bool
    splits: tuple[tuple[int, float], ...]
    dividends: tuple[tuple[int, float], ...]
    rows: _Rows
    last_close: float | None


@lru_cache(maxsize=700)  # one per share of the largest market; some 70 kB each
def _settle(share: Share, final: int, so_far: int) -> _Settled:
    """Adjust the first `final` rows to become final for the first `so_far` actions."""
    until = np.sort(share.finals_at)[final - 1] if final else -1
    rows = np.flatnonzero(share.finals_at <= until)
    actions, days = share.actions[:so_far], share.days[rows]
    divisor = np.ones(len(rows))
    if share.is_traded:
        for action in actions:
            divisor[days < np.datetime64(action.day)] *= action.ratio
    prices = [a[rows] / divisor for a in (share.open, share.high, share.low, share.close)]
    found = share.adj_close[rows] if share.adj_close is not None else prices[3] * _payouts(share, rows, actions)
    narrow = [_narrow(share, values) for values in (*prices, found)]
    closes = narrow[3][share.on_session[rows] & np.isfinite(narrow[3])]
    return _Settled(
        timestamps=share.opens_at[rows],
        columns=(*narrow[:4], _shares(share, rows, divisor), narrow[4]),
        has_adjusted=share.adj_close is not None or share.is_invented,
        splits=tuple((hours_of(a.day).open_at, a.ratio) for a in actions if a.ratio != 1),
        dividends=tuple(_dividend(share, action, actions) for action in actions if action.dividend_try),
        rows=rows,
        last_close=float(closes[-1]) if len(closes) else None,
    )


def _payouts(share: Share, rows: _Rows, actions: Sequence[Action]) -> FloatArray:
    """Return Yahoo's dividend factor of each row: what a holder kept, with every dividend put back into the share."""
    factor, days = np.ones(len(rows)), share.days[rows]
    for action in actions:
        before = days < np.datetime64(action.day)
        closes = share.close[rows][before]
        if action.dividend_try and len(closes):
            factor[before] *= 1 - action.dividend_try / closes[-1]
    return factor


def _dividend(share: Share, action: Action, actions: Sequence[Action]) -> tuple[int, float]:
    later = [other.ratio for other in actions if other.day > action.day] if share.is_traded else []
    amount = action.dividend_try / float(np.prod(later))
    return hours_of(action.day).open_at, round(amount, 6) if share.is_invented else amount


def _shares(share: Share, rows: _Rows, divisor: FloatArray) -> FloatArray:
    volume = share.volume[rows]
    return np.where(divisor == 1, volume, np.round(volume * divisor))


def _narrow(share: Share, prices: FloatArray) -> FloatArray:
    """Show invented prices as Yahoo does: single precision, widened."""
    return prices.astype(np.float32).astype(np.float64) if share.is_invented else prices


def _forming(share: Share, at: int) -> tuple[int, Seen | None]:
    """Return today's row and its bar so far, while the session lasts and once it has traded."""
    today = np.flatnonzero((share.days == np.datetime64(istanbul_day(at))) & (share.finals_at > at))
    if not len(today):
        return -1, None
    row = int(today[0])
    path = share.path(row)
    return row, path.at(at) if path else None


def _last_traded(share: Share, settled: _Settled) -> tuple[Seen | None, float | None, int]:
    """Return the last final session with trades, in today's shares, and the close before it."""
    for place in range(len(settled.rows) - 1, -1, -1):
        row = int(settled.rows[place])
        path = share.path(row)
        if path:
            opened, high, low, close, volume = (float(column[place]) for column in settled.columns[:5])
            before = settled.columns[3][:place]
            before = before[share.on_session[settled.rows[:place]] & np.isfinite(before)]
            seen = Seen(opened, high, low, close, volume, int(path.moments[-1]))
            return seen, float(before[-1]) if len(before) else None, row
    return None, None, -1
