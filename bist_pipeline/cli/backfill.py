"""`bist-pipeline backfill`."""

from datetime import date

import click

from bist_pipeline.cli._console import progress_bar
from bist_pipeline.cli._options import Session, split_symbols
from bist_pipeline.core.errors import ProviderError
from bist_pipeline.pipeline.backfill import BackfillReport, backfill
from bist_pipeline.pipeline.context import open_context
from bist_pipeline.pipeline.listings import listings_problem
from bist_pipeline.pipeline.provider_health import request_counts
from bist_pipeline.pipeline.sources import open_sources
from bist_pipeline.pipeline.span import Span
from bist_pipeline.providers.registry import build_providers
from bist_pipeline.settings import load_settings

_NAMED_FAILURES = 5


@click.command("backfill")
@click.option("--start", type=Session(), required=True, help="First session to derive; 2010-01-04 at the earliest.")
@click.option("--end", type=Session(), required=True, help="Last session to derive.")
@click.option("--symbols", callback=split_symbols, metavar="A,B", help="Only these symbols.")
@click.option("--archive", type=click.Path(), help="Folder of price files, instead of BIST_ARCHIVE_DIR.")
@click.option(
    "--accept-shorter",
    callback=split_symbols,
    metavar="A,B",
    help="Symbols whose file rightly lacks much of what is stored; otherwise it is taken for a cut-off copy.",
)
def command(
    start: date, end: date, symbols: list[str] | None, archive: str | None, accept_shorter: list[str] | None
) -> None:
    """Fetch, clean, derive and publish a range of sessions, in this process.

    What is fetched is always each symbol's whole history; --start and --end limit what is derived. Running it again
    changes nothing. The same code runs behind a backfill from the Dagster UI.
    """
    settings = load_settings(bist_archive_dir=archive)
    build_providers(settings)  # a provider that cannot be made is told before a database is started
    with open_context(settings) as context:
        span = Span.checked(context.calendar, start, end)
        with progress_bar() as told:
            report = backfill(
                context, open_sources(context).history, span, symbols, told, accept_shorter=accept_shorter or ()
            )
        requests = request_counts(context.database, context.run_id)
    _print_report(report)
    if problem := listings_problem(settings):
        click.echo(f"the desk's listings stay as they were: {problem}", err=True)
    if requests["requests_asked"]:
        click.echo("  ".join(f"{name.replace('_', ' ')} {value:,.0f}" for name, value in requests.items()))
    failed = report.ingested.with_status("failed")
    if len(failed):
        shown = "; ".join(failed["reason"].head(_NAMED_FAILURES))
        more = (
            f"; and {len(failed) - _NAMED_FAILURES} more, see `bist-pipeline status`"
            if len(failed) > _NAMED_FAILURES
            else ""
        )
        raise ProviderError(f"{len(failed)} of {len(report.ingested.outcomes)} symbols failed: {shown}{more}")


def _print_report(report: BackfillReport) -> None:
    told = report.ingested.summary()
    click.echo(
        f"symbols: {told['symbols_answered']} answered ({told['symbols_fetched']} asked now), "
        f"{told['symbols_failed']} failed, {told['symbols_missing']} without history"
    )
    for name, counts in (
        ("market.raw_prices", report.ingested.counts),
        ("market.daily_prices", report.cleaned.prices),
        ("market.quarantine", report.cleaned.quarantine),
        *((derived.table, derived.counts) for derived in report.derived),
    ):
        click.echo(f"{name:<32}" + "  ".join(f"{value:>9,} {kind}" for kind, value in counts.as_dict().items()))
    if report.cleaned.problem:
        click.echo(f"the desk's corporate actions stay as they were: {report.cleaned.problem}", err=True)
    published = report.published
    click.echo(
        f"publish {published.publish_id}: {published.signals:,} signals and {published.events:,} events added, "
        f"{published.signals_superseded:,} and {published.events_superseded:,} superseded"
    )
