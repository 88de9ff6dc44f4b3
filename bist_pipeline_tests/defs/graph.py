"""The asset graph as text, for the snapshot in `graph.txt`.

Belongs here: what of the graph others rely on, one line a fact. After a wanted change write the snapshot again and read
its difference before committing it:

    python -m bist_pipeline_tests.defs.graph

The graph is that of a home in which nothing was chosen yet: what `up` was last told changes schedules and executor.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

SNAPSHOT = Path(__file__).with_name("graph.txt")


def unchosen() -> dg.Definitions:
    """Build the definitions of an empty home: no variable of the caller's counts, and no remembered choice."""
    with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("BIST_", "COLLECTOR_", "DAGSTER_", "YAHOO_", "YF_")):
                patch.delenv(name)
        patch.setenv("BIST_HOME", home)
        from bist_pipeline.definitions import build_definitions  # importing it reads the home

        return build_definitions()


def described(defs: dg.Definitions) -> str:
    """Describe assets, checks, jobs, schedules and sensors, sorted."""
    graph = defs.resolve_asset_graph()
    repository = defs.get_repository_def()
    lines = [line for key in sorted(graph.get_all_asset_keys()) for line in _asset(graph.get(key))]
    lines += [_check(graph.get_check_spec(key)) for key in sorted(graph.asset_check_keys)]
    jobs = sorted((job for job in repository.get_all_jobs() if not job.name.startswith("__")), key=lambda job: job.name)
    lines += [f"job {job.name}\n  partitions: {job.partitions_def}\n  tags: {_pairs(job.tags)}" for job in jobs]
    lines += [_schedule(schedule) for schedule in sorted(repository.schedule_defs, key=lambda one: one.name)]
    lines += [_sensor(sensor) for sensor in sorted(repository.sensor_defs, key=lambda one: one.name)]
    return "\n".join(lines) + "\n"


def _asset(node) -> Iterator[str]:
    yield f"asset {node.key.to_user_string()}"
    yield f"  deps: {', '.join(sorted(key.to_user_string() for key in node.parent_keys)) or 'none'}"
    yield f"  group: {node.group_name}; kinds: {', '.join(sorted(node.kinds))}; owners: {', '.join(node.owners)}"
    yield f"  table: {node.metadata['dagster/table_name']}"
    yield f"  columns: {len(node.metadata['dagster/column_schema'].columns)}"
    yield f"  partitions: {node.partitions_def or 'none'}"
    yield f"  backfill: {_policy(node.backfill_policy)}"


def _policy(policy: dg.BackfillPolicy | None) -> str:
    return "none" if policy is None else f"runs of at most {policy.max_partitions_per_run} partitions"


def _check(spec: dg.AssetCheckSpec) -> str:
    effect = "blocks" if spec.blocking else "tells"
    return f"check {spec.asset_key.to_user_string()}:{spec.name}: {effect}, partitions {spec.partitions_def or 'none'}"


def _schedule(schedule: dg.ScheduleDefinition) -> str:
    when = f"{schedule.cron_schedule} {schedule.execution_timezone}"
    return f"schedule {schedule.name}: {when}, job {schedule.job.name}, {schedule.default_status.value}"


def _sensor(sensor: dg.SensorDefinition) -> str:
    every = f"every {sensor.minimum_interval_seconds} s"
    return f"sensor {sensor.name}: {every}, job {sensor.job_name}, {sensor.default_status.value}"


def _pairs(tags) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(tags.items()))


if __name__ == "__main__":
    SNAPSHOT.write_text(described(unchosen()), encoding="utf-8")
