"""`bist-pipeline restate`."""

import click

from bist_pipeline.cli._console import print_table, progress_bar
from bist_pipeline.cli._options import split_symbols
from bist_pipeline.pipeline.context import open_context
from bist_pipeline.pipeline.restate import report_frame, restate_all
from bist_pipeline.settings import load_settings


@click.command("restate")
@click.option("--symbols", callback=split_symbols, metavar="A,B", help="Only these symbols.")
def command(symbols: list[str] | None) -> None:
    """Derive and publish anew what rests on a past that has changed, in this process.

    Each symbol from where its past changed, and no other symbol. The same code runs by itself under `up`; running it
    again changes nothing.
    """
    with open_context(load_settings()) as context, progress_bar() as told:
        reports = restate_all(context, symbols, told)
    restated = report_frame(reports)
    if not len(restated):
        click.echo("nothing is to be restated")
        return
    print_table(restated, list(restated.columns), f"{len(restated)} symbols restated")
    publishes = [str(report.published.publish_id) for report in reports if report.published]
    click.echo(f"publish {', '.join(publishes)}; `market.restatements` keeps what was restated and why")
