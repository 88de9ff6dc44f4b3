"""The first load: files become delivered rows, delivered rows become accepted bars."""

from collections.abc import Iterator
from dataclasses import dataclass

from bist_pipeline.pipeline.cleaning import clean_prices
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.ingest import ingest
from bist_pipeline.pipeline.universe import active_symbols, refresh_universe
from bist_pipeline.providers.registry import build_providers
from bist_pipeline.schemas.contract import Contract
from bist_pipeline_tests.benchmarks.arena import Arena
from bist_pipeline_tests.benchmarks.baselines import copy_alone
from bist_pipeline_tests.benchmarks.lines import Line
from bist_pipeline_tests.benchmarks.stopwatch import Taken

BAR_SECONDS = 20.0  # own work of a first load


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the steps of the first load took."""

    universe: Taken
    fetched: Taken
    cleaned: Taken


def first_load(arena: Arena) -> Loaded:
    """Load the archive into the empty database."""
    context, watch = arena.context, arena.watch
    providers = build_providers(context.settings)
    return Loaded(
        watch.take("universe", lambda: refresh_universe(context, providers)),
        watch.take("files → raw_prices", lambda: ingest(context, providers, active_symbols(context))),
        watch.take("raw_prices → daily_prices", lambda: clean_prices(context, arena.span)),
    )


def load_lines(arena: Arena, loaded: Loaded) -> Iterator[Line]:
    """Set the first load beside a bare COPY of the same rows."""
    raw, daily = (_copied(arena, contract) for contract in (contracts().raw_prices, contracts().daily_prices))
    total, copied = loaded.universe + loaded.fetched + loaded.cleaned, raw + daily
    yield Line("First load of the archive", total.wall, "s", total.cpu, BAR_SECONDS, copied.wall, "COPY of both tables")
    for name, taken, bare in (
        ("files → raw_prices", loaded.fetched, raw),
        ("raw_prices → daily_prices", loaded.cleaned, daily),
    ):
        yield Line(f"· {name}", taken.wall, "s", taken.cpu, None, bare.wall, "COPY")


def _copied(arena: Arena, contract: Contract) -> Taken:
    rows = arena.context.database.frame(f"SELECT * FROM {contract.name}")
    return arena.watch.take(f"bare COPY of {contract.name}", lambda: copy_alone(arena.context, rows), is_baseline=True)
