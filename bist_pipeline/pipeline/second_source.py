"""The second source: fetching its histories, comparing them with the first's, and storing what differs.

Belongs here: `BIST_SECOND_PROVIDER` from the settings to the tables `market.second_prices` and
`market.source_comparison`. Does not belong here: recognising and judging (`quality/comparison/`), which bar is served
(`market/choice.py`). Nothing that goes wrong here stops the first source.
"""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd

from bist_pipeline.core.calendar import ORIGIN
from bist_pipeline.core.errors import ProviderError, SettingsError
from bist_pipeline.market.choice import Choice, choose
from bist_pipeline.operations import kill_switch
from bist_pipeline.pipeline.asking import Outcome, ask, version_mark
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.ingest import raw_rows
from bist_pipeline.pipeline.pacing import PostgresPacer
from bist_pipeline.pipeline.progress import Progress, silent
from bist_pipeline.pipeline.second_marks import Mark, foreign_symbols, read_marks, write_marks
from bist_pipeline.pipeline.sources import note_market
from bist_pipeline.providers.contract import History, PriceProvider, Services
from bist_pipeline.providers.registry import registered_providers
from bist_pipeline.quality.comparison.engine import bars_of, compare
from bist_pipeline.settings import Settings
from bist_pipeline.storage.bulk import BulkTransaction, Scope, WriteCounts


@dataclass(frozen=True, slots=True)
class SecondReport:
    """What became of asking the second source.

    Attributes:
        outcomes: One row per symbol: `symbol`, `status` (answered, failed, missing), `reason`, `fetched`.
        counts: Rows written to `market.second_prices`.
    """

    outcomes: pd.DataFrame
    counts: WriteCounts = field(default_factory=WriteCounts)

    def summary(self) -> dict[str, int]:
        """Numbers worth watching, for metadata."""
        states = self.outcomes["status"].value_counts()
        told = {f"second_{name}": int(states.get(name, 0)) for name in ("answered", "failed", "missing")}
        return {**told, "second_fetched": int(self.outcomes["fetched"].sum())}


def open_second(settings: Settings, services: Services | None = None) -> PriceProvider | None:
    """Make the provider that `BIST_SECOND_PROVIDER` names; None where it names none.

    Raises:
        SettingsError: The name is unknown or that of the first source, or its own settings do not suffice.
    """
    name = settings.bist_second_provider
    if not name:
        return None
    legal = {known: spec.build for known, spec in registered_providers().items() if spec.build}
    if name not in legal:
        raise SettingsError(f"BIST_SECOND_PROVIDER names {name!r} (legal: {', '.join(legal)}, or empty for none)")
    if name in settings.bist_providers:
        raise SettingsError(f"BIST_SECOND_PROVIDER = {name} is in BIST_PROVIDERS too: it is no second source")
    return legal[name](settings, services or Services())


def take_second(
    context: PipelineContext,
    symbols: Sequence[str],
    provider: PriceProvider | None = None,
    progress: Progress = silent,
) -> SecondReport:
    """Fetch and store what the second source would answer differently now.

    What stands in `market.second_prices` stays for a symbol that fails now, unless another source, folder or basis is
    noted to have told it, or the source lists its symbols and this one is not among them. Where no second source is
    configured, all rows go; the next cleaning then empties `market.source_comparison` and serves the first's bars.

    Args:
        context: The run's surroundings.
        symbols: Active symbols.
        provider: The second source; None for the one that the settings name.
        progress: Told of every symbol that is dealt with.

    Raises:
        MarketKindError: The database holds another kind of market.
        SettingsError: The settings name no usable second source.
    """
    pacer = PostgresPacer(context.database, context.settings, context.run_id)
    second = provider or open_second(context.settings, Services(pacer, context.clock))
    if second is None:
        _drop(context, "true")
        return SecondReport(_outcomes([], []))
    note_market(context, (second,))
    _drop_strangers(context, second)
    marks = {symbol: version_mark([second], symbol) for symbol in symbols}
    held = read_marks(context, second.name)
    current = [symbol for symbol in symbols if symbol in held and held[symbol].version == marks[symbol]]
    needed, outcomes, counts = [s for s in symbols if s not in set(current)], list[Outcome](), WriteCounts()
    size = context.settings.collector_batch_size
    for start in range(0, len(needed), size):
        kill_switch.check(context.settings.bist_kill_switch)
        batch = _ask_all(context, second, needed[start : start + size], marks)
        counts += _write(context, [outcome.history for outcome in batch if outcome.history])
        outcomes += batch
        write_marks(context, second.name, {o.symbol: Mark.of(o.history, o.version) for o in batch if o.history})
        progress("second source", len(current) + len(outcomes), len(symbols))
    return SecondReport(_outcomes(current, outcomes), counts)


def compare_with_second(
    context: PipelineContext,
    first: pd.DataFrame,
    second: pd.DataFrame,
    *,
    bars: pd.DataFrame | None = None,
    actions: pd.DataFrame | None = None,
    third: pd.DataFrame | None = None,
) -> Choice:
    """Compare the first source's histories with the second's and choose the bars.

    Args:
        context: The run's surroundings: calendar and `BIST_BAR_CHOICE`.
        first: Rows of `market.raw_prices`, whole histories.
        second: Rows of `market.second_prices` of the same symbols.
        bars: The rows of `first` as traded, under the same index: `open_try` … `volume_shares`, `basis`.
        actions: Known actions: `symbol`, `ex_date`, `price_factor`, `share_ratio`.
        third: Closes of a third source: `symbol`, `session_date`, `close_try`.
    """
    told = pd.concat([first["session_date"], second["session_date"]])
    if not len(first) or not len(second):
        sessions = None
    else:
        sessions = context.calendar.sessions(max(told.min().date(), ORIGIN), told.max().date())
    compared = compare(bars_of(first, bars), bars_of(second), sessions=sessions, actions=actions, third=third)
    rows = compared.rows[~_second_is_late(compared.rows, second)].reset_index(drop=True)
    return choose(rows, compared.brought, second, context.settings.bist_bar_choice)


def read_second(bulk: BulkTransaction, scope: Scope) -> pd.DataFrame:
    """Read the rows of `market.second_prices` in a scope."""
    return bulk.frame(f"SELECT t.* FROM {contracts().second_prices.name} AS t WHERE {bulk.predicate(scope)}")


def read_third(bulk: BulkTransaction, symbols: Sequence[str]) -> pd.DataFrame:
    """Read what live quotes said after the close: `symbol`, `session_date`, `close_try`; a third source."""
    return bulk.frame(
        """SELECT DISTINCT ON (symbol, session_date) symbol, session_date, last_try AS close_try FROM market.quotes
        WHERE symbol = ANY (string_to_array($1, ',')) AND state IN ('trading', 'price_only')
        AND (as_of AT TIME ZONE 'Europe/Istanbul')::date = session_date
        AND (as_of AT TIME ZONE 'Europe/Istanbul')::time >= TIME '18:05'  -- half days are left out: no harm
        ORDER BY symbol, session_date, as_of DESC""",
        [",".join(symbols)],
    )


def second_marks(context: PipelineContext) -> Mapping[str, str]:
    """A mark per symbol of what the second source said of it, and of whose bars are served; empty without one."""
    if not context.settings.bist_second_provider:
        return {}
    rows = context.database.rows(
        "SELECT symbol, left(max(payload_hash), 12) AS payload, max(basis) AS basis FROM market.second_prices "
        "GROUP BY symbol"
    )
    # The basis beside the hash: the same bytes may have been read on another one.
    return {row.symbol: f"{row.payload}:{row.basis}:{context.settings.bist_bar_choice}" for row in rows}


def store_comparison(bulk: BulkTransaction, rows: pd.DataFrame, scope: Scope, now: datetime) -> WriteCounts:
    """Make `market.source_comparison` hold exactly these rows of a scope (whole histories of some symbols)."""
    contract = contracts().source_comparison
    told = rows.assign(compared_at=pd.Timestamp(now).tz_convert("UTC").as_unit("us"))
    return bulk.replace(contract, [told[list(contract.columns)]] if len(told) else [], scope)


def _second_is_late(rows: pd.DataFrame, second: pd.DataFrame) -> pd.Series:
    """Which rows say no more than that the second does not tell of the newest sessions yet."""
    if not len(rows) or not len(second):  # of symbols that the second does not know there is no end, and no day to map
        return pd.Series(data=False, index=rows.index)
    ends = second.groupby("symbol")["session_date"].max()
    return (rows["verdict"] == "only_first") & (rows["session_date"] > rows["symbol"].map(ends))


def _ask_all(
    context: PipelineContext, second: PriceProvider, symbols: Sequence[str], marks: Mapping[str, str | None]
) -> list[Outcome]:
    with ThreadPoolExecutor(context.settings.collector_max_workers, thread_name_prefix="second") as pool:
        return list(pool.map(lambda symbol: ask([second], symbol, marks[symbol] or ""), symbols))


def _write(context: PipelineContext, histories: Sequence[History]) -> WriteCounts:
    """Write whole histories; of a symbol that failed, what was stored stays."""
    if not histories:
        return WriteCounts()
    contract, now = contracts().second_prices, context.clock.now()
    rows = pd.concat([raw_rows(history, now) for history in histories], ignore_index=True)
    with context.database.bulk(f"writing {contract.name}") as bulk:
        return bulk.replace(contract, [rows], Scope(symbols=tuple(history.symbol for history in histories)))


def _drop_strangers(context: PipelineContext, second: PriceProvider) -> None:
    """Drop the rows that another source, folder or basis told, and those of symbols that this one says it lacks.

    Before anything is asked, and before the marks that tell of it are replaced: a run that is killed loses nothing.
    """
    foreign = sorted(foreign_symbols(context, second.name))
    if foreign:
        _drop(context, "symbol = ANY (:symbols)", foreign)
    try:
        listed = second.symbols()
    except ProviderError:
        return  # not answered: each symbol's own failure says why
    # A folder without any file is one that is not mounted: that is no answer either.
    if listed:
        _drop(context, "NOT symbol = ANY (:symbols)", sorted(listed))


def _drop(context: PipelineContext, condition: str, symbols: Collection[str] = ()) -> None:
    table = contracts().second_prices.name
    with context.database.statements(f"forgetting rows of {table}") as statements:
        statements.run(f"DELETE FROM {table} WHERE {condition}", {"symbols": list(symbols)} if symbols else {})


def _outcomes(current: Sequence[str], outcomes: Sequence[Outcome]) -> pd.DataFrame:
    kept = [(symbol, "answered", "", False) for symbol in current]
    asked = [(o.symbol, o.status, o.reason, True) for o in outcomes]
    return pd.DataFrame([*kept, *asked], columns=["symbol", "status", "reason", "fetched"])
