"""What a person asks first: how far is it, what is missing, what is withheld, who is failing.

Belongs here: the numbers. Printing them is the command line's work.
"""

from dataclasses import dataclass
from datetime import timedelta

import pandas as pd

from bist_pipeline.core.calendar import MarketState
from bist_pipeline.pipeline.actions import read_desk
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.dagster_records import failed_runs
from bist_pipeline.pipeline.listings import listings_problem
from bist_pipeline.pipeline.market_kind import stored_market_kind
from bist_pipeline.pipeline.provider_health import read_health
from bist_pipeline.pipeline.refresh import next_live_moment
from bist_pipeline.providers.registry import registered_providers

NEWEST_SESSIONS = 5
NEWEST_PUBLISHES = 5
HEALTH_OF = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Status:
    """The state of one database.

    Attributes:
        market: What the exchange is doing now.
        watermark: One row: publish_id, published_at, last_session, last_final_session; empty before the first publish.
        tables: `table`, `rows`, `first_session`, `last_session`.
        coverage: Newest sessions that have bars: `session_date`, `state`, `symbols`.
        symbols: `status`, `symbols`: what became of the last asking.
        failures: `symbol`, `reason` of those that failed.
        quarantine: `rule`, `rows`, `symbols`.
        dirty: `symbol`, `dirty_from`, `dirty_because`: derived rows that rest on bars which have changed since.
        stale: `symbol`, `session_date`, `stale_because`: symbols whose last good signal is not of the newest session.
        grades: `grade`, `bars`: of the accepted bars.
        problem: Why the desk's list of actions cannot be read; empty where it can, or where there is none.
        listings_problem: The same of its listings.
        publishes: The newest ones.
        providers: `provider`, `licence`, `terms`, `configured`.
        kind: Which kind of market is stored; empty before the first answer.
        health: What was asked of each provider in the last day, and what came of it.
        idle: How long the live lane has had no answer while the exchange trades; None while it need not have one.
        live: Newest state of each symbol in the session that was last refreshed: `state`, `symbols`, `newest`.
        failed_runs: Runs of Dagster that failed in the last day: `job`, `runs`, `last_failed`.
    """

    market: MarketState
    watermark: pd.DataFrame
    tables: pd.DataFrame
    coverage: pd.DataFrame
    symbols: pd.DataFrame
    failures: pd.DataFrame
    quarantine: pd.DataFrame
    dirty: pd.DataFrame
    stale: pd.DataFrame
    grades: pd.DataFrame
    problem: str
    listings_problem: str
    publishes: pd.DataFrame
    providers: pd.DataFrame
    kind: str
    health: pd.DataFrame
    idle: timedelta | None
    live: pd.DataFrame
    failed_runs: pd.DataFrame


_TABLES = (
    "market.raw_prices",
    "market.daily_prices",
    "market.quarantine",
    "analytics.indicators",
    "analytics.candlestick_patterns",
    "analytics.chart_patterns",
    "analytics.signals",
    "serving.signals_v1",
    "serving.pattern_events_v1",
)


def read_status(context: PipelineContext) -> Status:
    """Read everything that `status` tells."""
    frame = context.database.frame
    return Status(
        market=context.calendar.state_at(context.clock.now()),
        watermark=frame("SELECT * FROM serving.watermark"),
        tables=frame(" UNION ALL ".join(_table_sql(n, name) for n, name in enumerate(_TABLES)) + " ORDER BY place"),
        coverage=frame(_COVERAGE, [NEWEST_SESSIONS]),
        symbols=frame("SELECT status, count(*) AS symbols FROM market.fetch_ledger GROUP BY status ORDER BY status"),
        failures=frame("SELECT symbol, reason FROM market.fetch_ledger WHERE status = 'failed' ORDER BY symbol"),
        quarantine=frame(
            """SELECT rule, count(*) AS rows, count(DISTINCT symbol) AS symbols
            FROM market.quarantine GROUP BY rule ORDER BY rows DESC, rule"""
        ),
        dirty=frame(
            """SELECT symbol, dirty_from, dirty_because FROM market.fetch_ledger
            WHERE dirty_from IS NOT NULL ORDER BY symbol"""
        ),
        stale=frame(
            """SELECT symbol, session_date, stale_because FROM serving.latest_signals_v1 WHERE is_stale
            ORDER BY session_date DESC, symbol"""
        ),
        grades=frame("SELECT grade, count(*) AS bars FROM market.daily_prices GROUP BY grade ORDER BY grade"),
        problem=read_desk(context).problem,
        listings_problem=listings_problem(context.settings),
        publishes=frame("SELECT * FROM serving.publishes ORDER BY publish_id DESC LIMIT $1", [NEWEST_PUBLISHES]),
        providers=_providers(context),
        kind=stored_market_kind(context.database) or "",
        health=read_health(context.database, HEALTH_OF),
        idle=_idle(context),
        live=frame(_LIVE),
        failed_runs=failed_runs(context.settings, HEALTH_OF),
    )


def _table_sql(place: int, name: str) -> str:
    return (
        f"SELECT {place} AS place, '{name}' AS \"table\", count(*) AS rows, min(session_date) AS first_session, "
        f"max(session_date) AS last_session FROM {name}"
    )


_COVERAGE = """
SELECT session_date, state, count(*) AS symbols FROM serving.coverage_v1
WHERE session_date IN (SELECT DISTINCT session_date FROM market.daily_prices ORDER BY session_date DESC LIMIT $1)
GROUP BY session_date, state ORDER BY session_date DESC, state"""


def _idle(context: PipelineContext) -> timedelta | None:
    now = context.clock.now()
    if not context.settings.bist_live_providers or next_live_moment(context, now) is not None:
        return None
    newest = context.database.rows("SELECT max(fetched_at) AS at FROM market.quotes WHERE as_of IS NOT NULL")[0].at
    return now - newest if newest is not None else None


_LIVE = """
SELECT session_date, state, count(*) AS symbols, max(as_of) AS newest FROM (
    SELECT DISTINCT ON (symbol) symbol, session_date, state, as_of FROM market.quotes
    WHERE run_id = (SELECT run_id FROM market.quotes ORDER BY fetched_at DESC LIMIT 1)
    AND fetched_at >= (SELECT max(fetched_at) FROM market.quotes) - interval '1 minute'
    ORDER BY symbol, fetched_at DESC) AS newest
GROUP BY session_date, state ORDER BY state"""


def _providers(context: PipelineContext) -> pd.DataFrame:
    chosen = context.settings
    configured = {*chosen.bist_providers, *chosen.bist_live_providers, chosen.bist_second_provider}
    rows = [(name, spec.licence, spec.terms, name in configured) for name, spec in registered_providers().items()]
    return pd.DataFrame(rows, columns=["provider", "licence", "terms", "configured"])
