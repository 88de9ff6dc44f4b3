"""Assets of the group `reference`: what exists. No prices here."""

import dagster as dg

from bist_pipeline.defs.assets._declare import declare
from bist_pipeline.defs.metadata import counts_metadata, timer
from bist_pipeline.defs.resources import PipelineResource
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.listings import listings_problem
from bist_pipeline.pipeline.universe import active_symbols, refresh_universe


@dg.asset(
    **declare(
        contracts().stocks,
        kinds=["python"],
        version="1",
        description="From the packaged list and the archive's files, or from the CSV that `BIST_UNIVERSE` names.",
    )
)
def stocks(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.MaterializeResult:
    """Refresh the universe and the calendar of sessions."""
    read = timer()
    counts = refresh_universe(pipeline.context, pipeline.sources().history)
    problem = listings_problem(pipeline.context.settings)
    if problem:
        context.log.error(f"the desk's listings stay as they were: {problem}")
    rows = len(active_symbols(pipeline.context))
    told = {"dagster/row_count": rows, "problem": problem or "none"}
    return dg.MaterializeResult(metadata={**pipeline.market_label(), **told, **counts_metadata(counts), **read(rows)})
