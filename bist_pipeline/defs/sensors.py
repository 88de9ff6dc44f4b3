"""Sensors: what happens without a clock.

Belongs here: asking a few small questions of the database and requesting runs. A sensor's evaluation must take about a
second: it runs in the code server, beside every other one.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import dagster as dg

from bist_pipeline.core.calendar import ISTANBUL
from bist_pipeline.core.clock import SystemClock
from bist_pipeline.core.errors import BistError
from bist_pipeline.defs.jobs import derive_sessions
from bist_pipeline.defs.lanes import HISTORY, HISTORY_TAGS, LANE, LIVE
from bist_pipeline.defs.partitions import SESSIONS, range_tags
from bist_pipeline.operations import kill_switch
from bist_pipeline.pipeline.context import desk_texts, open_database
from bist_pipeline.pipeline.history import HistoryChunk, changed_symbols, history_chunks, newest_chunk
from bist_pipeline.pipeline.pacing import circuit_open
from bist_pipeline.providers.contract import Services
from bist_pipeline.providers.registry import build_providers, exchange_clock
from bist_pipeline.settings import Settings, load_settings
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.migrate import current_fingerprint

_LANE = {LANE: HISTORY}
CHUNK_TAG = "bist/history_chunk"
STEP_TAG = "bist/step"  # what a run is an attempt at
DESK_TAG = "bist/desk_files"  # on runs that take in what the desk changed

# A chunk that keeps failing needs a person: retrying for ever is how 368,000 failed runs are made.
MOST_ATTEMPTS = 3

# Fetching is tried again for as long as something is missing, but ever more seldom: an outage at the close must not
# cost the evening, and one symbol that always fails must not cost a run every minute.
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=15), timedelta(hours=1)


@dg.sensor(
    job=derive_sessions,
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Fetches what a provider would answer differently (new or changed files; after each close, and once "
    "more the next morning), takes in what the desk changes in its files, and derives stored history that no publish "
    "covers: a year of sessions a run, newest first, one at a time.",
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
        what = f"chunk {tags[CHUNK_TAG]}" if CHUNK_TAG in (tags := running[0].tags) else running[0].job_name
        return dg.SkipReason(f"{what} is under way")
    today = date.fromisoformat(str(SESSIONS.get_last_partition_key()))
    providers = build_providers(settings, Services(clock=exchange_clock(settings)))
    with open_database(settings) as database:
        if current_fingerprint(database) is None:
            return _request(newest_chunk(today), "fetch:first", 1)
        circuit = circuit_open(database, hosts=settings.yahoo_hosts)
        if circuit is not None:
            return dg.SkipReason(circuit.text)
        changed = changed_symbols(settings, providers, database)
        fetch = _fetch(instance, newest_chunk(today), changed) if changed else ""
        if isinstance(fetch, dg.RunRequest):
            return fetch
        if instance.get_runs(dg.RunsFilter(tags={LANE: LIVE}, statuses=UNFINISHED), limit=1):
            # Between its steps the newest session lacks rows that it is about to write.
            return dg.SkipReason("the session in progress is being refreshed")
        desk = _desk(instance, newest_chunk(today), settings)
        chunk = desk or _next_chunk(instance, database, today, _state(database))
        return dg.SkipReason("; ".join(filter(None, (fetch, chunk)))) if isinstance(chunk, str) else chunk


def _fetch(
    instance: dg.DagsterInstance, chunk: HistoryChunk, changed: Sequence[tuple[str, str | None]]
) -> dg.RunRequest | str:
    """The next attempt at fetching, or why it waits."""
    step = f"fetch:{_digest(changed)}"
    records = instance.get_run_records(dg.RunsFilter(tags={STEP_TAG: step}), limit=1)
    if not records:
        return _request(chunk, step, 1)
    attempts = instance.get_runs_count(dg.RunsFilter(tags={STEP_TAG: step}))
    pause = min(_FIRST_PAUSE * 2 ** max(attempts - MOST_ATTEMPTS, 0), _LONGEST_PAUSE)
    due = records[0].create_timestamp + (pause if attempts >= MOST_ATTEMPTS else timedelta(0))
    if SystemClock().now() >= due:
        return _request(chunk, step, attempts + 1)
    return (
        f"{len(changed)} symbols could not be fetched ({changed[0][0]}, …); asked again at "
        f"{due.astimezone(ISTANBUL):%H:%M} in Istanbul"
    )


def _desk(instance: dg.DagsterInstance, chunk: HistoryChunk, settings: Settings) -> dg.RunRequest | None:
    """The run that takes in what the desk changed in its files; None where that is done, or given up."""
    texts = desk_texts(settings)
    newest = instance.get_run_records(dg.RunsFilter(tags={DESK_TAG: "read"}), limit=1)
    if not newest and not any(texts.values()):
        return None
    step = f"desk:{_digest(list(texts.items()))}"
    if newest and newest[0].dagster_run.tags.get(STEP_TAG) == step:
        run = newest[0].dagster_run
        if run.is_success or instance.get_runs_count(dg.RunsFilter(tags={STEP_TAG: step})) >= MOST_ATTEMPTS:
            return None
    # A file may be as it was some changes ago: every run has a key of its own.
    number = instance.get_runs_count(dg.RunsFilter(tags={STEP_TAG: step})) + 1
    request = _request(chunk, step, number)
    return dg.RunRequest(run_key=request.run_key, tags={**request.tags, DESK_TAG: "read"})


def _next_chunk(instance: dg.DagsterInstance, database: Database, today: date, state: str) -> dg.RunRequest | str:
    pending = [chunk for chunk in history_chunks(database, today, thorough=True) if not chunk.published]
    requests = (_untried(instance, chunk, f"derive:{chunk.number}:{state}") for chunk in pending)
    return next((request for request in requests if request), None) or _nothing(pending)


def _state(database: Database) -> str:
    """Changes whenever something is fetched or a past is found changed: attempts are counted anew then."""
    ledger = database.rows("SELECT symbol, version, payload_hash, dirty_from FROM market.fetch_ledger")
    return _digest([tuple(row) for row in ledger])


def _untried(instance: dg.DagsterInstance, chunk: HistoryChunk, key: str) -> dg.RunRequest | None:
    """The next attempt at a step; None after the last."""
    attempts = instance.get_runs_count(dg.RunsFilter(tags={STEP_TAG: key}))
    return _request(chunk, key, attempts + 1) if attempts < MOST_ATTEMPTS else None


UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def _request(chunk: HistoryChunk, step: str, attempt: int) -> dg.RunRequest:
    tags = {**range_tags(chunk.span), **HISTORY_TAGS, CHUNK_TAG: str(chunk.number), STEP_TAG: step}
    return dg.RunRequest(run_key=f"{step}:{attempt}", tags=tags)


def _digest(rows: Sequence[tuple[object, ...]]) -> str:
    return hashlib.sha256(repr(sorted(rows, key=repr)).encode()).hexdigest()[:16]


def _nothing(pending: list[HistoryChunk]) -> str:
    if not pending:
        return "all stored history is derived"
    given_up = ", ".join(str(chunk.span) for chunk in pending)
    return f"gave up after {MOST_ATTEMPTS} runs each on {given_up}: see their runs, then backfill by hand"
