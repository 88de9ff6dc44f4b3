"""Assets of the group `market`: histories and quotes as delivered, bars as accepted.

Two lanes: `raw_prices` holds histories, `quotes` the session in progress; both end in
`daily_prices`. Raw, checks, clean: a blocking check does not undo the write before it, so what downstream reads
is a second table.
"""

import dagster as dg

from bist_pipeline.defs.assets._declare import daily
from bist_pipeline.defs.metadata import add_session_rows, counts_metadata, pictures, timer
from bist_pipeline.defs.partitions import span_of
from bist_pipeline.defs.resources import PipelineResource
from bist_pipeline.pipeline.cleaning import CLEANING_VERSION, clean_prices
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.history import coverage_counts, rows_by_session
from bist_pipeline.pipeline.ingest import ingest
from bist_pipeline.pipeline.provider_health import request_counts
from bist_pipeline.pipeline.quotes import take_quotes
from bist_pipeline.pipeline.refresh import is_session_in_progress
from bist_pipeline.pipeline.universe import active_symbols, ensure_universe
from bist_pipeline.plots.coverage import coverage_bar

# A file or a provider may be busy for a moment. What cannot be read for good is no exception here: the ledger says so.
PATIENCE = dg.RetryPolicy(max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)


@dg.asset(
    **daily(
        contracts().raw_prices,
        kinds=["python"],
        version="1",
        deps=[contracts().stocks],
        description="The first need of a symbol fetches its whole history, whatever range was asked; later runs fetch "
        "only what the provider would answer differently.",
    ),
    retry_policy=PATIENCE,
)
def raw_prices(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.MaterializeResult:
    """Fetch and store delivered rows."""
    read, span, providers = timer(), span_of(context), pipeline.sources().history
    ensure_universe(pipeline.context, providers)
    report = ingest(pipeline.context, providers, active_symbols(pipeline.context))
    by_session = rows_by_session(pipeline.context, contracts().raw_prices, span)
    add_session_rows(context, pipeline.context.calendar, span, by_session)
    return dg.MaterializeResult(
        metadata={
            **pipeline.market_label(),
            **report.summary(),
            **request_counts(pipeline.context.database, pipeline.context.run_id),
            **counts_metadata(report.counts),
            **read(report.counts.delivered),
        }
    )


@dg.asset(
    **daily(
        contracts().quotes,
        kinds=["python"],
        version="1",
        deps=[contracts().stocks],
        description="Asked in batches, so that a refresh of the whole market is a handful of requests. Only the "
        "session in progress can be asked for: any other partition stays as it is.",
    )
)
def quotes(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.MaterializeResult:
    """Take the newest quotes of the session in progress."""
    read, span, opened = timer(), span_of(context), pipeline.context
    sources = pipeline.sources()
    by_session = rows_by_session(opened, contracts().quotes, span)
    if not is_session_in_progress(opened, span) or not sources.live:
        add_session_rows(context, opened.calendar, span, by_session)
        return dg.MaterializeResult(metadata={"asked": "nothing: no session in progress, or no live provider"})
    report = take_quotes(opened, sources, span.first)
    for problem in report.problems:
        context.log.warning(problem)
    add_session_rows(context, opened.calendar, span, rows_by_session(opened, contracts().quotes, span))
    return dg.MaterializeResult(
        metadata={
            **pipeline.market_label(),
            **report.summary(),
            **request_counts(opened.database, opened.run_id),
            **read(report.counts.delivered),
        }
    )


@dg.asset(
    **daily(
        contracts().daily_prices,
        kinds=["pandera"],
        version=str(CLEANING_VERSION),
        deps=[contracts().raw_prices, contracts().quotes],
        description="What cannot be accepted is in `market.quarantine` with the rule it broke; each delivered row is "
        "in exactly one of both.",
    )
)
def daily_prices(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.MaterializeResult:
    """Accept or quarantine what was delivered."""
    read, span = timer(), span_of(context)
    report = clean_prices(pipeline.context, span)
    by_session = rows_by_session(pipeline.context, contracts().daily_prices, span)
    add_session_rows(context, pipeline.context.calendar, span, by_session)
    states = coverage_counts(pipeline.context, span)
    return dg.MaterializeResult(
        metadata={
            **pipeline.market_label(),
            "symbols_cleaned": report.symbols_cleaned,
            "quarantined": sum(count for state, count in states.items() if state == "quarantined"),
            **{f"coverage_{state}": count for state, count in states.items()},
            **counts_metadata(report.prices),
            **read(report.prices.delivered),
            **pictures(span, lambda: {"coverage": coverage_bar(states, attention=("provider_failed", "quarantined"))}),
        }
    )
