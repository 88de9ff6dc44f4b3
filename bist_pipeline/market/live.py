"""What a live answer means for the session that is refreshed.

Belongs here: the judgement of each quote, from numbers alone. Does not belong here: asking for quotes (`providers/`),
keeping them, or making bars of them (`pipeline/`).

A quote is judged in this order: it must tell something that can be (`failed`); its symbol must have a history to
stand on, and its previous close must be the close of that history (`action_pending`); then its time says whether it
has traded (`halted`, `no_trade_yet`), and its prices whether they can have been traded in this session's shares
(`action_pending`) and make a bar (`price_only`, `trading`).

Prices beyond the exchange's daily limit are those of an action that the provider has not yet put into the previous
close, or has not told a previous close to see it by. On the exchange's free-margin days they are real: the chart tells.
"""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from bist_pipeline.core.bars import DayArray, FloatArray
from bist_pipeline.core.calendar import ORIGIN, SessionCalendar
from bist_pipeline.core.price_limits import limit_on
from bist_pipeline.core.ticks import ON_GRID, tick_size
from bist_pipeline.market.splits import istanbul_days

# Two numbers further apart than this many ticks are two prices. One tick is left to the rounding of a divided close.
_TICKS_APART = 1 + ON_GRID
# The prices that the daily limit is held against; the open lies between high and low.
_LIMITED = ("last", "high", "low")
# How far back the session before is looked for: no closure comes near it.
_LOOKS_BACK = timedelta(days=30)

_BoolArray = npt.NDArray[np.bool_]
_Texts = npt.NDArray[np.object_]


class _Case(NamedTuple):
    """Which quotes are in a state, and why: one text for all of them, or one each."""

    state: str
    holds: _BoolArray
    reason: str | _Texts


def judge_quotes(
    quotes: pd.DataFrame,
    stored: pd.DataFrame,
    splits: pd.DataFrame,
    *,
    session: date,
    calendar: SessionCalendar,
    now: datetime,
    explained: Collection[str] = (),
) -> pd.DataFrame:
    """Say of every quote what it means for a session.

    Args:
        quotes: The provider's `QUOTE_COLUMNS`, at most one row per symbol; optionally `has_bar`, False where the
            provider tells no open, high and low at all.
        stored: One row per symbol with history: `symbol`, `last_session` and `close_try` of its newest final bar before
            the session; optionally `earlier_close_try`, the close before that one.
        splits: Known splits since that bar, those of the session itself included: `symbol`, `ratio`.
        session: The session that is refreshed.
        calendar: Says which session was before it.
        now: What time it is at the exchange, aware.
        explained: Symbols whose chart has been looked at and shows no split: the price limit does not hold them.

    Returns:
        The quotes, in their order and with their index, with `state` (one of `schemas.market.QUOTE_STATES`) and
        `reason` (one line with the numbers; empty where it trades).
    """
    quotes = quotes.assign(as_of=pd.to_datetime(quotes["as_of"], utc=True))
    ours = _ours(quotes["symbol"], stored, splits)
    day = istanbul_days(quotes["as_of"])
    is_now, is_halted = day == np.datetime64(session), day < _session_before(session, calendar)
    differs = ~_fits(quotes, ours, session, is_now) & ~is_halted
    cases = (
        *_impossible(quotes, day, session, now),
        _Case("action_pending", ours["close_try"].isna().to_numpy() & ~is_halted, "no history yet"),
        _Case("action_pending", differs, _both_closes(quotes, ours, differs)),
        _Case("halted", is_halted, _each("last traded on ", day)),
        _Case("no_trade_yet", ~is_now, _each("last traded on ", day)),
        _beyond_limit(quotes, ours, session, explained),
        _Case("price_only", _lacks_bar(quotes), "the answer has no open, high and low"),
    )
    # The first case that holds counts.
    holds = [case.holds for case in cases]
    state = np.select(holds, [_spread(case.state, quotes) for case in cases], "trading")
    reason = np.select(holds, [_spread(case.reason, quotes) for case in cases], "")
    return quotes.assign(state=pd.array(state, dtype="str"), reason=pd.array(reason, dtype="str"))


def _session_before(session: date, calendar: SessionCalendar) -> np.datetime64:
    """The session before; the session itself where the calendar knows none."""
    sessions = calendar.sessions(max(ORIGIN, session - _LOOKS_BACK), session)
    earlier = sessions[sessions < np.datetime64(session)]
    return earlier[-1] if len(earlier) else np.datetime64(session)


def _ours(symbol: pd.Series, stored: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    """What is stored of each quote's symbol, its closes in the session's basis; NaN and NaT where nothing is."""
    known = stored.set_index("symbol").reindex(symbol.to_numpy())
    ratio = splits.groupby("symbol")["ratio"].prod().reindex(symbol.to_numpy()).fillna(1.0).to_numpy(dtype=np.float64)
    earlier = known.get("earlier_close_try", known["close_try"] * np.nan)
    return known.assign(close_try=known["close_try"] / ratio, earlier_close_try=earlier / ratio)


def _impossible(quotes: pd.DataFrame, day: DayArray, session: date, now: datetime) -> tuple[_Case, ...]:
    last = _numbers(quotes, "last_try")
    is_ahead = (quotes["as_of"] > pd.Timestamp(now)).to_numpy(dtype=bool)
    told = quotes["as_of"].dt.strftime("%Y-%m-%d %H:%M:%S UTC").to_numpy(dtype=object)
    return (
        _Case("failed", np.isnat(day), "the answer states no time of the last trade"),
        _Case("failed", is_ahead, _each("the exchange's clock has not reached ", told)),
        _Case("failed", day > np.datetime64(session), _each(f"it is of a session after {session}: ", told)),
        _Case("failed", ~(np.isfinite(last) & (last > 0)), "the answer states no last price"),
    )


def _fits(quotes: pd.DataFrame, ours: pd.DataFrame, session: date, is_now: _BoolArray) -> _BoolArray:
    """Whether a quote stands on our newest close; where it states no previous close, the price limit alone judges.

    A share that has not traded may still carry its last session's answer: that session's close as the last price, and
    the close before it as the previous one.
    """
    previous, close = _numbers(quotes, "previous_close_try"), _numbers(ours, "close_try")
    last, earlier = _numbers(quotes, "last_try"), _numbers(ours, "earlier_close_try")
    carries_on = ~is_now & _near(last, close, session) & (np.isnan(earlier) | _near(previous, earlier, session))
    return np.isnan(previous) | _near(previous, close, session) | carries_on


def _near(theirs: FloatArray, ours: FloatArray, session: date) -> _BoolArray:
    return np.abs(theirs - ours) <= _TICKS_APART * tick_size(ours, np.datetime64(session))


def _both_closes(quotes: pd.DataFrame, ours: pd.DataFrame, differs: _BoolArray) -> _Texts:
    told = np.full(len(quotes), "", dtype=object)
    previous, close = _numbers(quotes, "previous_close_try"), _numbers(ours, "close_try")
    for row in np.flatnonzero(differs & ~np.isnan(close)):
        told[row] = (
            f"its previous close is {previous[row]:.10g}, our close of {ours['last_session'].iloc[row]:%Y-%m-%d} is "
            f"{close[row]:.10g} in the shares of this session"
        )
    return told


def _beyond_limit(quotes: pd.DataFrame, ours: pd.DataFrame, session: date, explained: Collection[str]) -> _Case:
    """Hold prices that the exchange does not allow around the close before: theirs, or ours where they state none."""
    previous, close = _numbers(quotes, "previous_close_try"), _numbers(ours, "close_try")
    base, limit = np.where(np.isnan(previous), close, previous), float(limit_on(np.datetime64(session)))
    lowest, highest = (_widened(base * (1 + side * limit), side, session) for side in (-1, 1))
    prices = np.column_stack([_numbers(quotes, f"{name}_try") for name in _LIMITED])
    # Indices have no limit; the exchange keeps codes that begin with X for them.
    is_free = quotes["symbol"].str.startswith("X") | quotes["symbol"].isin(list(explained))
    is_beyond = ((prices < lowest[:, None]) | (prices > highest[:, None])) & ~is_free.to_numpy(dtype=bool)[:, None]
    rows, told = np.flatnonzero(np.logical_or.reduce(is_beyond, axis=1)), np.full(len(quotes), "", dtype=object)
    for row, place in zip(rows, is_beyond[rows].argmax(axis=1), strict=True):
        whose = "our close" if np.isnan(previous[row]) else "its previous close"
        move = f"its {_LIMITED[place]} is {prices[row, place]:.10g}"
        told[row] = f"{move}, beyond ±{limit:.0%} of {whose}, {base[row]:.10g}"
    return _Case("action_pending", told != "", told)


def _widened(edge: FloatArray, side: int, session: date) -> FloatArray:
    """Move a limit price outwards by what two equal prices may differ: the base may have been rounded otherwise."""
    return edge + side * _TICKS_APART * tick_size(edge, np.datetime64(session))


def _lacks_bar(quotes: pd.DataFrame) -> _BoolArray:
    told = quotes["has_bar"].to_numpy(dtype=bool) if "has_bar" in quotes else np.ones(len(quotes), dtype=bool)
    missing = [np.isnan(_numbers(quotes, name)) for name in ("open_try", "high_try", "low_try")]
    return ~told | np.logical_or.reduce(missing)


def _numbers(frame: pd.DataFrame, name: str) -> FloatArray:
    return frame[name].to_numpy(dtype=np.float64, na_value=np.nan)


def _each(text: str, values: npt.NDArray) -> _Texts:
    return np.array([text + str(value) for value in values.tolist()], dtype=object)


def _spread(text: str | _Texts, quotes: pd.DataFrame) -> _Texts:
    return np.full(len(quotes), text, dtype=object) if isinstance(text, str) else text
