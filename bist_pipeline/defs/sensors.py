"""Sensors: what happens without a clock.

Belongs here: asking one small question of the database and requesting runs. A sensor's evaluation must take less than
a second: it runs in the code server, beside every other one.
"""

from collections.abc import Iterator
from datetime import date

import dagster as dg

from bist_pipeline.core.errors import BistError
from bist_pipeline.defs.jobs import derive_sessions
from bist_pipeline.defs.partitions import SESSIONS, range_tags
from bist_pipeline.pipeline.context import open_database
from bist_pipeline.pipeline.history import HistoryChunk, history_chunks, newest_chunk
from bist_pipeline.settings import Settings, load_settings
from bist_pipeline.storage.migrate import current_fingerprint

CHUNK_TAG = "bist/history_chunk"

# A chunk that keeps failing needs a person: retrying for ever is how 368,000 failed runs are made.
MOST_ATTEMPTS = 3


@dg.sensor(
    job=derive_sessions,
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Derives stored history for the first time: a year of sessions a run, newest first, one at a time.",
)
def first_load(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Request the newest chunk of history that no publish covers."""
    try:
        settings = load_settings()
        pending = _pending(settings)
    except BistError as error:
        yield dg.SkipReason(str(error))
        return
    for chunk in pending:
        runs = context.instance.get_run_records(dg.RunsFilter(tags={CHUNK_TAG: str(chunk.number)}))
        if any(not record.dagster_run.is_finished for record in runs):
            yield dg.SkipReason(f"sessions {chunk.span} are being derived")
            return
        if len(runs) < MOST_ATTEMPTS:
            yield _request(chunk, attempt=len(runs) + 1)
            return
    yield dg.SkipReason(_nothing(pending))


def _pending(settings: Settings) -> list[HistoryChunk]:
    if settings.bist_archive_dir is None and "archive" in settings.bist_providers:
        raise BistError("BIST_ARCHIVE_DIR is not set: start with `bist-pipeline up --archive DIR`")
    today = date.fromisoformat(str(SESSIONS.get_last_partition_key()))
    with open_database(settings) as database:
        if current_fingerprint(database) is None:
            return [newest_chunk(today)]
        return [chunk for chunk in history_chunks(database, today) if not chunk.published]


def _request(chunk: HistoryChunk, attempt: int) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=f"first_load:{chunk.number}:{attempt}",
        tags={**range_tags(chunk.span), CHUNK_TAG: str(chunk.number), "bist/lane": "history", "dagster/priority": "-5"},
    )


def _nothing(pending: list[HistoryChunk]) -> str:
    if not pending:
        return "all stored history is derived"
    given_up = ", ".join(str(chunk.span) for chunk in pending)
    return f"gave up after {MOST_ATTEMPTS} failed runs each on {given_up}: see their runs, then backfill by hand"
