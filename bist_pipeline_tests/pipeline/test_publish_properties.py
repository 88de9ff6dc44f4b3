"""Publishing against a list of versions in Python: whatever is derived and published in whatever order, every past
moment can be read again exactly as it was.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bist_pipeline.pipeline.publish import publish
from bist_pipeline.pipeline.span import Span
from bist_pipeline_tests.kept import database_url, kept_url  # noqa: F401 - fixtures
from bist_pipeline_tests.pipeline.answers import (
    scores_as_of,
    served_scores,
    served_strengths,
    server_time,
    write_candles,
    write_signals,
)

SYMBOLS = ("ZZAAA", "ZZAAB")
DAYS = tuple(date(2024, 1, day) for day in (2, 3, 4))

places = st.tuples(st.sampled_from(SYMBOLS), st.sampled_from(DAYS))
signals = st.dictionaries(places, st.sampled_from((-1.0, 0.0, 0.1)), max_size=6)
patterns = st.tuples(st.sampled_from(SYMBOLS), st.sampled_from(DAYS), st.sampled_from(("doji", "hammer")))
candles = st.dictionaries(patterns, st.sampled_from((-100, 80)), max_size=6)
spans = st.tuples(st.sampled_from(DAYS), st.sampled_from(DAYS)).map(lambda pair: Span(min(pair), max(pair)))
steps = st.lists(st.tuples(signals, candles, st.lists(spans, min_size=1, max_size=2)), min_size=1, max_size=4)

TABLES = ("serving.signals", "serving.pattern_events", "serving.publishes")


@dataclass
class Shelf:
    """The versions of one kind of row: what publishing promises, in a few lines."""

    current: dict[Hashable, float] = field(default_factory=dict)

    def publish(self, derived: dict[Any, float], span: Span) -> tuple[int, int]:
        """Return how many versions were added and superseded."""
        within = {key for key in {*self.current, *derived} if span.first <= key[1] <= span.last}  # pyright: ignore
        gone = {key for key in within & self.current.keys() if derived.get(key) != self.current[key]}
        for key in gone:
            del self.current[key]
        new = {key: derived[key] for key in within & derived.keys() if key not in self.current}
        self.current |= new
        return len(new), len(gone)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_every_past_moment_can_be_read_again(context, steps):
    database = context.database
    for table in TABLES:
        database.run_alone(f"TRUNCATE {table}")
    scores, strengths = Shelf(), Shelf()
    seen: list[tuple[datetime, dict[Any, float]]] = [(server_time(database), {})]
    for derived_signals, derived_candles, ranges in steps:
        write_signals(database, derived_signals)
        write_candles(database, derived_candles)
        for span in ranges:
            report = publish(context, span)
            added, gone = scores.publish(derived_signals, span)
            assert (report.signals, report.signals_superseded) == (added, gone)
            assert (report.events, report.events_superseded) == strengths.publish(derived_candles, span)
            assert served_scores(database) == scores.current
            assert served_strengths(database) == strengths.current
            seen.append((server_time(database), dict(scores.current)))
    for moment, visible in seen:
        assert scores_as_of(database, moment) == visible
    assert_versions_hang_together(database)


def assert_versions_hang_together(database: Any) -> None:
    """A version is followed by the next one of its place, or by a publish that withdrew it; never two at once."""
    rows = database.rows(
        """SELECT publish_id, superseded_by, lead(publish_id) OVER w AS next, row_number() OVER w AS number,
               count(*) OVER (PARTITION BY symbol, session_date) AS versions
        FROM serving.signals WINDOW w AS (PARTITION BY symbol, session_date ORDER BY publish_id)"""
    )
    for row in rows:
        is_last = row.number == row.versions
        assert row.superseded_by is None or row.superseded_by > row.publish_id
        assert is_last or (row.superseded_by is not None and row.superseded_by <= row.next)
