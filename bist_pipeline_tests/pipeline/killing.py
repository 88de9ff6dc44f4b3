"""Killing work at any moment, and what is there before and after.

Belongs here: work that runs in a process of its own and is killed there, the databases it starts from, digests of
everything that is stored. Does not belong here: any expectation (`test_killed.py`).
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from datetime import time as time_of_day
from pathlib import Path
from typing import Any

from bist_pipeline.core.clock import SystemClock
from bist_pipeline.patterns.trial import run_every_loop
from bist_pipeline.pipeline.backfill import backfill
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.refresh import refresh
from bist_pipeline.pipeline.restate import restate_all
from bist_pipeline.pipeline.sources import open_sources
from bist_pipeline.pipeline.span import Span
from bist_pipeline.simulator.market import invent_market
from bist_pipeline_tests.archives import simulated_bars
from bist_pipeline_tests.pipeline.exchanges import asking, load, moment, sessions_between, standing
from bist_pipeline_tests.pipeline.sites import Sites
from bist_pipeline_tests.pipeline.spoiled import one_of_each, spoiled_archive

FIRST, LAST = date(2021, 1, 4), date(2022, 3, 31)
WHOLE = Span(FIRST, LAST)

# What each process does between the two lines that it prints.
_PROGRAM = """
from bist_pipeline.pipeline.context import open_context
from bist_pipeline.settings import load_settings
from bist_pipeline_tests.pipeline.killing import WORK
with open_context(load_settings()) as context:
    print("begun", flush=True)
    WORK["{name}"](context)
    print("done", flush=True)
"""

# Settings that a child must share with its parent.
_SHARED = (
    *("bist_home", "bist_archive_dir", "bist_universe", "bist_providers", "bist_live_providers", "yahoo_hosts"),
    *("yahoo_requests_per_second", "yf_backoff_base_seconds", "collector_batch_size"),
)

# Who wrote a row, when, as of when (a file: of the time of reading), and in which publish: their number
# differs where one was repeated.
_STAMPS = {
    *("updated_at", "quarantined_at", "found_at", "compared_at", "changed_at", "fetched_at", "noted_at", "restated_at"),
    *("as_of", "asked_at", "run_id", "publish_id", "superseded_by"),
}
_NOT_DATA = ("operations", "serving.publishes", "reference.schema_changes")
# Each refresh keeps what it was told: one that was repeated was told the same twice.
_TOLD_AGAIN = {"market.quotes"}


def do_backfill(context: PipelineContext) -> None:
    """Fetch, clean, derive and publish everything."""
    backfill(context, open_sources(context).history, WHOLE)


def do_refresh(context: PipelineContext) -> None:
    """Refresh the session in progress."""
    refresh(context, open_sources(context))


def do_restatement(context: PipelineContext) -> None:
    """Learn that the past has changed, on the evening of the last session, and restate it."""
    backfill(context, open_sources(context).history, Span(LAST, LAST))
    restate_all(context)


WORK: Mapping[str, Callable[[PipelineContext], None]] = {
    "backfill": do_backfill,
    "refresh": do_refresh,
    "restatement": do_restatement,
}


@dataclass
class Arena:
    """One kind of work, ready to be killed as often as one likes.

    Attributes:
        name: Which.
        sites: Makes databases.
        start: Where each begins: a copy of it.
        again: Makes a context of a copy, as the next process would.
        undisturbed: Digests of all tables after the work was done without a kill.
        seconds: How long a process works, from its first step on.
    """

    name: str
    sites: Sites
    start: PipelineContext
    again: Callable[[PipelineContext], PipelineContext]
    undisturbed: Mapping[str, str]
    seconds: float

    @classmethod
    def of(
        cls, name: str, sites: Sites, start: PipelineContext, again: Callable[[PipelineContext], PipelineContext]
    ) -> "Arena":
        """Do it once without a kill, in a process of its own as all of them, and time it."""
        run_every_loop()  # else it would be compiled once, in the work that is timed, and never again
        made = cls(name, sites, start, again, {}, 0.0)
        context = made.copy()
        with made.process(context) as child:
            began = time.monotonic()
            _, errors = child.communicate(timeout=120)
            made.seconds = time.monotonic() - began
        assert child.returncode == 0, errors
        return replace(made, undisturbed=digests(context))

    def copy(self) -> PipelineContext:
        """A database of its own."""
        return self.again(self.start)

    @contextmanager
    def process(self, context: PipelineContext) -> Iterator["subprocess.Popen[str]"]:
        """Start the work in a process of its own; it is at its first step."""
        command = [sys.executable, "-c", _PROGRAM.format(name=self.name)]
        environment = {**os.environ, **_variables(context)}
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, env=environment, **pipes) as child:
            assert child.stdout is not None
            line = child.stdout.readline()
            assert line == "begun\n", (line, child.stderr and child.stderr.read())
            yield child

    def kill(self, context: PipelineContext, seconds: float) -> bool:
        """Kill the work so long after its first step; return whether it was still at work."""
        with self.process(context) as child:
            time.sleep(seconds)  # chance, not hope: nothing is awaited here
            child.send_signal(signal.SIGKILL)
            return child.wait(timeout=60) == -signal.SIGKILL

    def resume(self, context: PipelineContext) -> list[str]:
        """Do the work again, in this process; return the tables that are not as after undisturbed work."""
        WORK[self.name](context)
        found = digests(context)
        return [name for name, digest in self.undisturbed.items() if found[name] != digest] + _orphans(context)


def _variables(context: PipelineContext) -> dict[str, str]:
    url = context.settings.bist_database_url
    assert url is not None
    found = {"BIST_DATABASE_URL": url.get_secret_value()}
    for name in _SHARED:
        value = getattr(context.settings, name)
        if value is not None and value != ():
            found[name.upper()] = ",".join(value) if isinstance(value, tuple) else str(value)
    return found


def digests(context: PipelineContext) -> dict[str, str]:
    """A digest of every table's rows in any order, but for stamps."""
    found = {}
    for contract in contracts().all():
        if contract.name.startswith(_NOT_DATA):
            continue
        dropped = "".join(f" - '{name}'" for name in sorted(_STAMPS & set(contract.columns)))
        state = ", superseded_by IS NOT NULL" if "superseded_by" in contract.columns else ""
        once = "DISTINCT" if contract.name in _TOLD_AGAIN else ""
        rows = context.database.rows(
            f"""SELECT coalesce(md5(string_agg(row, '' ORDER BY row)), '') AS digest FROM (
                SELECT {once} (to_jsonb(t){dropped})::text || ROW(''{state})::text AS row FROM {contract.name} AS t
            ) AS rows"""
        )
        found[contract.name] = rows[0].digest
    return found


def found_after(context: PipelineContext) -> str:
    """What a kill left, in words."""
    row = context.database.rows(
        """SELECT (SELECT count(*) FROM market.raw_prices) AS delivered,
            (SELECT count(*) FROM market.daily_prices) AS accepted,
            (SELECT count(*) FROM analytics.indicators) AS indicators,
            (SELECT count(*) FROM analytics.signals) AS signals,
            (SELECT count(*) FROM serving.signals WHERE superseded_by IS NULL) AS served,
            (SELECT count(*) FROM serving.publishes) AS publishes,
            (SELECT count(*) FROM market.fetch_ledger WHERE dirty_from IS NOT NULL) AS dirty,
            (SELECT count(*) FROM market.revisions) AS revised,
            (SELECT count(*) FROM market.restatements WHERE publish_id = 0) AS begun"""
    )[0]
    return ", ".join(f"{value:,} {name}" for name, value in row._mapping.items())


def _orphans(context: PipelineContext) -> list[str]:
    """What is served without its publish, or restated without one."""
    return [
        f"{table}: {rows} rows without a publish"
        for table in ("serving.signals", "serving.pattern_events", "market.restatements")
        if (
            rows := context.database.rows(
                f"SELECT count(*) AS n FROM {table} LEFT JOIN serving.publishes AS p USING (publish_id) "
                "WHERE p.publish_id IS NULL"
            )[0].n
        )
    ]


# ── where each kind of work begins ──


@contextmanager
def backfills(sites: Sites, folder: Path) -> Iterator[Arena]:
    """An archive with one of every fault, and an empty database."""
    bars = simulated_bars(symbols=8, sessions=300)
    spoiled_archive(folder / "archive", bars, one_of_each(bars))
    start = _by_the_machines_clock(sites.make(folder / "archive", collector_batch_size=2))
    yield Arena.of("backfill", sites, start, lambda one: _copied(sites, one, folder / "archive"))


@contextmanager
def restatements(sites: Sites, folder: Path) -> Iterator[Arena]:
    """The same archive, derived; and half of its files corrected since."""
    bars = simulated_bars(symbols=8, sessions=300)
    spoiled_archive(folder / "archive", bars, one_of_each(bars))
    start = _by_the_machines_clock(sites.make(folder / "archive", collector_batch_size=2))
    do_backfill(start)
    corrected = Path(shutil.copytree(folder / "archive", folder / "corrected"))
    for number, place in enumerate(sorted(corrected.glob("*.csv"))[::2]):
        lines = place.read_text().splitlines()
        row = 60 + 40 * number
        lines[row] = lines[row].rpartition(",")[0] + ",4711.0"
        place.write_text("\n".join(lines) + "\n")
    yield Arena.of("restatement", sites, start, lambda one: _copied(sites, one, corrected))


def _copied(sites: Sites, start: PipelineContext, archive: Path) -> PipelineContext:
    return _by_the_machines_clock(sites.make(archive, copy_of=start, collector_batch_size=2))


def _by_the_machines_clock(context: PipelineContext) -> PipelineContext:
    """As the process does that is killed: what is kept depends on its age."""
    return replace(context, clock=SystemClock())


@contextmanager
def refreshes(sites: Sites, folder: Path) -> Iterator[Arena]:
    """An exchange at noon, and a database that holds what it told until the evening before."""
    del folder
    days = sessions_between(date(2025, 9, 1), date(2026, 3, 6))
    market = invent_market(symbols=8, seed=11, first=days[0], last=days[-1])
    with standing(market, moment(days[-2])) as running:
        start = asking(sites, running)
        load(start, days[0], days[-2])
        running.clock.set(moment(days[-1], time_of_day(12, 0)))
        symbols = market.symbols(running.clock.now())
        yield Arena.of("refresh", sites, start, lambda one: asking(sites, running, copy_of=one, symbols=symbols))


ARENAS = {"backfill": backfills, "refresh": refreshes, "restatement": restatements}
