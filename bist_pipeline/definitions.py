"""Dagster's entry: `defs`. Assembly is a function, so that tests build a variant without patching anything."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from bist_pipeline.defs import checks, gap_sensor, jobs, restate_sensor, schedules, sensors
from bist_pipeline.defs.assets import analytics, coverage, market, reference, serving
from bist_pipeline.defs.executor import executor
from bist_pipeline.defs.resources import PipelineResource
from bist_pipeline.settings import load_settings


def build_definitions(resources: Mapping[str, Any] | None = None) -> dg.Definitions:
    """Assemble the code location.

    Args:
        resources: Replace resources by key; for tests.
    """
    settings = load_settings()
    return dg.Definitions(
        assets=dg.load_assets_from_modules([reference, market, coverage, analytics, serving]),
        asset_checks=[checks.raw_prices_checks],
        jobs=[jobs.derive_sessions, jobs.refresh_session, restate_sensor.restate_job, gap_sensor.fill_gaps_job],
        schedules=[schedules.refresh_schedule(settings)],
        sensors=[sensors.first_load, restate_sensor.restate_dirty, gap_sensor.fill_gaps],
        resources={"pipeline": PipelineResource(), **(resources or {})},
        executor=executor(settings.bist_executor),
    )


defs = build_definitions()
