"""The asset `market/coverage`: what became of every symbol and session, and the gaps that are left.

Belongs here: nothing but the declaration. The states are a view (`serving.coverage_v1`); what is materialised are the
gaps, `market.gaps`. No part of the live lane: the session in progress has no gaps yet.
"""

import dagster as dg

from bist_pipeline.defs.assets._declare import daily
from bist_pipeline.defs.metadata import add_session_rows, pictures, timer
from bist_pipeline.defs.partitions import span_of
from bist_pipeline.defs.resources import PipelineResource
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.coverage import ATTENTION, update_coverage
from bist_pipeline.plots.coverage import coverage_bar

_DECLARED = daily(
    contracts().gaps,
    kinds=["postgres"],
    version="1",
    deps=[contracts().daily_prices],
    description="Every active symbol and session is in exactly one state of `serving.coverage_v1`. Runs of sessions "
    "that lack a bar which they should have are kept in `market.gaps`, from which the sensor `fill_gaps` asks again. "
    "A partition's row count is the number of symbols that lie in a gap on that session.",
)


@dg.asset(**{**_DECLARED, "key": dg.AssetKey(["market", "coverage"])})
def coverage(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.MaterializeResult:
    """Find the gaps of the run's sessions."""
    read, span, opened = timer(), span_of(context), pipeline.context
    report = update_coverage(opened, span)
    add_session_rows(context, opened.calendar, span, report.by_session)
    return dg.MaterializeResult(
        metadata={
            **pipeline.market_label(),
            **{f"coverage_{state}": count for state, count in report.counts.items()},
            **report.gaps.summary(),
            **read(sum(report.counts.values())),
            **pictures(span, lambda: {"coverage": coverage_bar(report.counts, attention=ATTENTION)}),
        }
    )
