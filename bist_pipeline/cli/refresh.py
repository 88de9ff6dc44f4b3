"""`bist-pipeline refresh`."""

from datetime import date

import click

from bist_pipeline.cli._console import progress_bar
from bist_pipeline.cli._options import Session
from bist_pipeline.pipeline.context import open_context
from bist_pipeline.pipeline.provider_health import request_counts
from bist_pipeline.pipeline.refresh import RefreshReport, refresh
from bist_pipeline.pipeline.sources import open_sources
from bist_pipeline.providers.registry import build_live_providers, build_providers
from bist_pipeline.settings import load_settings


@click.command("refresh")
@click.option("--date", "session", type=Session(), help="Session to refresh; the current one by default.")
def command(session: date | None) -> None:
    """Refresh one session, in this process.

    The session in progress: quotes of all symbols in a handful of requests, forming bars, signals, publish. A session
    that is over: its final bars. The same code runs every five minutes under `up`.
    """
    settings = load_settings()
    build_providers(settings)
    build_live_providers(settings)
    with open_context(settings) as context:
        with progress_bar() as told:
            report = refresh(context, open_sources(context), session, told)
        requests = request_counts(context.database, context.run_id)
    _print_report(report)
    click.echo("  ".join(f"{name.replace('_', ' ')} {round(value, 1):,}" for name, value in requests.items()))


def _print_report(report: RefreshReport) -> None:
    if report.quotes is None:
        click.echo(f"session {report.session} is over: its final bars")
    else:
        told = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in sorted(report.quotes.states.items()))
        click.echo(f"session {report.session}, forming: {told or 'no symbol has a history yet'}")
        for problem in report.quotes.problems:
            click.echo(problem, err=True)
    if report.problem:
        click.echo(f"the desk's corporate actions stay as they were: {report.problem}", err=True)
    published = report.published
    click.echo(
        f"publish {published.publish_id}: {published.signals:,} signals and {published.events:,} events added, "
        f"{published.signals_superseded:,} and {published.events_superseded:,} superseded"
    )
