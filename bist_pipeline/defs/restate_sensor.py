"""Restating by itself: the sensor that sees that a symbol's past has changed, and the job that derives it anew.

Belongs here: the job, and when it is requested. A plain job, no asset: a restatement reaches over a symbol's whole
history, and a Dagster event per partition would cost more than the work. What it does stands in
`pipeline/restate.py`, what it did in `market.restatements`.
"""

import hashlib
from collections.abc import Iterator, Sequence

import dagster as dg

from bist_pipeline.core.errors import BistError
from bist_pipeline.defs.bridge import table
from bist_pipeline.defs.lanes import HISTORY, HISTORY_TAGS, LANE, LIVE
from bist_pipeline.defs.metadata import timer
from bist_pipeline.defs.resources import PipelineResource
from bist_pipeline.defs.sensors import MOST_ATTEMPTS, STEP_TAG, UNFINISHED
from bist_pipeline.operations import kill_switch
from bist_pipeline.pipeline.context import open_database
from bist_pipeline.pipeline.restate import Pending, RestateReport, pending, report_frame, restate
from bist_pipeline.settings import Settings, load_settings
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.migrate import current_fingerprint

_FAILED = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]

# What a run shows of its symbols; all of them are in `market.restatements`.
_SHOWN = 20


@dg.op(description="Derives and publishes anew the symbols whose past has changed, and notes why.")
def restate_symbols(context: dg.OpExecutionContext, pipeline: PipelineResource) -> None:
    """Restate what is dirty, as many symbols as one run takes."""
    read = timer()
    report = restate(pipeline.context)
    changed = sum(one.signals_changed + one.events_changed for one in report.restated)
    shown = {"restated": table(report_frame([report]).head(_SHOWN))} if report.restated else {}
    context.add_output_metadata(
        {
            **pipeline.market_label(),
            "symbols": len(report.restated),
            "symbols_left": report.left,
            "signals_changed": sum(one.signals_changed for one in report.restated),
            "events_changed": sum(one.events_changed for one in report.restated),
            **_publish_of(report),
            **shown,
            **read(changed),
        }
    )


def _publish_of(report: RestateReport) -> dict[str, int]:
    return {"publish_id": report.published.publish_id} if report.published else {}


@dg.job(
    description="Derives and publishes anew the symbols whose past has changed: at most fifty a run, whole histories.",
    tags={**HISTORY_TAGS, "dagster/max_runtime": "1800"},
)
def restate_job() -> None:
    """Restate the dirty symbols."""
    restate_symbols()


@dg.sensor(
    # By name: Dagster makes a sensor that holds a plain job anew, by a way that warns of its own beta parameters.
    job_name=restate_job.name,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Derives anew the symbols whose past has changed (a correction, an action learnt late), those alone "
    "and from where it changed. A tick says why it was skipped.",
)
def restate_dirty(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Request a restatement where one is due."""
    try:
        yield _next_run(context.instance, load_settings())
    except BistError as error:
        yield dg.SkipReason(str(error))


def _next_run(instance: dg.DagsterInstance, settings: Settings) -> dg.RunRequest | dg.SkipReason:
    kill_switch.check(settings.bist_kill_switch)
    if instance.get_runs(dg.RunsFilter(tags={LANE: HISTORY}, statuses=UNFINISHED), limit=1):
        return dg.SkipReason("a run of the history lane is on its way")
    if instance.get_runs(dg.RunsFilter(tags={LANE: LIVE}, statuses=UNFINISHED), limit=1):
        return dg.SkipReason("the session in progress is being refreshed")
    with open_database(settings) as database:
        dirty = _dirty(database)
    if not dirty:
        return dg.SkipReason("nothing is to be restated")
    return _attempt(instance, dirty)


def _dirty(database: Database) -> list[Pending]:
    return [] if current_fingerprint(database) is None else pending(database)


def _attempt(instance: dg.DagsterInstance, dirty: Sequence[Pending]) -> dg.RunRequest | dg.SkipReason:
    """The next attempt at this state of dirt; any change of it is counted anew."""
    step = f"restate:{_digest(dirty)}"
    # The same state may come back after it was restated: only what failed counts, and every run has a key of its own.
    failed = instance.get_runs_count(dg.RunsFilter(tags={STEP_TAG: step}, statuses=_FAILED))
    runs = instance.get_runs_count(dg.RunsFilter(tags={STEP_TAG: step}))
    if failed >= MOST_ATTEMPTS:
        return dg.SkipReason(
            f"gave up after {MOST_ATTEMPTS} runs on {len(dirty)} symbols ({dirty[0].symbol}, …): see their runs, then "
            "`bist-pipeline restate`"
        )
    tags = {**HISTORY_TAGS, STEP_TAG: step}
    return dg.RunRequest(run_key=f"{step}:{runs + 1}", tags=tags)


def _digest(dirty: Sequence[Pending]) -> str:
    state = repr([(one.symbol, one.first, one.because, one.mark) for one in dirty])
    return hashlib.sha256(state.encode()).hexdigest()[:16]
