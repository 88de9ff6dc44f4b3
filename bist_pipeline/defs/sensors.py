"""Sensors: what happens without a clock.

Belongs here: asking a few small questions of the database and requesting runs. A sensor's evaluation must take about a
second: it runs in the code server, beside every other one.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date

import dagster as dg

from bist_pipeline.core.errors import BistError
from bist_pipeline.defs.jobs import derive_sessions
from bist_pipeline.defs.lanes import HISTORY, HISTORY_TAGS, LANE, LIVE
from bist_pipeline.defs.partitions import SESSIONS, range_tags
from bist_pipeline.operations import kill_switch
from bist_pipeline.pipeline.context import open_database
from bist_pipeline.pipeline.history import HistoryChunk, changed_symbols, history_chunks, newest_chunk
from bist_pipeline.pipeline.pacing import circuit_open
from bist_pipeline.providers.contract import Services
from bist_pipeline.providers.registry import build_providers, exchange_clock
from bist_pipeline.settings import Settings, load_settings
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.migrate import current_fingerprint

_LANE = {LANE: HISTORY}
CHUNK_TAG = "bist/history_chunk"

# A chunk that keeps failing needs a person: retrying for ever is how 368,000 failed runs are made.
MOST_ATTEMPTS = 3


@dg.sensor(
    job=derive_sessions,
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Fetches what a provider would answer differently (new or changed files; after each close, and once "
    "more the next morning) and derives stored history that no publish covers: a year of sessions a run, newest first, "
    "one at a time.",
)
def first_load(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Request the run that brings stored history one step further."""
    try:
        yield _next_step(context.instance, load_settings())
    except BistError as error:
        yield dg.SkipReason(str(error))


def _next_step(instance: dg.DagsterInstance, settings: Settings) -> dg.RunRequest | dg.SkipReason:
    kill_switch.check(settings.bist_kill_switch)
    running = instance.get_runs(dg.RunsFilter(tags=_LANE, statuses=UNFINISHED), limit=1)
    if running:
        return dg.SkipReason(f"chunk {running[0].tags.get(CHUNK_TAG)} is being derived")
    today = date.fromisoformat(str(SESSIONS.get_last_partition_key()))
    providers = build_providers(settings, Services(clock=exchange_clock(settings)))
    with open_database(settings) as database:
        if current_fingerprint(database) is None:
            return _request(newest_chunk(today), "fetch:first")
        circuit = circuit_open(database, hosts=settings.yahoo_hosts)
        if circuit is not None:
            return dg.SkipReason(circuit.text)
        changed = changed_symbols(settings, providers, database)
        state = _state(database)
        fetch = _untried(instance, newest_chunk(today), f"fetch:{_digest(changed)}:{state}") if changed else None
        if fetch is None and instance.get_runs(dg.RunsFilter(tags={LANE: LIVE}, statuses=UNFINISHED), limit=1):
            # Between its steps the newest session lacks rows that it is about to write.
            return dg.SkipReason("the session in progress is being refreshed")
        return fetch or _next_chunk(instance, database, today, state)


def _next_chunk(
    instance: dg.DagsterInstance, database: Database, today: date, state: str
) -> dg.RunRequest | dg.SkipReason:
    pending = [chunk for chunk in history_chunks(database, today, thorough=True) if not chunk.published]
    requests = (_untried(instance, chunk, f"derive:{chunk.number}:{state}") for chunk in pending)
    return next((request for request in requests if request), None) or dg.SkipReason(_nothing(pending))


def _state(database: Database) -> str:
    """Changes whenever something is fetched or a past is found changed: attempts are counted anew then."""
    ledger = database.rows("SELECT symbol, version, payload_hash, dirty_from FROM market.fetch_ledger")
    return _digest([tuple(row) for row in ledger])


def _untried(instance: dg.DagsterInstance, chunk: HistoryChunk, key: str) -> dg.RunRequest | None:
    """The next attempt at a step; None after the last."""
    requests = (_request(chunk, f"{key}:{attempt}") for attempt in range(1, MOST_ATTEMPTS + 1))
    return next((request for request in requests if not _runs_of(instance, request)), None)


UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def _request(chunk: HistoryChunk, key: str) -> dg.RunRequest:
    tags = {**range_tags(chunk.span), **HISTORY_TAGS, CHUNK_TAG: str(chunk.number), "bist/step": key}
    return dg.RunRequest(run_key=key, tags=tags)


def _runs_of(instance: dg.DagsterInstance, request: dg.RunRequest) -> int:
    return instance.get_runs_count(dg.RunsFilter(tags={"bist/step": str(request.run_key)}))


def _digest(rows: Sequence[tuple[object, ...]]) -> str:
    return hashlib.sha256(repr(sorted(rows, key=repr)).encode()).hexdigest()[:16]


def _nothing(pending: list[HistoryChunk]) -> str:
    if not pending:
        return "all stored history is derived"
    given_up = ", ".join(str(chunk.span) for chunk in pending)
    return f"gave up after {MOST_ATTEMPTS} runs each on {given_up}: see their runs, then backfill by hand"
