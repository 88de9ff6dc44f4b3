"""Analytics and publishing: of the whole history, again with nothing changed, and of one session."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from bist_pipeline.core.bars import Bars
from bist_pipeline.indicators.engine import compute_indicators
from bist_pipeline.patterns.engine import detect_candlesticks
from bist_pipeline.pipeline.ahead import spread
from bist_pipeline.pipeline.backfill import derive_all
from bist_pipeline.pipeline.charts import find_charts, tape_of
from bist_pipeline.pipeline.cleaning import clean_prices
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.derive import bars_for, blocks_of
from bist_pipeline.pipeline.ingest import ingest
from bist_pipeline.pipeline.point_in_time import read_point_in_time
from bist_pipeline.pipeline.publish import publish
from bist_pipeline.pipeline.universe import active_symbols
from bist_pipeline.providers.registry import build_providers
from bist_pipeline.schemas.contract import Contract
from bist_pipeline.storage.bulk import Scope
from bist_pipeline_tests.benchmarks.arena import Arena
from bist_pipeline_tests.benchmarks.baselines import candlesticks_alone, copy_alone, indicators_alone
from bist_pipeline_tests.benchmarks.lines import Line
from bist_pipeline_tests.benchmarks.stopwatch import Taken

ANALYTICS_SECONDS = 10.0  # without chart patterns
CHART_SECONDS = 20e-6  # a bar, all detectors together
REFRESH_SECONDS = 3.0  # own work
GROWTH = 1.3  # of a refresh when history triples

_DERIVED = (
    *("analytics.indicators", "analytics.candlestick_patterns", "analytics.signals"),
    *("analytics.chart_patterns", "analytics.chart_candidates"),
)
_SERVED = ("serving.signals", "serving.pattern_events")


@dataclass(frozen=True, slots=True)
class Derived:
    """What the whole history took: analytics, publish, and each step of a second run."""

    analytics: Taken
    published: Taken
    again: Mapping[str, Taken]


def whole_history(arena: Arena) -> Derived:
    """Derive and publish everything, then do all of it again."""
    context, watch, span = arena.context, arena.watch, arena.span
    return Derived(
        watch.take("analytics of the whole history", lambda: derive_all(context, span)),
        watch.take("publish of the whole history", lambda: publish(context, span)),
        _again(arena),
    )


def history_lines(arena: Arena, derived: Derived) -> Iterator[Line]:
    """Set the whole history beside what reading, TA-Lib and COPY take without us."""
    floor, parts = _parts(arena)
    says = "read + TA-Lib + COPY, one after the other"
    wall, cpu, bar = derived.analytics.wall, derived.analytics.cpu, ANALYTICS_SECONDS + CHART_SECONDS * arena.bars
    yield Line("Analytics of the whole history: 10 s + 20 µs a bar", wall, "s", cpu, bar, floor.wall, says)
    yield from parts
    yield Line("Publish of the whole history", derived.published.wall, "s", derived.published.cpu)
    total = sum(derived.again.values(), Taken(0.0, (0.0, 0.0)))
    yield Line("Second run, nothing changed", total.wall, "s", total.cpu)
    yield from (Line(f"· {name}", taken.wall, "s", taken.cpu) for name, taken in derived.again.items())


def one_session(arena: Arena) -> Iterator[Line]:
    """Derive and publish the last session as a new one, with all of the history and with a third of it."""
    whole = _new_session(arena, arena.sessions[0], "of the whole history")
    third = _new_session(arena, arena.sessions[-max(len(arena.sessions) // 3, 1)], "of a third")
    yield Line("One new session, cleaned, derived, published", whole.wall, "s", whole.cpu, REFRESH_SECONDS)
    yield Line("· the same on a third of the history", third.wall, "s", third.cpu)
    yield Line("· growth when history triples, own work alone", whole.wall / third.wall, "×", None, GROWTH)


def _again(arena: Arena) -> dict[str, Taken]:
    context, providers = arena.context, build_providers(arena.context.settings)
    steps: dict[str, Callable[[], object]] = {
        "files → raw_prices": lambda: ingest(context, providers, active_symbols(context)),
        "raw_prices → daily_prices": lambda: clean_prices(context, arena.span),
        "analytics": lambda: derive_all(context, arena.span),
        "publish": lambda: publish(context, arena.span),
    }
    return {name: arena.watch.take(f"again, nothing changed: {name}", step) for name, step in steps.items()}


def _parts(arena: Arena) -> tuple[Taken, list[Line]]:
    """Each part of the analytics alone, with its floor; together they overlap, so the parts sum to more."""
    context, watch, tables = arena.context, arena.watch, contracts()
    read = watch.take("reading bars", lambda: bars_for(context, arena.span))
    bars = read.answer
    lines, floor = [Line("· read bars (alone)", read.wall, "s", read.cpu)], read
    for name, compute, alone in (
        ("indicators", compute_indicators, indicators_alone),
        ("candlesticks", detect_candlesticks, candlesticks_alone),
    ):
        bare = watch.take(f"functions of {name} alone", lambda call=alone: call(bars), is_baseline=True)
        ours = watch.take(f"{name} into one frame", lambda call=compute: call(bars), is_baseline=True)
        lines.append(Line(f"· {name} computed (alone)", ours.wall, "s", ours.cpu, None, bare.wall, "functions alone"))
        floor += bare
    charts = watch.take("chart patterns found", lambda: _charts_alone(context, bars, arena), is_baseline=True)
    bar = CHART_SECONDS * arena.bars
    lines.append(Line("· chart patterns computed (alone): 20 µs a bar", charts.wall, "s", charts.cpu, bar))
    for contract in (tables.indicators, tables.candlestick_patterns, tables.chart_patterns, tables.signals):
        bare, ours = _copies(arena, contract)
        lines.append(Line(f"· {contract.name} written (alone)", ours.wall, "s", ours.cpu, None, bare.wall, "COPY"))
        floor += bare
    return floor, lines


def _charts_alone(context: PipelineContext, bars: Bars, arena: Arena) -> None:
    """Find all chart patterns of the whole history on all cores, as `derive_charts` does, and drop the answers."""
    shares, since = read_point_in_time(context.database), arena.span.first
    for _ in spread(lambda block: find_charts(tape_of(block, shares), since), blocks_of(bars, arena.span)):
        pass


def _copies(arena: Arena, contract: Contract) -> tuple[Taken, Taken]:
    """A bare COPY of a table's rows, and the same rows into an empty table of its shape with its indexes and log."""
    context, watch = arena.context, arena.watch
    rows = context.database.frame(f"SELECT * FROM {contract.name} ORDER BY symbol, session_date")
    bare = watch.take(f"bare COPY of {contract.name}", lambda: copy_alone(context, rows), is_baseline=True)
    twin = Contract(contract.schema, f"{contract.table}_twin", contract.frame, contract.key)
    with context.database.transaction() as connection:
        connection.execute(sa.text(f"CREATE TABLE {twin.name} (LIKE {contract.name} INCLUDING ALL)"))
    with context.database.bulk(f"writing {twin.name}") as bulk:
        ours = watch.take(f"COPY into {twin.name}", lambda: bulk.replace(twin, [rows], Scope()), is_baseline=True)
    with context.database.transaction() as connection:
        connection.execute(sa.text(f"DROP TABLE {twin.name}"))
    return bare, ours


def _new_session(arena: Arena, since: object, words: str) -> Taken:
    """Clean, derive and publish the last session on a copy that begins at a session and lacks what is derived of it."""
    with arena.copied() as context:
        _forget(context, since, arena.sessions[-1])

        def work() -> None:
            clean_prices(context, arena.last)
            derive_all(context, arena.last)
            publish(context, arena.last)

        return arena.watch.take(f"one new session {words}", work)


def _forget(context: PipelineContext, since: object, last: object) -> None:
    for table in ("market.raw_prices", "market.daily_prices", *_DERIVED, *_SERVED):
        derived = table in _DERIVED or table in _SERVED
        with context.database.transaction(f"cutting {table}") as connection:
            sql = f"DELETE FROM {table} WHERE session_date < :since" + (" OR session_date = :last" if derived else "")
            connection.execute(sa.text(sql), {"since": since, "last": last} if derived else {"since": since})
        context.database.run_alone(f"VACUUM (ANALYZE) {table}")
