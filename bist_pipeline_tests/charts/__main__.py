"""The command: `python -m bist_pipeline_tests.charts DIR [--pictures OUT]`.

Reads daily bars, brings them through the pipeline's own cleaning on a temporary server, and prints how long all chart
detectors take and what they found; with --pictures it draws events. Nothing of yours is touched.
"""

import os
import time
from datetime import date
from pathlib import Path

import click
import pandas as pd

from bist_pipeline.core.bars import Bars
from bist_pipeline.pipeline.ahead import spread
from bist_pipeline.pipeline.charts import find_charts, tape_of
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.derive import bars_for, blocks_of, derive_charts
from bist_pipeline.pipeline.gallery import draw_event
from bist_pipeline.pipeline.point_in_time import PointInTime, read_point_in_time
from bist_pipeline.pipeline.span import Span
from bist_pipeline.plots.contact_sheet import contact_sheet
from bist_pipeline_tests.charts.recorded import BASIS, cleaned, forget_settings

ROUNDS = 3
STATES = ("forming", "confirmed", "target", "stopped", "busted", "expired")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--basis", default=BASIS, show_default=True, help="As BIST_ARCHIVE_BASIS.")
@click.option("--pictures", type=click.Path(file_okay=False, path_type=Path), help="Draw events into this folder.")
@click.option(
    "--events", multiple=True, metavar="EVENT_ID", help="Which; the best formed confirmed one of each pattern."
)
@click.option("--sheet", type=click.Path(dir_okay=False, path_type=Path), help="Put the pictures on one sheet, too.")
def main(folder: Path, basis: str, pictures: Path | None, events: tuple[str, ...], sheet: Path | None) -> None:
    """Time the chart detectors on the bars of a folder and count what they find."""
    forget_settings()
    with cleaned(folder, basis) as (context, span):
        bars, shares = bars_for(context, span), read_point_in_time(context.database)
        _time(bars, shares, span)
        derive_charts(context, span)
        _count(context)
        if pictures is not None:
            _draw(context, pictures, events, sheet)


def _time(bars: Bars, shares: PointInTime, span: Span) -> None:
    """Time tape, turning points, all detectors, rows and census, from bars in memory to frames."""
    for number in range(ROUNDS):
        begun = time.perf_counter()
        found = list(spread(lambda block: find_charts(tape_of(block, shares), span.first), blocks_of(bars, span)))
        wall = time.perf_counter() - begun
        rows, candidates = (
            sum(len(one.events) for one in found),
            sum(int(one.census["candidates"].sum()) for one in found),
        )
        click.echo(
            f"round {number + 1}: {wall:.2f} s for {len(bars):,} bars on {os.cpu_count()} processors: "
            f"{wall / len(bars) * 1e6:.1f} µs of wall time per symbol-session; {rows:,} changes of state, "
            f"{candidates:,} candidates" + (" (compiling, the first time)" if number == 0 else "")
        )
    begun = time.perf_counter()
    last = sum(
        len(find_charts(tape_of(block, shares), span.last).events)
        for block in blocks_of(bars, Span(span.last, span.last))
    )
    wall = time.perf_counter() - begun
    click.echo(f"last session alone: {wall:.2f} s, {wall / len(bars) * 1e6:.1f} µs per bar of history; {last} changes")


def _count(context: PipelineContext) -> None:
    counts = context.database.frame("SELECT pattern, state, event_id FROM analytics.chart_patterns")
    table = pd.crosstab(counts["pattern"], counts["state"]).reindex(columns=list(STATES), fill_value=0)
    table.insert(0, "events", counts.groupby("pattern")["event_id"].nunique())
    click.echo(table.to_string())
    click.echo(f"all: {counts['event_id'].nunique():,} events, {len(counts):,} changes of state")


def _draw(context: PipelineContext, out: Path, events: tuple[str, ...], sheet: Path | None) -> None:
    out.mkdir(parents=True, exist_ok=True)
    drawn = []
    for event_id, day in _chosen(context, events):
        png = draw_event(context, event_id, day)
        (out / f"{event_id.replace(':', '_')}.png").write_bytes(png)
        drawn.append(png)
        click.echo(f"drawn: {event_id} as of {day}")
    if sheet is not None:
        sheet.write_bytes(contact_sheet(drawn))


def _chosen(context: PipelineContext, events: tuple[str, ...]) -> list[tuple[str, date]]:
    """The events asked for, else the best formed confirmed one of each pattern; each ten days after its last row."""
    frame = context.database.frame(
        """SELECT event_id, max(session_date) AS last, min(pattern) AS pattern, max(shape_confidence) AS confidence
        FROM analytics.chart_patterns GROUP BY event_id HAVING bool_or(state = 'confirmed')
        ORDER BY pattern, confidence DESC, event_id"""
    )
    kept = frame[frame["event_id"].isin(events)] if events else frame.drop_duplicates("pattern")
    return [(row["event_id"], (row["last"] + pd.Timedelta(days=10)).date()) for row in kept.to_dict("records")]


if __name__ == "__main__":
    main()
