"""How the terminal is written to.

Belongs here: the progress bar and small tables. Progress goes to stderr, so that stdout can be piped.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bist_pipeline.pipeline.progress import Progress as Told

_NEVER_CUT = frozenset({"symbol", "provider", "host"})


@contextmanager
def progress_bar() -> Iterator[Told]:
    """Show a bar per stage; where stderr is no terminal, a line per step."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = (TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        tasks: dict[str, int] = {}

        def told(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = int(bar.add_task(stage, total=total))
            bar.update(bar.task_ids[list(tasks).index(stage)], completed=done, total=total)

        yield told


def _lines(console: Console) -> Told:
    last: dict[str, tuple[int, int]] = {}

    def told(stage: str, done: int, total: int) -> None:
        if total and last.get(stage) != (done, total):
            last[stage] = (done, total)
            console.print(f"{stage}: {done} of {total}", highlight=False)

    return told


def print_table(frame: pd.DataFrame, columns: Sequence[str], title: str = "") -> None:
    """Print a small frame as a table; numbers to the right, moments as the frame has them: in UTC, and said so."""
    table = Table(title=title or None, title_justify="left")
    for name in columns:
        numeric = pd.api.types.is_numeric_dtype(frame[name])
        heading = f"{name} (UTC)" if isinstance(frame[name].dtype, pd.DatetimeTZDtype) else name
        table.add_column(heading, justify="right" if numeric else "left", no_wrap=name in _NEVER_CUT)
    for row in frame[list(columns)].itertuples(index=False):
        table.add_row(*(_cell(value) for value in row))
    stdout_console().print(table)


def stdout_console() -> Console:
    """Where tables go. Where stdout is no terminal its width is unknown: wide enough for every column here."""
    return Console() if Console().is_terminal else Console(width=160)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:,.3f}"
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}" if value == value.normalize() and value.tzinfo is None else f"{value:%Y-%m-%d %H:%M}"
    return "" if value is None or value is pd.NaT else str(value)
