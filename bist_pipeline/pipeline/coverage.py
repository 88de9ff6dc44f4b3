"""What the coverage ledger tells of a run's sessions.

Belongs here: the numbers that a person watches. The states are the view's (`storage/coverage_view.py`), the gaps are
`gaps.py`'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.gaps import GapReport, update_gaps
from bist_pipeline.pipeline.span import Span
from bist_pipeline.storage.coverage_view import COVERAGE_STATES

# States that somebody should look at.
ATTENTION = ("provider_failed", "provider_silent", "quarantined", "not_fetched")


@dataclass(frozen=True, slots=True)
class CoverageReport:
    """What is known of a span.

    Attributes:
        counts: Symbol-sessions of the span by state, all states in their order; they sum to symbols × sessions.
        by_session: Per session of the span, how many symbols lie in a gap; sessions without any are left out.
        gaps: All gaps that are known.
    """

    counts: Mapping[str, int]
    by_session: "pd.Series[int]"
    gaps: GapReport


def update_coverage(context: PipelineContext, span: Span) -> CoverageReport:
    """Bring the gaps up to date and count the states of a span.

    The newest sessions come with whole histories, which may have filled or torn gaps anywhere: all sessions are looked
    at then. An older span is derived from what is stored, and looked at alone.
    """
    newest = context.database.rows("SELECT max(session_date) AS day FROM market.daily_prices")[0].day
    gaps = update_gaps(context, None if newest is None or span.last >= newest else span)
    return CoverageReport(_counts(context, span), _by_session(context, span), gaps)


def _counts(context: PipelineContext, span: Span) -> Mapping[str, int]:
    rows = context.database.rows(
        """SELECT state, count(*) AS sessions FROM serving.coverage_v1
        WHERE session_date BETWEEN :first AND :last GROUP BY state""",
        {"first": span.first, "last": span.last},
    )
    found = {row.state: int(row.sessions) for row in rows}
    return {state: found.get(state, 0) for state in COVERAGE_STATES}


def _by_session(context: PipelineContext, span: Span) -> "pd.Series[int]":
    counted = context.database.frame(
        """SELECT s.session_date, count(*) AS rows FROM market.gaps AS g
        JOIN reference.sessions AS s ON s.is_session AND s.session_date BETWEEN g.first_session AND g.last_session
        WHERE s.session_date BETWEEN $1 AND $2 GROUP BY s.session_date""",
        [span.first, span.last],
    )
    return counted.set_index("session_date")["rows"]
