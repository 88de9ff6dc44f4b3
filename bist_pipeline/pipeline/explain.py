"""Why a signal is what it is, and why there is a chart pattern, or none.

Belongs here: reading what an explanation needs and choosing what it shows. Candidates of chart patterns are not stored:
they are found anew in the accepted bars up to the session that is asked about, by the same code that derives.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from bist_pipeline.core.errors import BistError
from bist_pipeline.patterns.pivots.tape import Tape
from bist_pipeline.patterns.registry import registered_charts
from bist_pipeline.patterns.structures.contract import ChartPattern
from bist_pipeline.patterns.structures.engine import Detected, detect
from bist_pipeline.patterns.structures.events import chart_events
from bist_pipeline.patterns.structures.explaining import Near, nearest
from bist_pipeline.pipeline.charts import tape_of
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.gallery import picture_of, titled
from bist_pipeline.pipeline.point_in_time import read_point_in_time
from bist_pipeline.plots.pattern_chart import PatternPicture, pattern_chart
from bist_pipeline.signals.explain import TermLine, explain_terms
from bist_pipeline.storage.bars import read_bars


@dataclass(frozen=True)
class PatternTold:
    """What is said of one pattern of one symbol at the end of a session.

    Attributes:
        pattern: Which.
        life: The changes of its newest event, in order, with the columns of `analytics.chart_patterns`; empty where
            there was none in the last year.
        near: The recent candidate that came nearest; None where there is none.
        near_session: Session at which all of that was known.
        points: Its points: `session_date`, `price_try`.
    """

    pattern: ChartPattern
    life: pd.DataFrame
    near: Near | None
    near_session: date | None
    points: pd.DataFrame


@dataclass(frozen=True)
class Explanation:
    """What is said of one symbol at the end of a session.

    Attributes:
        symbol: Which.
        session: The session: the newest one with a bar up to the day that was asked about.
        signal: The row of `analytics.signals`; None where there is none.
        terms: What each term contributed to its score.
        patterns: What was asked about; every pattern with an event or a near miss where none was named.
    """

    symbol: str
    session: date
    signal: pd.Series | None
    terms: Sequence[TermLine]
    patterns: tuple[PatternTold, ...]


_LIFE_DAYS = 366


def explain(context: PipelineContext, symbol: str, session: date, pattern: str | None = None) -> Explanation:
    """Explain a symbol's signal and its chart patterns at the end of a session.

    Args:
        context: The run's surroundings.
        symbol: Which.
        session: The day asked about; the newest session with a bar up to it is explained.
        pattern: A registered chart pattern; None for all.

    Raises:
        BistError: The symbol has no bar by then, or no such pattern is registered.
    """
    chosen = _chosen(pattern)
    bars = read_bars(context.database, session, [symbol])
    if not len(bars):
        raise BistError(f"{symbol} has no accepted bar up to {session}: `bist-pipeline status` says what is stored")
    tape = tape_of(bars, read_point_in_time(context.database))
    day = tape.day[-1].astype(object)
    signal = _signal(context, symbol, day)
    told = [_told(tape, one) for one in detect(tape, chosen)]
    return Explanation(
        symbol=symbol,
        session=day,
        signal=signal,
        terms=() if signal is None else explain_terms(signal),
        patterns=tuple(one for one in told if pattern is not None or one.near is not None or len(one.life)),
    )


def draw(context: PipelineContext, explanation: Explanation) -> bytes:
    """Draw the first pattern of an explanation: its newest event or the candidate that came nearest, what is newer.

    Raises:
        BistError: There is neither.
    """
    shares = read_point_in_time(context.database)
    bars = read_bars(context.database, explanation.session, [explanation.symbol])
    one = next((told for told in explanation.patterns if len(told.life) or told.near is not None), None)
    if one is None:
        raise BistError(f"{explanation.symbol}: no event and no candidate to draw up to {explanation.session}")
    picture = picture_of(one.life, bars, shares) if _is_event_newer(one) else _candidate_picture(one)
    title = titled(context, f"{explanation.symbol} · {one.pattern.title}")
    return pattern_chart(shares.in_last_shares(bars).frame, picture, title=title)


def _chosen(pattern: str | None) -> list[ChartPattern]:
    known = registered_charts()
    if pattern is None:
        return list(known.values())
    if pattern not in known:
        raise BistError(f"no chart pattern {pattern!r} is registered; there are {', '.join(known)}")
    return [known[pattern]]


def _signal(context: PipelineContext, symbol: str, session: date) -> pd.Series | None:
    found = context.database.frame(
        "SELECT * FROM analytics.signals WHERE symbol = $1 AND session_date = $2", [symbol, session]
    )
    return None if found.empty else found.iloc[0]


def _told(tape: Tape, one: Detected) -> PatternTold:
    events = chart_events(tape, [one])
    newest = events[events["event_id"] == events["event_id"].iloc[-1]] if len(events) else events
    recent = newest["session_date"] >= pd.Timestamp(tape.day[-1]) - pd.Timedelta(days=_LIFE_DAYS)
    near = nearest(tape, one)
    points = pd.DataFrame(
        {
            "session_date": tape.day[list(near.rows)].astype("datetime64[us]") if near else [],
            "price_try": near.prices_try if near else [],
        }
    )
    return PatternTold(
        pattern=one.pattern,
        life=newest if recent.any() else newest.iloc[:0],
        near=near,
        near_session=tape.day[near.known_row].astype(object) if near else None,
        points=points,
    )


def _is_event_newer(one: PatternTold) -> bool:
    if one.life.empty or one.near_session is None:
        return one.near_session is None
    return one.life["session_date"].iloc[-1] >= pd.Timestamp(one.near_session)


def _candidate_picture(one: PatternTold) -> PatternPicture:
    """A candidate that was turned away has points, but no lines that anybody should trade on."""
    if one.near is None or one.near_session is None:
        raise BistError(f"{one.pattern.name}: no candidate to draw")
    points = zip(one.points["session_date"], one.points["price_try"], strict=True)
    return PatternPicture(
        pivots=tuple((day.date(), float(price)) for day, price in points),
        lines=(),
        direction=one.pattern.direction,
        state="no pattern",
        formed_on=one.near_session,
        confirmed_on=None,
        target_try=None,
        stop_try=None,
        confidence=float("nan"),
    )
