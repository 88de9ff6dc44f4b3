"""Assets of the group `market`: histories and quotes as delivered, bars as accepted.

Two lanes: `raw_prices` holds histories, `quotes` the session in progress; both end in
`daily_prices`. Raw, checks, clean: a blocking check does not undo the write before it, so what downstream reads
is a second table.
"""

from collections.abc import Iterator

import dagster as dg

from bist_pipeline.defs.assets._declare import daily, daily_spec, key_of
from bist_pipeline.defs.metadata import add_session_rows, counts_metadata, pictures, timer
from bist_pipeline.defs.partitions import CHUNKS, SESSIONS, span_of
from bist_pipeline.defs.resources import PipelineResource
from bist_pipeline.pipeline.cleaning import CLEANING_VERSION, CleanReport, clean_prices
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.history import action_counts, coverage_counts, grade_counts, rows_by_session
from bist_pipeline.pipeline.ingest import ingest
from bist_pipeline.pipeline.provider_health import request_counts
from bist_pipeline.pipeline.quotes import take_quotes
from bist_pipeline.pipeline.refresh import is_session_in_progress
from bist_pipeline.pipeline.second_source import take_second
from bist_pipeline.pipeline.span import Span
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
    symbols = active_symbols(pipeline.context)
    report = ingest(pipeline.context, providers, symbols)
    second = take_second(pipeline.context, symbols)
    by_session = rows_by_session(pipeline.context, contracts().raw_prices, span)
    add_session_rows(context, pipeline.context.calendar, span, by_session)
    return dg.MaterializeResult(
        metadata={
            **pipeline.market_label(),
            **report.summary(),
            **(second.summary() if pipeline.context.settings.bist_second_provider else {}),
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


@dg.multi_asset(
    name="cleaning",
    specs=[
        daily_spec(
            contracts().corporate_actions,
            kinds=["python"],
            version="1",
            deps=[contracts().raw_prices],
            description="What providers deliver, what the desk keeps in `corporate_actions.csv` in the home, and what "
            "the prices alone tell. What they leave of a price stands in `reference.action_factors`. Written in one "
            "transaction with the bars: one rests on the other.",
        ),
        daily_spec(
            contracts().daily_prices,
            kinds=["pandera"],
            version=str(CLEANING_VERSION),
            deps=[contracts().raw_prices, contracts().quotes, contracts().corporate_actions],
            description="What cannot be accepted is in `market.quarantine` with the rule it broke; each delivered row "
            "is in exactly one of both. Repaired and filled bars are of grade B, doubtful ones of grade C.",
        ),
    ],
    partitions_def=SESSIONS,
    backfill_policy=CHUNKS,
    can_subset=True,
)
def cleaning(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> Iterator[dg.MaterializeResult]:
    """Accept or quarantine what was delivered, and settle which corporate actions are in force.

    Whichever of both is asked for, both are written; told is the one that was asked for.
    """
    read, span = timer(), span_of(context)
    report = clean_prices(pipeline.context, span)
    if report.problem:
        context.log.error(f"the desk's actions stay as they were: {report.problem}")
    if key_of(contracts().corporate_actions) in context.selected_asset_keys:
        yield _actions_told(pipeline, span, report)
    if key_of(contracts().daily_prices) in context.selected_asset_keys:
        yield _prices_told(context, pipeline, report, read(report.prices.delivered))


def _actions_told(pipeline: PipelineResource, span: Span, report: CleanReport) -> dg.MaterializeResult:
    return dg.MaterializeResult(
        asset_key=key_of(contracts().corporate_actions),
        metadata={
            **pipeline.market_label(),
            **action_counts(pipeline.context, span),
            "problem": report.problem or "none",
        },
    )


def _prices_told(
    context: dg.AssetExecutionContext, pipeline: PipelineResource, report: CleanReport, elapsed: dict[str, float]
) -> dg.MaterializeResult:
    span = span_of(context)
    by_session = rows_by_session(pipeline.context, contracts().daily_prices, span)
    add_session_rows(context, pipeline.context.calendar, span, by_session, key_of(contracts().daily_prices))
    states = coverage_counts(pipeline.context, span)
    return dg.MaterializeResult(
        asset_key=key_of(contracts().daily_prices),
        metadata={
            **pipeline.market_label(),
            "symbols_cleaned": report.symbols_cleaned,
            "quarantined": sum(count for state, count in states.items() if state == "quarantined"),
            **grade_counts(pipeline.context, span),
            **{f"coverage_{state}": count for state, count in states.items()},
            **counts_metadata(report.prices),
            **elapsed,
            **pictures(span, lambda: {"coverage": coverage_bar(states, attention=("provider_failed", "quarantined"))}),
        },
    )
