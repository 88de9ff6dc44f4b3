"""Dagster's entry: `defs`. Assembly is a function, so that tests build a variant without patching anything."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from bist_pipeline.defs import checks, jobs, schedules, sensors
from bist_pipeline.defs.assets import analytics, market, reference, serving
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
        assets=dg.load_assets_from_modules([reference, market, analytics, serving]),
        asset_checks=[checks.raw_prices_checks],
        jobs=[jobs.derive_sessions, jobs.refresh_session],
        schedules=[schedules.refresh_schedule(settings)],
        sensors=[sensors.first_load],
        resources={"pipeline": PipelineResource(), **(resources or {})},
        executor=executor(settings.bist_executor),
    )


defs = build_definitions()
