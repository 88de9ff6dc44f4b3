"""The command: `python -m bist_pipeline_tests.noise [--data DIR] [--write]`."""

from pathlib import Path

import click
import pandas as pd

from bist_pipeline.core.bars import PRICE_COLUMNS, Bars
from bist_pipeline_tests.market_maker import make_bars
from bist_pipeline_tests.noise.counting import count_all, count_events
from bist_pipeline_tests.noise.rates import RATES, write_rates
from bist_pipeline_tests.noise.table import table
from bist_pipeline_tests.patterns.markets import driftless_bars, resampled_bars

TABLE = Path(__file__).parents[2] / "docs" / "noise.md"
SYMBOLS, SESSIONS = 92, 1200  # where there is no real market: as many bars as the recorded one has


@click.command()
@click.option(
    "--data", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Daily bars, a CSV a symbol."
)
@click.option("--times", default=4, show_default=True, type=click.IntRange(1, 100), help="Markets of chance of a kind.")
@click.option("--write", is_flag=True, help="Store the table (docs/noise.md) and the rates that CI holds detectors to.")
def main(data: Path | None, times: int, *, write: bool) -> None:
    """Count what every detector confirms in a market and in chance, and print the table.

    Without --data the market is a SIMULATED one, and the stored table is left alone.
    """
    bars = read_folder(data) if data else make_bars(SYMBOLS, SESSIONS)
    symbols = len(bars.offsets) - 1
    text = table(
        count_events(bars),
        count_all(resampled_bars(bars, seed) for seed in range(times)),
        count_all(driftless_bars(symbols, len(bars) // symbols, seed) for seed in range(times)),
        described=_described(bars, is_real=data is not None),
        command=" --data DIR" if data else "",
    )
    click.echo(text)
    if write:
        write_rates()
        click.echo(f"stored {RATES.name}", err=True)
        if data:
            TABLE.write_text(text, encoding="utf-8")
            click.echo(f"stored {TABLE.name}", err=True)


def read_folder(folder: Path) -> Bars:
    """Read daily bars: `SYMBOL.csv` with Open, High, Low, Close and Volume, the date in the first column.

    Rows that lack a number, have no price above zero, or a high or low that does not span the body are left out, as are
    bars without volume at one price (days without a session).
    """
    frames = []
    for path in sorted(folder.glob("*.csv")):
        rows = pd.read_csv(path)
        frames.append(
            pd.DataFrame(
                {
                    "symbol": path.stem,
                    "session_date": pd.to_datetime(rows.iloc[:, 0], errors="coerce").astype("datetime64[us]"),
                    **{name: rows[name.removesuffix("_try").title()].astype(float) for name in PRICE_COLUMNS},
                    "volume_shares": rows["Volume"].astype(float),
                    "is_final": True,
                }
            ).dropna()
        )
    frame = pd.concat(frames, ignore_index=True)
    prices = frame[list(PRICE_COLUMNS)]
    body = frame[["open_try", "close_try"]]
    spanned = (frame["high_try"] >= body.max(axis=1)) & (frame["low_try"] <= body.min(axis=1))
    idle = (frame["high_try"] == frame["low_try"]) & (frame["volume_shares"] == 0)
    return Bars.from_frame(frame[(prices > 0).all(axis=1) & spanned & ~idle])


def _described(bars: Bars, *, is_real: bool) -> str:
    days = bars.frame["session_date"]
    kind = "recorded daily bars" if is_real else "SIMULATED bars"
    return f"{kind} of {len(bars.offsets) - 1} symbols, {days.min():%Y-%m-%d} to {days.max():%Y-%m-%d}"


if __name__ == "__main__":
    main()
