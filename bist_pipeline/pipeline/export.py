"""Exporting the served views as files, one folder per session.

Belongs here: choosing and reading the rows, writing them partitioned by session (hive style, so that pyarrow, DuckDB
and Spark find the partitions by themselves).
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from bist_pipeline.core.errors import BistError
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.market_kind import stored_market_kind
from bist_pipeline.pipeline.progress import Progress, silent
from bist_pipeline.pipeline.span import Span

Form = Literal["parquet", "csv"]

VIEWS = ("prices_v1", "indicators_v1", "pattern_events_v1", "signals_v1")


@dataclass(frozen=True, slots=True)
class Exported:
    """Rows written per view."""

    rows: dict[str, int]


def export(
    context: PipelineContext, out: Path, span: Span, form: Form = "parquet", progress: Progress = silent
) -> Exported:
    """Write every served view as `out/<view>/session_date=<date>/rows.<form>`.

    Each session's folder is written beside its place and moved there, so a reader sees a whole file or none; a session
    that has no rows any more loses its folder.

    An export of a market that is not the real one says so in `MARKET.txt` beside them.

    Raises:
        BistError: The folder cannot be written, holds an export of the other format, or of another kind of market.
    """
    other = "csv" if form == "parquet" else "parquet"
    if next(out.glob(f"*/session_date=*/rows.{other}"), None) is not None:
        raise BistError(f"{out} holds a {other} export: choose another folder")
    rows: dict[str, int] = dict.fromkeys(VIEWS, 0)
    steps = [(view, chunk) for view in VIEWS for chunk in span.chunks()]
    progress("exporting", 0, len(steps))
    try:
        _label(out, stored_market_kind(context.database) or "real")
        for number, (view, chunk) in enumerate(steps, 1):
            rows[view] += _export_chunk(context, out / view, view, chunk, form)
            progress("exporting", number, len(steps))
    except OSError as error:
        raise BistError(f"cannot write to {out}: {error.strerror or error}") from error
    return Exported(rows)


def _label(out: Path, kind: str) -> None:
    place = out / "MARKET.txt"
    said = place.read_text(encoding="utf-8").split()[0].lower() if place.exists() else None
    if said not in {None, kind} or (said is None and kind != "real" and next(out.glob("*/session_date=*"), None)):
        raise BistError(
            f"{out} holds an export of a {said or 'real'} market, this one is {kind}: choose another folder"
        )
    if kind != "real":
        out.mkdir(parents=True, exist_ok=True)
        place.write_text(f"{kind.upper()} market: no price here is real\n", encoding="utf-8")


def _export_chunk(context: PipelineContext, folder: Path, view: str, span: Span, form: Form) -> int:
    frame = context.database.frame(
        f"SELECT * FROM serving.{view} WHERE session_date BETWEEN $1 AND $2 ORDER BY {_order(view)}",
        [span.first, span.last],
    )
    days = context.calendar.weekdays(span.first, span.last)
    sessions = {f"{day:%Y-%m-%d}": rows for day, rows in frame.groupby("session_date", sort=True)}
    for day in map(str, days):
        _replace(folder / f"session_date={day}", sessions.get(day), form)
    return len(frame)


def _order(view: str) -> str:
    """Columns that put the rows of a view into one order: a symbol has several events a session."""
    return "session_date, symbol" + (", event_id" if view.startswith("pattern_events") else "")


def _replace(place: Path, rows: pd.DataFrame | None, form: Form) -> None:
    if rows is None:
        if place.exists():
            shutil.rmtree(place)
        return
    draft = place.with_name(f".{place.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    kept = rows.drop(columns="session_date")
    if form == "csv":
        kept.to_csv(draft / "rows.csv", index=False)
    else:
        kept.to_parquet(draft / "rows.parquet", index=False)
    if place.exists():
        shutil.rmtree(place)
    draft.rename(place)
