"""Assets of the group `analytics`: what is derived from accepted bars.

Each reads its look-back from the database by itself: the Dagster dependency stays one partition to one.
"""

import dagster as dg

from bist_pipeline.defs.assets._declare import daily
from bist_pipeline.defs.metadata import add_session_rows, counts_metadata, pictures, timer
from bist_pipeline.defs.partitions import span_of
from bist_pipeline.defs.resources import PipelineResource
from bist_pipeline.indicators.registry import registered_indicators
from bist_pipeline.patterns.registry import registered_candlesticks, registered_charts
from bist_pipeline.pipeline import gallery
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.derive import (
    DeriveReport,
    derive_candlesticks,
    derive_charts,
    derive_indicators,
    derive_signals,
)
from bist_pipeline.signals.model import MODEL


def _versions(parts: object) -> str:
    """A code version that changes when a part is added, removed or computed differently."""
    return str(sum(part.version for part in parts.values()))  # pyright: ignore[reportAttributeAccessIssue]


def _result(
    context: dg.AssetExecutionContext, pipeline: PipelineResource, report: DeriveReport, elapsed: dict[str, float]
) -> dict[str, float | str]:
    add_session_rows(context, pipeline.context.calendar, span_of(context), report.by_session)
    return {**pipeline.market_label(), **counts_metadata(report.counts), **elapsed}


@dg.asset(
    **daily(
        contracts().indicators,
        kinds=["python"],
        version=_versions(registered_indicators()),
        deps=[contracts().daily_prices],
        description="TA-Lib over each symbol's whole accepted history, without gaps filled; periods count sessions.",
    )
)
def indicators(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.MaterializeResult:
    """Derive the indicators of the run's sessions."""
    read = timer()
    report = derive_indicators(pipeline.context, span_of(context))
    return dg.MaterializeResult(metadata=_result(context, pipeline, report, read(report.counts.delivered)))


@dg.asset(
    **daily(
        contracts().candlestick_patterns,
        kinds=["python"],
        version=_versions(registered_candlesticks()),
        deps=[contracts().daily_prices],
        description="All 61 TA-Lib functions, with the trend before the candle, at which TA-Lib does not look. The "
        "evidence that candlesticks announce anything is weak.",
    )
)
def candlestick_patterns(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.MaterializeResult:
    """Detect the candlestick patterns of the run's sessions."""
    read, span = timer(), span_of(context)
    report = derive_candlesticks(pipeline.context, span)
    told = _result(context, pipeline, report, read(report.counts.delivered))
    return dg.MaterializeResult(
        metadata={**told, **pictures(span, lambda: gallery.candlesticks(pipeline.context, span.last))}
    )


@dg.asset(
    **daily(
        contracts().chart_patterns,
        kinds=["python"],
        version=_versions(registered_charts()),
        deps=[contracts().daily_prices],
        description="Shapes of confirmed turning points over weeks and months, each followed from its forming to its "
        "end. What was searched and turned away is counted in `analytics.chart_candidates`. The evidence that chart "
        "patterns announce anything is weak; how often each one turns up in pure noise stands in the documentation.",
    )
)
def chart_patterns(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.MaterializeResult:
    """Follow the chart patterns of the run's sessions."""
    read, span = timer(), span_of(context)
    report = derive_charts(pipeline.context, span)
    told = _result(context, pipeline, report, read(report.counts.delivered))
    return dg.MaterializeResult(
        metadata={**told, **pictures(span, lambda: gallery.charts(pipeline.context, span.last))}
    )


@dg.asset(
    **daily(
        contracts().signals,
        kinds=["python"],
        version=MODEL.version,
        deps=[contracts().indicators, contracts().candlestick_patterns],
        description="Score, action, confidence and every term of it. A stated prior, not a fitted model.",
    )
)
def signals(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.MaterializeResult:
    """Score the run's sessions."""
    read, span = timer(), span_of(context)
    report = derive_signals(pipeline.context, span)
    told = _result(context, pipeline, report, read(report.counts.delivered))
    return dg.MaterializeResult(
        metadata={**told, **pictures(span, lambda: gallery.scores(pipeline.context, span.last))}
    )
