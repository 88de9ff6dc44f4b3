"""How the providers are doing: what was asked, what was answered, what went wrong, and whether anything is let through.

Belongs here: questions to `operations.requests` and `operations.circuits`. Printing the answers is the command line's
work, putting them into asset metadata is Dagster's.
"""

from datetime import datetime, timedelta

import pandas as pd

from bist_pipeline.pipeline.pacing import read_circuits
from bist_pipeline.pipeline.pacing_rows import host_circuit
from bist_pipeline.providers.pacing import breaker, gate
from bist_pipeline.providers.pacing.breaker import Circuit
from bist_pipeline.storage.database import Database

# `unknown` is an answer: the provider says that it has no such symbol.
_ANSWERED = "outcome IN ('answered', 'unknown')"

_HEALTH = f"""
SELECT provider, host, family,
    count(*) FILTER (WHERE recent) AS requests,
    count(*) FILTER (WHERE recent AND {_ANSWERED}) AS answered,
    (count(*) FILTER (WHERE recent AND {_ANSWERED}))::float8 / nullif(count(*) FILTER (WHERE recent), 0)
        AS success_ratio,
    count(*) FILTER (WHERE recent AND attempt > 1) AS retried,
    count(*) FILTER (WHERE recent AND outcome = 'throttled') AS throttled,
    count(*) FILTER (WHERE recent AND outcome = 'server_error') AS server_errors,
    count(*) FILTER (WHERE recent AND outcome = 'bad_body') AS bad_bodies,
    count(*) FILTER (WHERE recent AND outcome = 'timeout') AS timeouts,
    count(*) FILTER (WHERE recent AND outcome = 'connection') AS connection_faults,
    count(*) FILTER (WHERE recent AND outcome = 'unauthorized') AS unauthorized,
    count(*) FILTER (WHERE recent AND outcome = 'refused') AS refused,
    coalesce(sum(waited_seconds) FILTER (WHERE recent), 0) AS waited_seconds,
    coalesce(sum(bytes) FILTER (WHERE recent), 0)::bigint AS bytes_received,
    max(requested_at) FILTER (WHERE {_ANSWERED}) AS last_answer_at
FROM (
    SELECT *, requested_at >= clock_timestamp() - make_interval(secs => $1) AS recent FROM operations.requests
) AS requests
GROUP BY provider, host, family ORDER BY provider, host, family"""

_COUNTS = f"""
SELECT count(*) AS requests_asked,
    count(*) FILTER (WHERE {_ANSWERED}) AS requests_answered,
    count(*) FILTER (WHERE attempt > 1) AS requests_retried,
    count(*) FILTER (WHERE outcome = 'throttled') AS requests_throttled,
    count(*) FILTER (WHERE NOT ({_ANSWERED}) AND outcome <> 'throttled') AS requests_failed,
    coalesce(sum(waited_seconds), 0) AS waited_seconds,
    coalesce(sum(bytes), 0)::bigint AS bytes_received
FROM operations.requests WHERE run_id = :run_id"""

_PACE = "SELECT family, cooldown_until FROM operations.pace WHERE cooldown_until > clock_timestamp()"


def read_health(database: Database, since: timedelta) -> pd.DataFrame:
    """Tell of each provider and host that was ever asked how it did lately.

    Args:
        database: Where the requests are noted.
        since: How far to look back from now.

    Returns:
        One row per `provider` and `host`: `family`, `requests`, `answered` (a symbol that the provider does not know
        included), `success_ratio` (0 to 1; NaN without requests), `retried` (further tries), `throttled` (429), the
        faults by kind `server_errors`, `bad_bodies`, `timeouts`, `connection_faults`, `unauthorized`, `refused`,
        `waited_seconds` (held back by pace and cool-down), `bytes_received`; `last_answer_at` (UTC), which may be
        older than `since`; `circuit`, what is let through, in words.
    """
    health = database.frame(_HEALTH, [since.total_seconds()])
    with database.statements("reading the cool-downs") as statements:
        now: datetime = statements.rows("SELECT clock_timestamp() AS now")[0]["now"]
        cooling = {row["family"]: row["cooldown_until"] for row in statements.rows(_PACE)}
    circuits = read_circuits(database)
    told = [
        _told(circuits, cooling.get(family), family, host, now)
        for family, host in zip(health["family"], health["host"], strict=True)
    ]
    return health.assign(circuit=pd.Series(told, index=health.index, dtype="str"))


def request_counts(database: Database, run_id: str) -> dict[str, int | float]:
    """Count one run's requests, for the metadata of its assets.

    Returns:
        `requests_asked` = `requests_answered` + `requests_throttled` + `requests_failed`; `requests_retried` (further
        tries among those asked), `waited_seconds`, `bytes_received`. All zero for a run that asked nothing.
    """
    with database.statements("counting a run's requests") as statements:
        return statements.rows(_COUNTS, {"run_id": run_id})[0]


def _told(circuits: dict[str, Circuit], cooling: datetime | None, family: str, host: str, now: datetime) -> str:
    """Say what is let through to a host: the family's circuit first, for it closes every host."""
    known = [circuits[name] for name in (family, host_circuit(family, host)) if name in circuits]
    troubled = [circuit for circuit in known if circuit.state != "closed"]
    refusing = [circuit for circuit in troubled if breaker.refused_until(circuit, now)]
    if refusing or troubled:
        return gate.told((refusing or troubled)[0], now)
    return f"closed; cooling down until {gate.clock_time(cooling)}" if cooling else "closed"
