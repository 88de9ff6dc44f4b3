"""Executing the graph in this process, and reading what Dagster recorded of it.

Belongs here: helpers. The job and its assets are the real ones; only the executor's process is ours.
"""

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg
from dagster._core.remote_origin import InProcessCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.utils import make_new_run_id

from bist_pipeline.definitions import build_definitions
from bist_pipeline.defs.partitions import range_tags
from bist_pipeline.pipeline.span import Span

DAILY = (
    "market/raw_prices",
    "market/daily_prices",
    "analytics/indicators",
    "analytics/candlestick_patterns",
    "analytics/chart_patterns",
    "analytics/signals",
    "serving/published",
)


def key_of(name: str) -> dg.AssetKey:
    return dg.AssetKey(name.split("/"))


def record_run(
    instance: dg.DagsterInstance, status: dg.DagsterRunStatus, tags: Mapping[str, str] | None = None
) -> dg.DagsterRun:
    """Record a run of the chain in a state, without executing anything."""
    location = InProcessCodeLocationOrigin(
        LoadableTargetOrigin(executable_path=sys.executable, module_name="bist_pipeline.definitions")
    )
    run = dg.DagsterRun(
        job_name="derive_sessions",
        run_id=make_new_run_id(),
        status=status,
        tags=dict(tags or {}),
        # Where the daemon would find the job again; a queued run has to say it.
        remote_job_origin=RemoteRepositoryOrigin(location, "__repository__").get_job_origin("derive_sessions"),
    )
    # Not `create_run_for_job`, which plans each of 260 partitions of each asset on disk.
    return instance.add_run(run)


def report(instance: dg.DagsterInstance, run: dg.DagsterRun, what: dg.DagsterEventType) -> None:
    """Report what became of a run, as its worker would."""
    event = dg.DagsterEvent(event_type_value=what.value, job_name=run.job_name)
    instance.handle_new_event(
        dg.EventLogEntry(
            error_info=None, level=10, user_message="", run_id=run.run_id, timestamp=time.time(), dagster_event=event
        )
    )


@dataclass(frozen=True, slots=True)
class Runs:
    """Starts runs.

    Attributes:
        instance: Where they are recorded.
    """

    instance: dg.DagsterInstance

    def derive(self, first: date, last: date | None = None, **options: Any) -> dg.ExecuteInProcessResult:
        """Run the whole chain for a session or a range, as the sensor or a backfill does."""
        job = build_definitions().resolve_job_def("derive_sessions")
        chosen: dict[str, Any] = (
            {"partition_key": str(first)} if last is None else {"tags": range_tags(Span(first, last))}
        )
        return job.execute_in_process(instance=self.instance, **chosen, **options)

    def materialize(self, name: str, session: date) -> dg.ExecuteInProcessResult:
        """Materialize one asset's one partition, as a click in the UI does."""
        job = build_definitions().resolve_job_def("derive_sessions")
        return job.execute_in_process(
            instance=self.instance, partition_key=str(session), asset_selection=[key_of(name)]
        )

    def metadata(self, name: str, session: date) -> Mapping[str, Any]:
        """What the newest materialization of a partition tells, as the values' own types."""
        wanted = dg.AssetRecordsFilter(asset_key=key_of(name), asset_partitions=[str(session)])
        records = self.instance.fetch_materializations(wanted, limit=1).records
        assert records, f"{name} {session} was never materialized"
        materialization = records[0].asset_materialization
        assert materialization is not None
        return materialization.metadata

    def is_materialized(self, name: str) -> bool:
        return bool(self.instance.fetch_materializations(key_of(name), limit=1).records)
