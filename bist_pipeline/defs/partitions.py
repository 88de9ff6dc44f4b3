"""Partitions: one weekday in Istanbul, for every daily asset, one object.

Belongs here: the partitions definition and the backfill policy, which all daily assets must share: Dagster puts assets
into one run only if both are the same. Holidays stay as keys and materialise empty: with `exclusions` the current
partition of a holiday would be a day in the future, and a closure announced later would change the definition's
identity. https://docs.dagster.io/guides/build/partitions-and-backfills
"""

from datetime import date

import dagster as dg

from bist_pipeline.core.calendar import ORIGIN
from bist_pipeline.pipeline.span import CHUNK_WEEKDAYS, Span

SESSIONS = dg.TimeWindowPartitionsDefinition(
    start=ORIGIN.isoformat(),  # never changes: it is part of the definition's identity
    fmt="%Y-%m-%d",
    cron_schedule="0 0 * * 1-5",
    timezone="Europe/Istanbul",
    end_offset=1,  # today's session can be refreshed while it runs, and Friday stays visible over the weekend
)

CHUNKS = dg.BackfillPolicy.multi_run(CHUNK_WEEKDAYS)


def span_of(context: dg.AssetExecutionContext) -> Span:
    """The sessions of a run, whether it has one partition or a range."""
    keys = context.partition_key_range
    return Span(date.fromisoformat(keys.start), date.fromisoformat(keys.end))


def range_tags(span: Span) -> dict[str, str]:
    """The run tags that make one run materialise a range."""
    return {"dagster/asset_partition_range_start": str(span.first), "dagster/asset_partition_range_end": str(span.last)}


def span_of_check(context: dg.AssetCheckExecutionContext) -> Span:
    """The sessions a check looks at: its run's, or the newest chunk when it is executed on its own."""
    tags = context.run.tags
    single = tags.get("dagster/partition")
    first, last = (tags.get(name, single) for name in range_tags(Span(ORIGIN, ORIGIN)))
    if first and last:
        return Span(date.fromisoformat(first), date.fromisoformat(last))
    newest = date.fromisoformat(str(SESSIONS.get_last_partition_key()))
    return next(Span(ORIGIN, newest).chunks())
