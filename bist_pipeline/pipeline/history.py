"""What is stored and what is still to be derived.

Belongs here: counting rows by session and by state of coverage, and cutting the stored history into the chunks in which
it is derived for the first time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from bist_pipeline.core.calendar import ORIGIN
from bist_pipeline.core.universe import load_universe
from bist_pipeline.pipeline.asking import version_mark
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.span import CHUNK_WEEKDAYS, Span
from bist_pipeline.pipeline.traded import TRADED_SQL
from bist_pipeline.providers.contract import PriceProvider
from bist_pipeline.schemas.contract import Contract
from bist_pipeline.schemas.market import GRADES
from bist_pipeline.schemas.reference import ACTION_ORIGINS
from bist_pipeline.settings import Settings
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


def grade_counts(context: PipelineContext, span: Span) -> Mapping[str, int]:
    """Count the accepted bars of a span by grade: `grade_A`, `grade_B`, `grade_C`."""
    rows = context.database.rows(
        "SELECT grade, count(*) AS bars FROM market.daily_prices WHERE session_date BETWEEN :first AND :last "
        "GROUP BY grade",
        {"first": span.first, "last": span.last},
    )
    return {f"grade_{grade}": 0 for grade in GRADES} | {f"grade_{row.grade}": int(row.bars) for row in rows}


def action_counts(context: PipelineContext, span: Span) -> Mapping[str, int]:
    """Count the corporate actions of a span by who says so: `actions_desk`, `actions_provider`, `actions_inferred`."""
    rows = context.database.rows(
        "SELECT origin, count(*) AS actions FROM reference.corporate_actions "
        "WHERE ex_date BETWEEN :first AND :last GROUP BY origin",
        {"first": span.first, "last": span.last},
    )
    none = {f"actions_{origin}": 0 for origin in ACTION_ORIGINS}
    return none | {f"actions_{row.origin}": int(row.actions) for row in rows}


@dataclass(frozen=True, slots=True)
class HistoryChunk:
    """One chunk of the calendar in which stored history is derived.

    Attributes:
        number: Counted from the origin, so that it names the same sessions for ever.
        span: Its sessions, ending with the day asked for at the latest.
        published: Whether a publish covers what is stored of it, and, where that was looked at, no bar lacks its rows.
    """

    number: int
    span: Span
    published: bool


def history_chunks(database: Database, today: date, *, thorough: bool = False) -> list[HistoryChunk]:
    """Cut what is stored into chunks, newest first.

    Before anything is stored, that is the newest chunk alone: its run fetches everything and the rest follows.

    Args:
        database: The data's database.
        today: The newest partition.
        thorough: Also look for what a publish does not show: bars of a symbol that came later, derived rows that a
            killed run did not publish, rows that rest on bars which have changed since. Reads the keys of the tables.
    """
    # Of accepted bars: a row of the year 1921 or 2099 is in quarantine, and needs no chunk.
    stored = database.rows("SELECT min(session_date) AS first, max(session_date) AS last FROM market.daily_prices")[0]
    if stored.first is None or stored.last is None:
        return [newest_chunk(today)]
    needed = Span(max(stored.first, ORIGIN), max(min(stored.last, today), ORIGIN))
    publishes = [Span(*row) for row in database.rows(_WHOLE_PUBLISHES)]
    lacking = _lacking(database) if thorough else set()
    newest = _number(today)
    numbers = [newest, *range(min(_number(needed.last), newest - 1), _number(needed.first) - 1, -1)]
    spans = {number: _span(number, today) for number in numbers}
    return [
        HistoryChunk(number, span, number not in lacking and _is_covered(span, needed, publishes))
        for number, span in spans.items()
    ]


# A restatement publishes some symbols only.
_WHOLE_PUBLISHES = """
    SELECT first_session, last_session FROM serving.publishes
    WHERE publish_id NOT IN (SELECT publish_id FROM market.restatements)"""


def newest_chunk(today: date) -> HistoryChunk:
    """The chunk that today belongs to, while nothing is stored."""
    return HistoryChunk(_number(today), _span(_number(today), today), published=False)


def changed_symbols(
    settings: Settings, providers: Sequence[PriceProvider], database: Database
) -> list[tuple[str, str | None]]:
    """List the symbols that a provider would answer differently now, with its version mark.

    Cheap enough for a sensor: no history is read.
    """
    offered = sorted({symbol for provider in providers for symbol in provider.symbols() or ()})
    followed = set(load_universe(settings.bist_universe, also=offered)["symbol"])
    known = {row.symbol: row.version for row in database.rows("SELECT symbol, version FROM market.fetch_ledger")}
    # Where only asking tells what there is, every symbol is asked for.
    asked = followed if any(provider.symbols() is None for provider in providers) else followed & set(offered)
    marks = [(symbol, version_mark(providers, symbol)) for symbol in sorted(asked)]
    return [(symbol, mark) for symbol, mark in marks if known.get(symbol) != mark]


def _number(day: date) -> int:
    return (day - ORIGIN).days // (CHUNK_WEEKDAYS // 5 * 7)


def _span(number: int, today: date) -> Span:
    weeks = timedelta(weeks=CHUNK_WEEKDAYS // 5)
    first = ORIGIN + number * weeks
    return Span(first, min(first + weeks - timedelta(days=3), today))  # to the Friday of the last week


def _is_covered(span: Span, needed: Span, publishes: Sequence[Span]) -> bool:
    """Whether one publish covers what is stored of a chunk; of a chunk with nothing stored, any that touches it."""
    first, last = max(span.first, needed.first), min(span.last, needed.last)
    if first > last:
        return any(one.first <= span.last and one.last >= span.first for one in publishes)
    return any(one.first <= first and one.last >= last for one in publishes)


# Each accepted bar gets a row of indicators; each of those that traded and whose RSI is known gets a signal, since one
# of the terms needs nothing else; each signal is served as it was derived. A candlestick of which nobody said whether
# its bar was locked was derived before there were chart patterns: its year has none yet. What rests on bars that have
# changed since is computed anew symbol by symbol (`restate.py`).
_LACKING = f"""
    SELECT DISTINCT (session_date - :origin) / :days AS number FROM (
        SELECT session_date FROM market.daily_prices AS p WHERE NOT EXISTS (
            SELECT FROM analytics.indicators AS i WHERE i.symbol = p.symbol AND i.session_date = p.session_date)
        UNION ALL
        SELECT i.session_date FROM analytics.indicators AS i JOIN market.daily_prices AS p
            ON p.symbol = i.symbol AND p.session_date = i.session_date AND {TRADED_SQL}
        WHERE i.rsi_14 IS NOT NULL AND NOT EXISTS (
            SELECT FROM analytics.signals AS a WHERE a.symbol = i.symbol AND a.session_date = i.session_date)
        UNION ALL
        SELECT session_date FROM analytics.signals AS a WHERE NOT EXISTS (
            SELECT FROM serving.signals AS s WHERE s.symbol = a.symbol AND s.session_date = a.session_date
            AND s.superseded_by IS NULL AND s.data_version = a.data_version)
        UNION ALL
        SELECT session_date FROM analytics.candlestick_patterns WHERE is_locked IS NULL
    ) AS lacking WHERE session_date >= :origin"""


def sessions_without_charts(database: Database) -> Span | None:
    """From where to where history was derived by a version that knew no chart patterns; None where none was."""
    found = database.rows(
        "SELECT min(session_date) AS first, max(session_date) AS last FROM analytics.candlestick_patterns "
        "WHERE is_locked IS NULL"
    )[0]
    return None if found.first is None else Span(found.first, found.last)


def _lacking(database: Database) -> set[int]:
    """Numbers of the chunks in which something is still to be derived or published."""
    rows = database.rows(_LACKING, {"origin": ORIGIN, "days": CHUNK_WEEKDAYS // 5 * 7})
    return {int(row.number) for row in rows}
