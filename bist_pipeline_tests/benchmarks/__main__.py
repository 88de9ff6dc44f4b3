"""The command: `python -m bist_pipeline_tests.benchmarks [--quick] [--markdown]`."""

import os
import platform
from collections.abc import Iterator

import click

from bist_pipeline_tests.benchmarks.arena import Arena, open_arena
from bist_pipeline_tests.benchmarks.asking import both_lanes
from bist_pipeline_tests.benchmarks.deriving import history_lines, one_session, whole_history
from bist_pipeline_tests.benchmarks.lines import Line, print_lines
from bist_pipeline_tests.benchmarks.loading import first_load, load_lines
from bist_pipeline_tests.benchmarks.records import dagster_records
from bist_pipeline_tests.benchmarks.serving import todays_signals
from bist_pipeline_tests.benchmarks.stopwatch import megabytes

# 500 symbols over about five and a half years, not all of them listed all the time: 534 thousand bars.
SYMBOLS, SESSIONS = 500, 1068
QUICK_SYMBOLS, QUICK_SESSIONS = 40, 300
MEMORY_MB = 1536.0


@click.command()
@click.option("--symbols", default=SYMBOLS, show_default=True, type=click.IntRange(1, 2000))
@click.option("--sessions", default=SESSIONS, show_default=True, type=click.IntRange(30, 1300))
@click.option("--quick", is_flag=True, help=f"{QUICK_SYMBOLS} symbols × {QUICK_SESSIONS} sessions: does it run at all?")
@click.option("--markdown", is_flag=True, help="Print a Markdown table, for the README.")
def main(symbols: int, sessions: int, *, quick: bool, markdown: bool) -> None:
    """Measure the pipeline on a SIMULATED market with a server of its own; nothing of yours is touched."""
    _forget_environment()
    size = (QUICK_SYMBOLS, QUICK_SESSIONS) if quick else (symbols, sessions)
    with open_arena(*size) as arena:
        lines = [*_measure(arena), *both_lanes(*size)]
        title = (
            f"{arena.bars:,} SIMULATED bars ({size[0]} symbols × {size[1]} sessions), {os.cpu_count()} processors, "
            f"Python {platform.python_version()}; CPU: this process + database server"
        )
    print_lines(lines, title, markdown=markdown)


def _measure(arena: Arena) -> Iterator[Line]:
    """Measure the jobs, then the memory they needed, then the baselines, which would add to it."""
    loaded, derived = first_load(arena), whole_history(arena)
    lines = [*one_session(arena), *todays_signals(arena)]
    watch = arena.watch
    lines.append(Line("Peak memory of this process", megabytes(watch.peak_own), "MB", None, MEMORY_MB))
    lines.append(Line("· of the server's processes, without shared buffers", megabytes(watch.peak_server), "MB"))
    lines += dagster_records(arena)
    yield from load_lines(arena, loaded)
    yield from history_lines(arena, derived)
    yield from lines


def _forget_environment() -> None:
    """Whoever runs this has a home and a database of their own; nothing may lead there."""
    for name in list(os.environ):
        if name.startswith(("BIST_", "COLLECTOR_", "DAGSTER_", "YAHOO_", "YF_")):
            del os.environ[name]


if __name__ == "__main__":
    main()
