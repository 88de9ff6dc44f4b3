"""`bist-pipeline export`."""

from datetime import date
from pathlib import Path
from typing import cast

import click

from bist_pipeline.cli._console import progress_bar
from bist_pipeline.cli._options import Session
from bist_pipeline.core.errors import BistError
from bist_pipeline.pipeline.context import PipelineContext, open_context
from bist_pipeline.pipeline.export import Form, export
from bist_pipeline.pipeline.span import Span
from bist_pipeline.settings import load_settings


@click.command("export")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write to.")
@click.option("--start", type=Session(), help="First session; the earliest stored if left out.")
@click.option("--end", type=Session(), help="Last session; the latest stored if left out.")
@click.option("--format", "form", type=click.Choice(["parquet", "csv"]), default="parquet", show_default=True)
def command(out: Path, start: date | None, end: date | None, form: str) -> None:
    """Write prices, indicators, pattern events and signals as files, one folder per session."""
    with open_context(load_settings(), reads_only=True) as context:
        span = _span(context, start, end)
        with progress_bar() as told:
            exported = export(context, out, span, cast(Form, form), told)
    for view, rows in exported.rows.items():
        click.echo(f"{out / view}: {rows:,} rows")


def _span(context: PipelineContext, start: date | None, end: date | None) -> Span:
    stored = context.database.rows(
        "SELECT min(session_date) AS first, max(session_date) AS last FROM market.daily_prices"
    )[0]
    if stored.first is None:
        raise BistError("there is nothing to export yet: `bist-pipeline backfill` first")
    return Span.checked(context.calendar, start or stored.first, end or stored.last)
