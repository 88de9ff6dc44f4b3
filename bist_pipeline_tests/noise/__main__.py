"""The command: `python -m bist_pipeline_tests.noise [--data DIR [--basis BASIS]] [--write]`."""

from pathlib import Path

import click

from bist_pipeline.core.bars import Bars
from bist_pipeline.pipeline.derive import bars_for
from bist_pipeline.pipeline.point_in_time import read_point_in_time
from bist_pipeline_tests.charts.recorded import BASIS, cleaned, forget_settings
from bist_pipeline_tests.market_maker import make_bars
from bist_pipeline_tests.noise.counting import count_all, count_events
from bist_pipeline_tests.noise.rates import RATES, write_rates
from bist_pipeline_tests.noise.table import table
from bist_pipeline_tests.patterns.markets import driftless_bars, resampled_bars

TABLE = Path(__file__).parents[2] / "docs" / "noise.md"
SYMBOLS, SESSIONS = 92, 1200  # where there is no real market: as many bars as the recorded one has


@click.command()
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Daily bars, a CSV a symbol; they are cleaned.",
)
@click.option("--basis", default=BASIS, show_default=True, help="As BIST_ARCHIVE_BASIS.")
@click.option("--times", default=4, show_default=True, type=click.IntRange(1, 100), help="Markets of chance of a kind.")
@click.option("--write", is_flag=True, help="Store the table (docs/noise.md) and the rates that CI holds detectors to.")
def main(data: Path | None, basis: str, times: int, *, write: bool) -> None:
    """Count what every detector confirms in a market and in chance, and print the table.

    Without --data the market is a SIMULATED one, and the stored table is left alone.
    """
    bars = read_cleaned(data, basis) if data else make_bars(SYMBOLS, SESSIONS)
    symbols = len(bars.offsets) - 1
    text = table(
        count_events(bars),
        count_all(resampled_bars(bars, seed) for seed in range(times)),
        count_all(driftless_bars(symbols, len(bars) // symbols, seed) for seed in range(times)),
        described=_described(bars, is_real=data is not None),
        command=_command(basis) if data else "",
    )
    click.echo(text)
    if write:
        write_rates()
        click.echo(f"stored {RATES.name}", err=True)
        if data:
            TABLE.write_text(text, encoding="utf-8")
            click.echo(f"stored {TABLE.name}", err=True)


def read_cleaned(folder: Path, basis: str) -> Bars:
    """Bring a folder's bars through the pipeline's own cleaning, and into the shares of their last session."""
    forget_settings()
    with cleaned(folder, basis) as (context, span):
        return read_point_in_time(context.database).in_last_shares(bars_for(context, span))


def _command(basis: str) -> str:
    return " --data DIR" + (f" --basis {basis}" if basis != BASIS else "")


def _described(bars: Bars, *, is_real: bool) -> str:
    days = bars.frame["session_date"]
    kind = "recorded daily bars, as the pipeline cleaned them," if is_real else "SIMULATED bars"
    return f"{kind} of {len(bars.offsets) - 1} symbols, {days.min():%Y-%m-%d} to {days.max():%Y-%m-%d}"


if __name__ == "__main__":
    main()
