"""Dagster's own records: what it writes per partition and asset, whatever the assets do.

Belongs here: a range run of assets that do nothing, declared as the real daily ones are, on a real instance beside the
data.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pandas as pd

from bist_pipeline.defs.assets._declare import daily
from bist_pipeline.defs.metadata import add_session_rows
from bist_pipeline.defs.partitions import CHUNKS, SESSIONS, range_tags, span_of
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.dagster_records import prepare_records
from bist_pipeline.pipeline.span import Span
from bist_pipeline.pipeline.up import environment
from bist_pipeline.schemas.contract import Contract
from bist_pipeline_tests.benchmarks.arena import Arena
from bist_pipeline_tests.benchmarks.lines import Line

BAR_SECONDS = 450.0
_INSTANCE = Path(__file__).parents[2] / "dagster.yaml"


def dagster_records(arena: Arena) -> Iterator[Line]:
    """Materialize one chunk of partitions in this process and extrapolate to all of them."""
    prepare_records(arena.context.database.url)
    span = next(Span(arena.sessions[0], arena.sessions[-1]).chunks())
    assets = _assets(arena)
    with _environment(arena), dg.DagsterInstance.get() as instance:
        taken = arena.watch.take(f"Dagster's records of {span}", lambda: _run(assets, instance, span))
    weekdays = len(arena.context.calendar.weekdays(span.first, span.last))
    each = taken.wall / (weekdays * len(assets))
    partitions = SESSIONS.get_num_partitions()
    yield Line(
        f"Dagster's own records: {len(assets)} assets × {partitions:,} partitions (from one run of {weekdays})",
        each * len(assets) * partitions,
        "s",
        None,
        BAR_SECONDS,
    )
    yield Line("· per partition and asset", each * 1e3, "ms", None, 7.0)


def _assets(arena: Arena) -> list[dg.AssetsDefinition]:
    tables = contracts()
    chain = (
        tables.raw_prices,
        tables.daily_prices,
        tables.indicators,
        tables.candlestick_patterns,
        tables.signals,
        tables.publishes,
    )
    return [_idle(arena, contract, chain[:number][-1:]) for number, contract in enumerate(chain)]


def _idle(arena: Arena, contract: Contract, deps: tuple[Contract, ...]) -> dg.AssetsDefinition:
    def idle(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        add_session_rows(context, arena.context.calendar, span_of(context), pd.Series(dtype="int64"))
        return dg.MaterializeResult(metadata={"rows_inserted": 0, "elapsed_seconds": 0.0})

    return dg.asset(**daily(contract, kinds=["python"], version="1", deps=deps))(idle)


def _run(assets: list[dg.AssetsDefinition], instance: dg.DagsterInstance, span: Span) -> None:
    # In the daemon's place: it hands the same tags to a run of a whole chunk.
    assert CHUNKS.max_partitions_per_run
    job = dg.define_asset_job("idle", selection=dg.AssetSelection.all(), partitions_def=SESSIONS)
    defs = dg.Definitions(assets=assets, jobs=[job])
    quiet = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}
    made = defs.resolve_job_def("idle")
    result = made.execute_in_process(instance=instance, tags=range_tags(span), run_config=quiet)
    assert result.success


@contextmanager
def _environment(arena: Arena) -> Iterator[None]:
    """The variables with which `bist-pipeline up` starts Dagster's processes, on the checkout's dagster.yaml."""
    home = arena.context.settings.bist_home / "dagster"
    home.mkdir(exist_ok=True)
    (home / "dagster.yaml").write_bytes(_INSTANCE.read_bytes())
    given = environment(arena.context.settings) | {"DAGSTER_HOME": str(home)}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
