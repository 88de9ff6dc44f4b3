"""What is stored and what is still to be derived.

Belongs here: counting rows by session and by state of coverage, and cutting the stored history into the chunks in which
it is derived for the first time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from bist_pipeline.core.calendar import ORIGIN
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.span import CHUNK_WEEKDAYS, Span
from bist_pipeline.schemas.contract import Contract
from bist_pipeline.storage.database import Database


def rows_by_session(context: PipelineContext, contract: Contract, span: Span) -> "pd.Series[int]":
    """Count the rows of a table per session of a span; index session_date."""
    counted = context.database.frame(
        f"SELECT session_date, count(*) AS rows FROM {contract.name} "
        "WHERE session_date BETWEEN $1 AND $2 GROUP BY session_date",
        [span.first, span.last],
    )
    return counted.set_index("session_date")["rows"]


def coverage_counts(context: PipelineContext, span: Span) -> Mapping[str, int]:
    """Count symbol-sessions by state; the counts sum to active symbols × sessions."""
    rows = context.database.rows(
        """SELECT state, count(*) AS sessions FROM serving.coverage_v1 WHERE session_date BETWEEN :first AND :last
        GROUP BY state ORDER BY state""",
        {"first": span.first, "last": span.last},
    )
    return {row.state: int(row.sessions) for row in rows}


@dataclass(frozen=True, slots=True)
class HistoryChunk:
    """One chunk of the calendar in which history is first derived.

    Attributes:
        number: Counted from the origin, so that it names the same sessions for ever.
        span: Its sessions, ending with the day asked for at the latest.
        published: Whether a publish covers it.
    """

    number: int
    span: Span
    published: bool


def history_chunks(database: Database, today: date) -> list[HistoryChunk]:
    """Cut what is stored into chunks, newest first.

    Before anything is stored, that is the newest chunk alone: its run fetches everything and the rest follows.
    """
    stored = database.rows("SELECT min(first_session) AS first, max(last_session) AS last FROM market.fetch_ledger")[0]
    publishes = database.rows("SELECT first_session, last_session FROM serving.publishes")
    newest = _number(today)
    oldest = newest if stored.first is None else _number(max(stored.first, ORIGIN))
    latest = newest if stored.last is None else _number(min(stored.last, today))
    numbers = [newest, *range(min(latest, newest - 1), oldest - 1, -1)]
    return [_chunk(number, today, [tuple(row) for row in publishes]) for number in numbers]


def newest_chunk(today: date) -> HistoryChunk:
    """The chunk that today belongs to, for a database that does not exist yet."""
    return _chunk(_number(today), today, [])


def _number(day: date) -> int:
    return (day - ORIGIN).days // (CHUNK_WEEKDAYS // 5 * 7)


def _chunk(number: int, today: date, publishes: list[tuple[date, ...]]) -> HistoryChunk:
    weeks = timedelta(weeks=CHUNK_WEEKDAYS // 5)
    first = ORIGIN + number * weeks
    whole = first + weeks - timedelta(days=3)  # the Friday of the last week
    span = Span(first, min(whole, today))
    covered = any(begin <= span.first and (end >= span.last or _is_newest(span, today)) for begin, end in publishes)
    return HistoryChunk(number, span, covered)


def _is_newest(span: Span, today: date) -> bool:
    """The newest chunk grows by a session a day; that is the refresh's work, not a first load's."""
    return span.last == today
