"""Assets of the group `serving`: what consumers see. One asset writes all of it, in one transaction."""

from dataclasses import asdict
from typing import Any

import dagster as dg

from bist_pipeline.defs.assets._declare import daily
from bist_pipeline.defs.metadata import timer
from bist_pipeline.defs.partitions import span_of
from bist_pipeline.defs.resources import PipelineResource
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.publish import publish

PUBLISHED = dg.AssetKey(["serving", "published"])

_DECLARED: dict[str, Any] = daily(
    contracts().publishes,
    kinds=["sql"],
    version="1",
    deps=[contracts().signals, contracts().chart_patterns],
    description="Writes `serving.signals`, `serving.pattern_events` and the publish row, versioned: a different answer "
    "is a new version, an earlier one stays readable through `signals_as_of`. Ends with NOTIFY bist_published.",
) | {"key": PUBLISHED}


@dg.asset(**_DECLARED)
def published(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.MaterializeResult:
    """Publish the run's sessions."""
    read = timer()
    report = asdict(publish(pipeline.context, span_of(context)))
    last_final = report.pop("last_final_session")
    return dg.MaterializeResult(
        metadata={
            **pipeline.market_label(),
            **report,
            "last_final_session": str(last_final),
            **read(report["signals"] + report["events"]),
        }
    )
