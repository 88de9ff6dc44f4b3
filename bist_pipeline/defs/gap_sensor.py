"""The sensor `fill_gaps` and its job: gaps are asked for again, newest first, a few symbols at a time.

Belongs here: whether it is the moment, and the run. Whom to ask is decided in `pipeline/gaps.py`; what new bars change
downstream is derived by the runs of `first_load`.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime

import dagster as dg
from pydantic import Field

from bist_pipeline.core.errors import BistError
from bist_pipeline.defs.lanes import HISTORY, HISTORY_TAGS, LANE, LIVE
from bist_pipeline.defs.partitions import SESSIONS
from bist_pipeline.defs.resources import PipelineResource
from bist_pipeline.defs.sensors import UNFINISHED
from bist_pipeline.operations import kill_switch
from bist_pipeline.pipeline.context import open_database
from bist_pipeline.pipeline.gaps import MOST_SYMBOLS, due_symbols, fill, unaskable
from bist_pipeline.pipeline.history import changed_symbols, history_chunks
from bist_pipeline.pipeline.pacing import circuit_open
from bist_pipeline.providers.contract import Services
from bist_pipeline.providers.registry import build_providers, exchange_clock
from bist_pipeline.settings import Settings, load_settings
from bist_pipeline.storage.migrate import current_fingerprint

# Twenty whole histories at one request a second, with retries.
_TAGS = {**HISTORY_TAGS, "dagster/max_runtime": "900"}


class FillGaps(dg.Config):
    """Whose gaps are asked for."""

    symbols: list[str] = Field([], description=f"Empty: the {MOST_SYMBOLS} that are due, newest gaps first.")


@dg.op(description="Asks for whole histories, accepts what came, and says what is still missing.")
def fill_gaps_op(context: dg.OpExecutionContext, config: FillGaps, pipeline: PipelineResource) -> None:
    """Ask once more for the histories of symbols with gaps."""
    opened = pipeline.context
    symbols = config.symbols or due_symbols(opened.database, opened.clock.now())
    report = fill(opened, pipeline.sources(), symbols)
    context.add_output_metadata({**pipeline.market_label(), **report.summary(), "symbols": ", ".join(symbols)})


@dg.job(name="fill_gaps_job", tags=_TAGS, description="Asks once more for the histories of symbols that have gaps.")
def fill_gaps_job() -> None:
    """One op: fetch, accept, look again."""
    fill_gaps_op()


@dg.sensor(
    name="fill_gaps",
    # By name: Dagster makes a sensor that holds a plain job anew, by a way that warns of its own beta parameters.
    job_name=fill_gaps_job.name,
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=f"Asks again for sessions that lack a bar, before a history as well as after it: {MOST_SYMBOLS} "
    "symbols a run, newest gaps first, each gap three times at the most and a day apart.",
)
def fill_gaps(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Request the run that asks for the gaps that are due, or say why not."""
    try:
        yield _request(context.instance, load_settings())
    except BistError as error:
        yield dg.SkipReason(str(error))


def _request(instance: dg.DagsterInstance, settings: Settings) -> dg.RunRequest | dg.SkipReason:
    kill_switch.check(settings.bist_kill_switch)
    busy = _busy(instance)
    if busy:
        return dg.SkipReason(busy)
    today = date.fromisoformat(str(SESSIONS.get_last_partition_key()))
    clock = exchange_clock(settings)
    providers = build_providers(settings, Services(clock=clock))
    with open_database(settings) as database:
        if current_fingerprint(database) is None:
            return dg.SkipReason("nothing is stored yet: the first load comes first")
        circuit = circuit_open(database, hosts=settings.yahoo_hosts)
        if circuit is not None:
            return dg.SkipReason(circuit.text)
        if any(not chunk.published for chunk in history_chunks(database, today)):
            return dg.SkipReason("stored history is still being derived: the first load comes first")
        # These `first_load` asks for anyway, with a patience of its own.
        changed = {symbol for symbol, _ in changed_symbols(settings, providers, database)}
        now = clock.now()
        due = due_symbols(database, now, but=changed.union(unaskable(database, providers)))
    return _run(due, now) if due else dg.SkipReason("no gap is due: each was asked for, or there is none")


def _busy(instance: dg.DagsterInstance) -> str:
    for lane, text in (
        (LIVE, "the session in progress is being refreshed"),
        (HISTORY, "a run of history is under way"),
    ):
        if instance.get_runs(dg.RunsFilter(tags={LANE: lane}, statuses=UNFINISHED), limit=1):
            return text
    return ""


def _run(symbols: Sequence[str], now: datetime) -> dg.RunRequest:
    """A run that failed before it asked, or that met an open circuit, is requested once more the next hour."""
    digest = hashlib.sha256(",".join(symbols).encode()).hexdigest()[:16]
    return dg.RunRequest(
        run_key=f"gaps:{digest}:{now:%Y-%m-%dT%H}",
        run_config={"ops": {"fill_gaps_op": {"config": {"symbols": list(symbols)}}}},
        tags=_TAGS,
    )
