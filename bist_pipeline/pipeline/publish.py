"""Publishing: what consumers see changes at once, and every earlier answer stays readable.

How `publish` works, in one transaction under one lock:
1. versions in the span that differ from what was derived, or are derived no more, are superseded;
2. what has no current version gets one;
3. the publish row is written last, with the time of the commit;
4. listeners are told (`NOTIFY bist_published`) when the transaction commits.

An event of a session in progress is served as it was when it became what it is: `known_at` and the figures that move
with each trade stay at that until its state, its lines or anything else of it changes, or the session is over.

Of some symbols alone, everything above looks at theirs alone; what is served of the others is not even read.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.models import record_model
from bist_pipeline.pipeline.span import Span
from bist_pipeline.schemas.contract import Contract
from bist_pipeline.signals.model import MODEL
from bist_pipeline.storage.database import Statements

CHANNEL = "bist_published"

# From this many new versions on the server counts them at once: the next publish would otherwise be planned as if the
# tables were empty, and compare each row with every other.
_ROWS_WORTH_COUNTING = 10_000


@dataclass(frozen=True, slots=True)
class PublishReport:
    """What one publish changed, in rows."""

    publish_id: int
    signals: int
    signals_superseded: int
    events: int
    events_superseded: int
    symbols: int
    last_final_session: date | None


# What else belongs into a publish's transaction; is given its number.
Also = Callable[[Statements, int], None]


def publish(
    context: PipelineContext, span: Span, symbols: Sequence[str] | None = None, *, also: Also = lambda _, __: None
) -> PublishReport:
    """Make the derived rows of a span visible to consumers, in one transaction.

    Args:
        context: The run's surroundings.
        span: Sessions to publish.
        symbols: Only these, and counted alone; None for all.
        also: Called before the transaction commits.
    """
    with context.database.statements("publishing") as connection:
        connection.run("SELECT pg_advisory_xact_lock(hashtextextended('bist_pipeline:serving', 0))")
        connection.run("SET LOCAL work_mem = '256MB'")
        record_model(connection, MODEL)
        publish_id = connection.rows("SELECT coalesce(max(publish_id), 0) + 1 AS next FROM serving.publishes")[0][
            "next"
        ]
        values = {
            "publish_id": publish_id,
            "first": span.first,
            "last": span.last,
            "origin": context.origin,
            "only": None if symbols is None else ",".join(symbols),
        }
        signals = _publish_signals(connection, values)
        events = _publish_events(connection, values)
        _count(connection, signals["signals"], events["events"])
        row: dict[str, Any] = values | {"run_id": context.run_id} | signals | events | _summary(connection, values)
        connection.run(_INSERT_PUBLISH, row)
        message = json.dumps({"publish_id": publish_id, "first": str(span.first), "last": str(span.last)})
        also(connection, publish_id)
        connection.run("SELECT pg_notify(:channel, :message)", {"channel": CHANNEL, "message": message})
    return PublishReport(**{field.name: row[field.name] for field in fields(PublishReport)})


def _wanted(alias: str) -> str:
    """The SQL condition under which a row is in the publish."""
    return f"""{alias}.session_date BETWEEN :first AND :last
        AND (CAST(:only AS text) IS NULL OR {alias}.symbol = ANY (string_to_array(CAST(:only AS text), ',')))"""


def _count(connection: Statements, signals: int, events: int) -> None:
    if max(signals, events) >= _ROWS_WORTH_COUNTING:
        connection.run("ANALYZE serving.signals (symbol, session_date, superseded_by)")
        connection.run("ANALYZE serving.pattern_events (symbol, session_date, event_id, superseded_by)")


def _publish_signals(connection: Statements, values: dict[str, Any]) -> dict[str, int]:
    derived, served = contracts().signals, contracts().served_signals
    answer = [n for n in derived.columns if n not in {*derived.key, *derived.stamps}]
    superseded = connection.run(_supersede(served, derived.name, "symbol", [f'{{0}}."{n}"' for n in answer]), values)
    columns = ", ".join(f'"{name}"' for name in (*derived.key, *answer))
    added = connection.run(
        f"""INSERT INTO serving.signals ({columns}, origin, publish_id)
        SELECT {columns}, CAST(:origin AS text), :publish_id FROM {derived.name} AS d
        WHERE {_wanted("d")} AND NOT EXISTS (
            SELECT 1 FROM serving.signals AS s WHERE s.session_date = d.session_date AND s.symbol = d.symbol
            AND s.superseded_by IS NULL)""",
        values,
    )
    return {"signals": added, "signals_superseded": superseded}


# A candlestick as an event: its name is its place, and it is confirmed by the bar that completes it.
_CANDLES_AS_EVENTS = f"""
    SELECT d.symbol || ':' || d.pattern || ':' || d.session_date AS event_id, d.symbol, d.session_date, d.pattern,
           'candlestick' AS kind, d.direction, 'confirmed' AS state, d.strength::double precision AS strength,
           d.known_at,
           jsonb_build_object('trend_before', d.trend_before, 'trend_slope_atr', d.trend_slope_atr,
                              'fits_trend', d.fits_trend, 'level_distance_atr', d.level_distance_atr,
                              'is_locked', d.is_locked) AS details, d.is_final
    FROM analytics.candlestick_patterns AS d WHERE {_wanted("d")}"""

# Of a chart pattern each change is an event row; what it is told of goes into the details under the columns' names.
# Close and volume of the session stay out: while it trades each refresh would make a new version of every row.
_TOLD = [
    *("because", "started_on", "last_pivot_on", "formed_on", "scale", "line_try", "target_try", "stop_try"),
    *("height_atr", "touches", "confidence_touches", "confidence_fit", "confidence_structure", "confidence_recency"),
    *("confidence_volume", "volume_first_third", "volume_middle_third", "volume_last_third"),
    *("tape", "is_tradeable", "is_strong", "version"),
]
_CHARTS_AS_EVENTS = f"""
    SELECT d.event_id, d.symbol, d.session_date, d.pattern, 'chart' AS kind, d.direction, d.state,
           d.shape_confidence AS strength, d.known_at,
           jsonb_build_object({", ".join(f"'{name}', d.{name}" for name in _TOLD)},
                              'pivots', d.pivots::jsonb, 'lines', d.lines::jsonb) AS details, d.is_final
    FROM analytics.chart_patterns AS d WHERE {_wanted("d")}"""

# Laid down once, counted and with a key: planned as a union of which nothing is known, each row would be compared with
# every other, for minutes.
_EVENTS = "derived_events"
_LAY_DOWN = (
    f"CREATE TEMPORARY TABLE {_EVENTS} ON COMMIT DROP AS {_CANDLES_AS_EVENTS} UNION ALL {_CHARTS_AS_EVENTS}",
    f"CREATE UNIQUE INDEX ON {_EVENTS} (session_date, event_id)",
    f"ANALYZE {_EVENTS} (session_date, event_id)",
)

# Measured on the session's own bar: while it trades they move with each refresh, though the event stays what it is.
_MOVING = [name for name in (*_TOLD, "level_distance_atr") if name.startswith(("confidence_", "volume_", "level_"))]

# Between two rows of a session in progress these do not count, or each refresh would make a version of every event; a
# final row is compared in full.
_SETTLED = "s.is_final OR d.is_final"
_OF_EVENTS = {
    "known_at": f"CASE WHEN {_SETTLED} THEN {{0}}.known_at END",
    "strength": f"CASE WHEN {_SETTLED} OR {{0}}.kind = 'candlestick' THEN {{0}}.strength END",
    "details": f"CASE WHEN {_SETTLED} THEN {{0}}.details "
    f"ELSE {{0}}.details - CAST(string_to_array('{','.join(_MOVING)}', ',') AS text[]) END",
}


def _publish_events(connection: Statements, values: dict[str, Any]) -> dict[str, int]:
    served = contracts().served_events
    keys = ("event_id", "symbol", "session_date", "publish_id", "superseded_by")
    answer = [name for name in served.columns if name not in keys]
    compared = [_OF_EVENTS.get(name, f'{{0}}."{name}"') for name in answer]
    connection.run(_LAY_DOWN[0], values)
    for statement in _LAY_DOWN[1:]:
        connection.run(statement)
    superseded = connection.run(_supersede(served, _EVENTS, "event_id", compared), values)
    columns = ", ".join(("event_id", "symbol", "session_date", *answer))
    added = connection.run(
        f"""INSERT INTO serving.pattern_events ({columns}, publish_id)
        SELECT {columns}, :publish_id FROM {_EVENTS} AS d
        WHERE NOT EXISTS (
            SELECT 1 FROM serving.pattern_events AS s WHERE s.symbol = d.symbol AND s.session_date = d.session_date
            AND s.event_id = d.event_id AND s.superseded_by IS NULL)""",
        values,
    )
    return {"events": added, "events_superseded": superseded}


def _supersede(served: Contract, derived: str, match: str, answer: Sequence[str]) -> str:
    """SQL that marks the current versions whose answer is no longer what was derived.

    Args:
        served: The table of versions.
        derived: What was derived, as SQL.
        match: Column by which both find each other within a session.
        answer: What is compared, as SQL of one row, whose name stands at `{0}`.
    """
    ours, theirs = (", ".join(part.format(row) for part in answer) for row in ("s", "d"))
    return f"""
        UPDATE {served.name} AS s SET superseded_by = :publish_id
        WHERE {_wanted("s")} AND s.superseded_by IS NULL AND NOT EXISTS (
            SELECT 1 FROM {derived} AS d WHERE d.session_date = s.session_date AND d.{match} = s.{match}
            AND ({theirs}) IS NOT DISTINCT FROM ({ours}))"""


def _summary(connection: Statements, values: dict[str, Any]) -> dict[str, Any]:
    return connection.rows(
        f"""SELECT count(DISTINCT symbol) AS symbols, max(session_date) FILTER (WHERE is_final) AS last_final_session
        FROM serving.signals AS s WHERE {_wanted("s")} AND superseded_by IS NULL""",
        values,
    )[0]


_INSERT_PUBLISH = """
    INSERT INTO serving.publishes (publish_id, published_at, origin, run_id, first_session, last_session,
        last_final_session, signals, signals_superseded, events, events_superseded, symbols)
    VALUES (:publish_id,
        greatest(clock_timestamp(), (SELECT max(published_at) FROM serving.publishes)), -- a clock may be set back
        :origin, :run_id, :first, :last, :last_final_session, :signals,
        :signals_superseded, :events, :events_superseded, :symbols)"""
