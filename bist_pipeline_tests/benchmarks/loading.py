"""The first load: files become delivered rows, delivered rows become accepted bars."""

from collections.abc import Iterator

from bist_pipeline.pipeline.cleaning import clean_prices
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.ingest import ingest
from bist_pipeline.pipeline.universe import active_symbols, refresh_universe
from bist_pipeline.providers.registry import build_providers
from bist_pipeline_tests.benchmarks.arena import Arena
from bist_pipeline_tests.benchmarks.baselines import copy_alone
from bist_pipeline_tests.benchmarks.lines import Line

BAR_SECONDS = 20.0  # own work of a first load


def first_load(arena: Arena) -> Iterator[Line]:
    """Load the archive into the empty database."""
    context, watch, tables = arena.context, arena.watch, contracts()
    providers = build_providers(context.settings)
    universe = watch.take("universe", lambda: refresh_universe(context, providers))
    fetched = watch.take("files → raw_prices", lambda: ingest(context, providers, active_symbols(context)))
    cleaned = watch.take("raw_prices → daily_prices", lambda: clean_prices(context, arena.span))
    copies = []
    for contract in (tables.raw_prices, tables.daily_prices):
        rows = context.database.frame(f"SELECT * FROM {contract.name}")
        copies.append(
            watch.take(f"bare COPY of {contract.name}", lambda c=contract, r=rows: copy_alone(context, c, [r]))
        )
    total = universe + fetched + cleaned
    copied = copies[0] + copies[1]
    yield Line("First load of the archive", total.wall, "s", total.cpu, BAR_SECONDS, copied.wall, "COPY of both tables")
    yield Line("· files → raw_prices", fetched.wall, "s", fetched.cpu, None, copies[0].wall, "COPY")
    yield Line("· raw_prices → daily_prices", cleaned.wall, "s", cleaned.cpu, None, copies[1].wall, "COPY")
