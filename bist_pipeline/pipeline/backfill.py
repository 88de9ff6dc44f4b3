"""A backfill in this process: the same steps that a run of the Dagster graph takes, in the same order.

Belongs here: the order of the steps. Each step commits its own table; killing the process between two steps loses
nothing and the next run goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bist_pipeline.core.symbols import normalise_symbols
from bist_pipeline.pipeline.checks import check_and_store
from bist_pipeline.pipeline.cleaning import CleanReport, clean_prices
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.derive import DeriveReport, derive_together
from bist_pipeline.pipeline.gaps import update_gaps
from bist_pipeline.pipeline.ingest import IngestReport, ingest
from bist_pipeline.pipeline.progress import Progress, silent
from bist_pipeline.pipeline.publish import PublishReport, publish
from bist_pipeline.pipeline.second_source import take_second
from bist_pipeline.pipeline.span import Span
from bist_pipeline.pipeline.universe import active_symbols, refresh_universe
from bist_pipeline.providers.contract import PriceProvider


@dataclass(frozen=True, slots=True)
class BackfillReport:
    """What a backfill did, step by step."""

    ingested: IngestReport
    cleaned: CleanReport
    derived: tuple[DeriveReport, ...]
    published: PublishReport


def backfill(
    context: PipelineContext,
    providers: Sequence[PriceProvider],
    span: Span,
    symbols: Sequence[str] | None = None,
    progress: Progress = silent,
    *,
    accept_shorter: Sequence[str] = (),
) -> BackfillReport:
    """Fetch what is missing, clean it, derive the span, publish it.

    Args:
        context: The run's surroundings.
        providers: Asked for history, in order.
        span: Sessions to derive; what is fetched is always whole histories.
        symbols: Only these, as a person writes them; None for the whole universe.
        progress: Told of every step.
        accept_shorter: Symbols of which an answer that lacks much of what is stored is meant so.

    Raises:
        BistError: A check of the whole answer failed, or a step did; what was committed before stays.
    """
    refresh_universe(context, providers)
    chosen = active_symbols(context, symbols)
    ingested = ingest(context, providers, chosen, progress, normalise_symbols(accept_shorter))
    take_second(context, chosen, progress=progress)
    check_and_store(context, span, ingested.outcomes)
    cleaned = clean_prices(context, span, progress)
    derived = derive_all(context, span, None if symbols is None else chosen, progress)
    published = publish(context, span)
    progress("publishing", 1, 1)
    update_gaps(context, span)
    return BackfillReport(ingested, cleaned, derived, published)


def derive_all(
    context: PipelineContext, span: Span, symbols: Sequence[str] | None = None, progress: Progress = silent
) -> tuple[DeriveReport, ...]:
    """Run all derivations of a span over one reading of the bars."""
    return derive_together(context, span, symbols, lambda done, total: progress("deriving", done, total))
