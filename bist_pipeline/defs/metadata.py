"""What a materialisation tells the UI.

Belongs here: numbers worth plotting over time. What a range run returns is copied to every partition's event, so only
small numbers go there; what belongs to one session is attached to that session's partition; pictures are drawn only
where a run has a single partition.
"""

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

import dagster as dg
import pandas as pd

from bist_pipeline.core.calendar import SessionCalendar
from bist_pipeline.pipeline.span import Span
from bist_pipeline.plots.markdown import png_markdown
from bist_pipeline.storage.bulk import WriteCounts


def timer() -> Callable[[int], dict[str, float]]:
    """Start a stopwatch; calling it with a number of rows gives `elapsed_seconds` and `rows_per_second`."""
    started = monotonic()

    def read(rows: int) -> dict[str, float]:
        elapsed = monotonic() - started
        return {"elapsed_seconds": round(elapsed, 3), "rows_per_second": round(rows / elapsed) if elapsed else 0}

    return read


def counts_metadata(counts: WriteCounts) -> dict[str, int]:
    """What a write did, under the names that the UI plots."""
    return {f"rows_{name}": value for name, value in counts.as_dict().items()}


def add_session_rows(
    context: dg.AssetExecutionContext,
    calendar: SessionCalendar,
    span: Span,
    by_session: "pd.Series[int]",
    asset: dg.AssetKey | None = None,
) -> None:
    """Attach to each session's partition how many rows it has, or that the exchange was closed.

    Args:
        context: The step's.
        calendar: Tells which sessions were held.
        span: The sessions of the run.
        by_session: Rows per session.
        asset: Which of the step's assets; None where it has one.
    """
    rows = {str(pd.Timestamp(str(day)).date()): int(count) for day, count in by_session.items()}
    traded = {str(day) for day in calendar.sessions(span.first, span.last)}
    for key in context.partition_keys:
        told: dict[str, Any] = {"dagster/partition_row_count": rows.get(key, 0)}
        if key not in traded:
            told["session"] = "closed"
        context.add_asset_metadata(told, asset_key=asset, partition_key=key)


def pictures(span: Span, draw: Callable[[], Mapping[str, bytes]]) -> dict[str, dg.MarkdownMetadataValue]:
    """Draw pictures for a single session; nothing for a range."""
    if span.first != span.last:
        return {}
    return {name: dg.MetadataValue.md(png_markdown(png)) for name, png in draw().items()}
