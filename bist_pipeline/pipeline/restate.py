"""Restatement: a symbol whose past changed is derived anew from where it changed, alone, and the ledger says why.

How `restate` works:
1. take the symbols that are dirty and have derived rows from there on, and those whose restatement was begun and not
   ended; the oldest change first, at most `MOST_SYMBOLS`;
2. note in `market.restatements` that it is begun (no publish yet): a process that is killed leaves this note, and the
   next run goes on;
3. derive these symbols alone, from the oldest change to the last session that is stored; that clears `dirty_from`;
4. publish these symbols alone, and complete the notes in the publish's transaction.

A dirty symbol of which nothing was derived yet is no restatement: whatever derives it first makes it clean.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any

import pandas as pd

from bist_pipeline.core.symbols import normalise_symbols
from bist_pipeline.operations import kill_switch
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.derive import derive_together
from bist_pipeline.pipeline.progress import Progress, silent
from bist_pipeline.pipeline.publish import PublishReport, publish
from bist_pipeline.pipeline.span import Span
from bist_pipeline.storage.database import Database, Statements

# A run is bounded: what is left is the next run's. Fifty whole histories are derived in a few seconds.
MOST_SYMBOLS = 50

# `publish_id` of a restatement that is begun and not published.
BEGUN = 0


@dataclass(frozen=True, slots=True)
class Pending:
    """One symbol that is to be restated.

    Attributes:
        symbol: Which.
        first: First session whose derived rows rest on a past that has changed.
        because: What has changed.
        mark: Changes whenever the symbol is cleaned again.
    """

    symbol: str
    first: date
    because: str
    mark: str


@dataclass(frozen=True, slots=True)
class Restated:
    """One symbol that was restated.

    Attributes:
        symbol: Which.
        first: First session that was derived anew for its sake.
        last: Last session.
        because: What had changed.
        signals_changed: New versions of signals.
        events_changed: New versions of pattern events.
    """

    symbol: str
    first: date
    last: date
    because: str
    signals_changed: int
    events_changed: int


@dataclass(frozen=True, slots=True)
class RestateReport:
    """What a restatement did.

    Attributes:
        restated: The symbols, the oldest change first.
        published: The publish; None where nothing was to be restated.
        left: How many symbols are still to be restated.
    """

    restated: tuple[Restated, ...]
    published: PublishReport | None
    left: int


def pending(database: Database, symbols: Sequence[str] | None = None) -> list[Pending]:
    """List the symbols that are to be restated, the oldest change first.

    Args:
        database: The data's database.
        symbols: Only these; None for all.
    """
    rows = database.rows(_PENDING, {"only": None if symbols is None else ",".join(symbols), "begun": BEGUN})
    return [Pending(row.symbol, row.first, row.because, row.mark) for row in rows]


def restate(
    context: PipelineContext, symbols: Sequence[str] | None = None, progress: Progress = silent
) -> RestateReport:
    """Derive and publish anew what rests on a past that has changed, at most `MOST_SYMBOLS` symbols.

    Args:
        context: The run's surroundings.
        symbols: Only these, as a person writes them; None for all.
        progress: Told of every step.

    Raises:
        KillSwitchError: The kill switch is set.
        StorageError: The database failed; running it again goes on.
    """
    kill_switch.check(context.settings.bist_kill_switch)
    wanted = None if symbols is None else normalise_symbols(symbols)
    found = pending(context.database, wanted)
    chosen = found[:MOST_SYMBOLS]
    if not chosen:
        return RestateReport((), None, 0)
    names = [one.symbol for one in chosen]
    firsts = [one.first for one in chosen]
    span = Span(min(firsts), max(filter(None, [_last_session(context.database, names), *firsts])))
    _begin(context, chosen, span.last)
    derive_together(context, span, names, lambda done, total: progress("deriving", done, total))
    restated: list[Restated] = []

    def complete(connection: Statements, publish_id: int) -> None:
        restated.extend(_complete(context, connection, publish_id, names))

    published = publish(context, span, names, also=complete)
    progress("publishing", 1, 1)
    return RestateReport(tuple(restated), published, len(found) - len(chosen))


def restate_all(
    context: PipelineContext, symbols: Sequence[str] | None = None, progress: Progress = silent
) -> list[RestateReport]:
    """Restate until nothing is left; a report per run.

    A symbol whose past changes again meanwhile is left to the next call: each symbol has its turn once.
    """
    reports = [restate(context, symbols, progress)]
    while reports[-1].left:
        done = {one.symbol for report in reports for one in report.restated}
        left = [one.symbol for one in pending(context.database, symbols and normalise_symbols(symbols))]
        rest = [symbol for symbol in left if symbol not in done]
        if not rest:
            break
        reports.append(restate(context, rest, progress))
    return reports


def report_frame(reports: Sequence[RestateReport]) -> pd.DataFrame:
    """What was restated, a row per symbol, to be shown."""
    rows = [asdict(one) for report in reports for one in report.restated]
    return pd.DataFrame(rows, columns=[field.name for field in fields(Restated)])


# A note that was begun counts on: the run that wrote it may have derived the rows, and was killed before the publish.
_PENDING = """
    SELECT symbol, min(first) AS first, max(mark) AS mark,
        string_agg(DISTINCT because, '; ' ORDER BY because) FILTER (WHERE because <> '') AS because
    FROM (
        SELECT l.symbol, l.dirty_from AS first, l.dirty_because AS because, l.cleaned_hash AS mark
        FROM market.fetch_ledger AS l WHERE l.dirty_from IS NOT NULL AND EXISTS (
            SELECT FROM analytics.indicators AS i WHERE i.symbol = l.symbol AND i.session_date >= l.dirty_from)
        UNION ALL
        SELECT r.symbol, r.first_session, r.because, '' FROM market.restatements AS r WHERE r.publish_id = :begun
    ) AS found
    WHERE CAST(:only AS text) IS NULL OR symbol = ANY (string_to_array(CAST(:only AS text), ','))
    GROUP BY symbol ORDER BY first, symbol"""


def _last_session(database: Database, symbols: Sequence[str]) -> date | None:
    """The last session with a bar of one of the symbols, or with a derived row of a bar that is gone."""
    last: date | None = database.rows(
        """SELECT max(day) AS last FROM (
            SELECT max(session_date) AS day FROM market.daily_prices WHERE symbol = ANY (string_to_array(:only, ','))
            UNION ALL
            SELECT max(session_date) FROM analytics.indicators WHERE symbol = ANY (string_to_array(:only, ','))
        ) AS days""",
        {"only": ",".join(symbols)},
    )[0].last
    return last


def _begin(context: PipelineContext, chosen: Sequence[Pending], last: date) -> None:
    """Note what is begun, in place of what was begun before."""
    with context.database.statements("beginning a restatement") as connection:
        connection.run("SELECT pg_advisory_xact_lock(hashtextextended('bist_pipeline:market.restatements', 0))")
        connection.run(
            """DELETE FROM market.restatements
            WHERE publish_id = :begun AND symbol = ANY (string_to_array(:names, ','))""",
            {"begun": BEGUN, "names": ",".join(one.symbol for one in chosen)},
        )
        connection.run(
            f"""INSERT INTO market.restatements (symbol, restated_at, first_session, last_session, because,
                signals_changed, events_changed, publish_id, run_id)
            VALUES (:symbol, {_A_MOMENT}, :first, :last, :because, 0, 0, :begun, :run_id)""",
            [
                {
                    "symbol": one.symbol,
                    "first": one.first,
                    "last": last,
                    "because": one.because or "",
                    "now": context.clock.now(),
                    "begun": BEGUN,
                    "run_id": context.run_id,
                }
                for one in chosen
            ],
        )


# A clock may stand still, and be set back: a later restatement has a later time all the same.
_A_MOMENT = """greatest(:now, (
                SELECT max(restated_at) + interval '1 microsecond' FROM market.restatements WHERE symbol = :symbol))"""


def _complete(
    context: PipelineContext, connection: Statements, publish_id: int, names: Sequence[str]
) -> list[Restated]:
    """Say what each symbol's restatement changed, and that it is published."""
    values: dict[str, Any] = {
        "publish_id": publish_id,
        "begun": BEGUN,
        "only": ",".join(names),
        "now": context.clock.now(),
        "run_id": context.run_id,
    }
    done = connection.rows(_COMPLETE, values)
    return sorted((Restated(**row) for row in done), key=lambda one: (one.first, one.symbol))


_COMPLETE = """
    UPDATE market.restatements AS r SET publish_id = :publish_id, run_id = :run_id,
        restated_at = greatest(:now, r.restated_at),
        signals_changed = (SELECT count(*) FROM serving.signals AS s
            WHERE s.symbol = r.symbol AND s.publish_id = :publish_id),
        events_changed = (SELECT count(*) FROM serving.pattern_events AS e
            WHERE e.symbol = r.symbol AND e.publish_id = :publish_id)
    WHERE r.publish_id = :begun AND r.symbol = ANY (string_to_array(:only, ','))
    RETURNING r.symbol, r.first_session AS first, r.last_session AS last, r.because, r.signals_changed,
        r.events_changed"""
