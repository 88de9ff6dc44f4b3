"""The live lane: what providers tell of the session in progress, into `market.quotes`.

How `take_quotes` works:
1. ask the live providers in order for every active symbol that has history: the next one is asked for what the one
   before could not tell, the last one for a priority list only;
2. judge each answer against what is stored: does it trade, has an action come, is it of another session;
3. every answer is stored, and that there was none;
4. a symbol whose previous close is not ours gets its chart fetched at once, some per refresh, and is judged again.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import pandas as pd

from bist_pipeline.core.errors import CircuitOpenError, ProviderError, UniverseError
from bist_pipeline.operations import kill_switch
from bist_pipeline.pipeline.cleaning import clean_prices
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.ingest import ingest
from bist_pipeline.pipeline.quote_closes import judge
from bist_pipeline.pipeline.sources import Sources
from bist_pipeline.pipeline.span import Span
from bist_pipeline.pipeline.strikes import DELISTED_AFTER
from bist_pipeline.providers.contract import QUOTE_COLUMNS, LiveAnswer, LiveProvider
from bist_pipeline.schemas.market import QUOTE_STATES
from bist_pipeline.storage.bulk import WriteCounts

# A refresh ends after this long: what has arrived is published, with its coverage.
DEADLINE_SECONDS = 200.0

# Charts fetched in one refresh for symbols that wait for an action: the rest waits for the next tick.
MOST_CHARTS = 10
# A chart that did not explain the previous close is not asked for again before.
CHART_AGAIN_AFTER = timedelta(minutes=30)

# Symbols asked one by one where no batch is answered: the first of the priority list.
MOST_SINGLE = 30


@dataclass(frozen=True, slots=True)
class QuotesReport:
    """What one taking of quotes did.

    Attributes:
        session: The session refreshed.
        states: Symbols by state (`QUOTE_STATES`).
        providers: Symbols answered, by provider.
        charts_fetched: Histories fetched for symbols that waited for an action.
        counts: Rows written to `market.quotes`.
        problems: Why a provider could not be asked, one line each.
    """

    session: date
    states: Mapping[str, int]
    providers: Mapping[str, int] = field(default_factory=dict)
    charts_fetched: int = 0
    counts: WriteCounts = field(default_factory=WriteCounts)
    problems: tuple[str, ...] = ()

    def summary(self) -> dict[str, int]:
        """Numbers worth watching."""
        asked = {"symbols_asked": sum(self.states.values()), "charts_fetched": self.charts_fetched}
        return asked | {f"quotes_{state}": self.states.get(state, 0) for state in QUOTE_STATES}


def take_quotes(
    context: PipelineContext, sources: Sources, session: date, symbols: Sequence[str] | None = None
) -> QuotesReport:
    """Ask for the session in progress and store every answer.

    Args:
        context: The run's surroundings.
        sources: What may be asked.
        session: The session in progress.
        symbols: Only these; None for every active symbol.

    Raises:
        CircuitOpenError: Nothing may be asked now; nothing is written.
        MarketKindError: The database holds another kind of market.
        UniverseError: No symbol has a history yet.
    """
    kill_switch.check(context.settings.bist_kill_switch)
    began, deadline = context.clock.now(), time.monotonic() + DEADLINE_SECONDS
    sources.check_market(context)
    asked = live_symbols(context, symbols)
    if not asked:
        raise UniverseError("no symbol has a history yet: `bist-pipeline backfill`, or `up`, loads them first")
    gathered = _ask_in_order(sources.live, asked, deadline)
    stamps = {"fetched_at": pd.Timestamp(began), "session_date": session}
    judged = judge(context, gathered.quotes, session)
    rows = _rows(context, judged, gathered, asked).assign(**stamps)
    counts = _store(context, rows)
    pending = _charts_due(context, judged)
    if pending and time.monotonic() < deadline:
        with sources.within(deadline):
            ingest(context, sources.history, pending, whatever_is_stored=True)
        clean_prices(context, Span(session, session))
        held, rows = rows, _rows(context, judge(context, gathered.quotes, session), gathered, asked).assign(**stamps)
        # Beside the first judgement, which says that the chart was asked for, and why.
        again = rows[rows["state"].to_numpy() != held["state"].to_numpy()]
        counts += _store(context, again.assign(fetched_at=pd.Timestamp(began) + pd.Timedelta(microseconds=1)))
    return QuotesReport(
        session,
        _count(rows["state"]),
        _count(gathered.quotes["provider"]),
        len(pending),
        counts,
        tuple(gathered.problems),
    )


def live_symbols(context: PipelineContext, wanted: Sequence[str] | None = None) -> list[str]:
    """List the active symbols that have history and are not delisted, those of the main indices first."""
    rows = context.database.rows(
        """SELECT s.symbol FROM reference.stocks AS s JOIN market.fetch_ledger AS l USING (symbol)
        WHERE s.is_active AND l.first_session IS NOT NULL AND l.strikes < :most
        ORDER BY s.in_xu030 DESC, s.in_xu100 DESC, s.symbol""",
        {"most": DELISTED_AFTER},
    )
    live = [row.symbol for row in rows]
    return live if wanted is None else [symbol for symbol in live if symbol in set(wanted)]


def _count(values: pd.Series) -> dict[str, int]:
    return {str(name): int(count) for name, count in values.value_counts().items()}


@dataclass
class _Gathered:
    """What the providers told so far: quotes with `provider` and `has_bar`, and of whom there is nothing."""

    quotes: pd.DataFrame
    silent: dict[str, str] = field(default_factory=dict)
    failed: dict[str, tuple[str, str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def _ask_in_order(providers: Sequence[LiveProvider], symbols: Sequence[str], deadline: float) -> _Gathered:
    columns = [*QUOTE_COLUMNS, "provider", "has_bar"]
    gathered = _Gathered(pd.DataFrame(columns=columns))
    for place, provider in enumerate(providers):
        open_ = _unresolved(symbols, gathered)
        # The last one asks symbol by symbol where others ask by the hundred.
        open_ = open_[:MOST_SINGLE] if place and place == len(providers) - 1 else open_
        if not open_:
            break
        try:
            answer = provider.quotes(open_, deadline)
        except CircuitOpenError:
            if place == 0:
                raise
            break
        except ProviderError as error:
            gathered.problems.append(f"{provider.name}: {error}")
            gathered.failed |= {symbol: (provider.name, str(error)) for symbol in open_}
            continue
        _add(gathered, provider.name, answer)
    return gathered


def _unresolved(symbols: Sequence[str], gathered: _Gathered) -> list[str]:
    """What a further provider could tell more of: symbols that failed, and those with a price and no bar."""
    has_bar = set(gathered.quotes.loc[gathered.quotes["has_bar"].astype(bool), "symbol"])
    return [symbol for symbol in symbols if symbol not in has_bar and symbol not in gathered.silent]


def _add(gathered: _Gathered, name: str, answer: LiveAnswer) -> None:
    new = answer.quotes.assign(provider=name, has_bar=answer.bars)
    old = gathered.quotes[~gathered.quotes["symbol"].isin(new["symbol"])]
    gathered.quotes = pd.concat([old, new], ignore_index=True) if len(old) else new.reset_index(drop=True)
    answered = set(new["symbol"])
    gathered.silent |= dict.fromkeys(answer.silent, name)
    gathered.failed |= {symbol: (name, reason) for symbol, reason in answer.failed.items()}
    gathered.failed = {s: why for s, why in gathered.failed.items() if s not in answered and s not in gathered.silent}
    gathered.problems += sorted({f"{name}: {reason}" for reason in answer.failed.values()})


def _charts_due(context: PipelineContext, judged: pd.DataFrame) -> list[str]:
    """The symbols that wait for an action and whose chart was not fetched a moment ago, the longest waiting first."""
    pending = judged.loc[judged["state"] == "action_pending", "symbol"].tolist()
    rows = context.database.rows(
        """SELECT symbol FROM market.fetch_ledger WHERE symbol = ANY (:pending) AND fetched_at < :before
        ORDER BY fetched_at, symbol LIMIT :most""",
        {"pending": pending, "before": context.clock.now() - CHART_AGAIN_AFTER, "most": MOST_CHARTS},
    )
    return [row.symbol for row in rows]


def _rows(context: PipelineContext, judged: pd.DataFrame, gathered: _Gathered, asked: Sequence[str]) -> pd.DataFrame:
    """One row per symbol asked, in the shape of `market.quotes` but for the time and the session."""
    unanswered = [(s, "silent", f"{name} left it out of a good answer", name) for s, name in gathered.silent.items()]
    unanswered += [(s, "failed", reason, name) for s, (name, reason) in gathered.failed.items()]
    told = set(judged["symbol"]) | {row[0] for row in unanswered}
    unanswered += [(s, "failed", "no provider was asked for it", "") for s in asked if s not in told]
    nothing = pd.DataFrame(unanswered, columns=["symbol", "state", "reason", "provider"]).assign(payload_hash="")
    columns = [n for n in contracts().quotes.columns if n not in {"fetched_at", "session_date", "run_id"}]
    rows = [frame.reindex(columns=columns) for frame in (judged, nothing) if len(frame)]
    return pd.concat(rows, ignore_index=True).assign(run_id=context.run_id)


def _store(context: PipelineContext, rows: pd.DataFrame) -> WriteCounts:
    if rows.empty:
        return WriteCounts()
    contract = contracts().quotes
    numbers = [name for name, column in contract.frame.columns.items() if str(column.dtype) == "float64"]
    shaped = rows.assign(
        **{str(name): pd.to_numeric(rows[name]).astype("float64") for name in numbers},
        as_of=pd.to_datetime(rows["as_of"], utc=True).astype("datetime64[us, UTC]"),
        fetched_at=rows["fetched_at"].astype("datetime64[us, UTC]"),
        session_date=pd.to_datetime(rows["session_date"]).astype("datetime64[us]"),
    )
    with context.database.bulk("writing market.quotes") as bulk:
        bulk.lock(contract.name)
        stage = bulk.stage(contract, [shaped[list(contract.columns)]])
        inserted = int(
            bulk.execute(
                f"""WITH added AS (INSERT INTO {contract.name} SELECT * FROM {stage}
                ON CONFLICT DO NOTHING RETURNING 1) SELECT count(*) FROM added"""
            )[0][0]
        )
    return WriteCounts(inserted=inserted, unchanged=len(rows) - inserted)
