"""Fetching: each symbol's whole history, in the provider's own values, into `market.raw_prices`.

How `ingest` works:
1. ask the ledger which symbols are stored and the provider's cheap version mark whether it would answer differently;
2. fetch those that need it, several at a time, whole history each, whatever range was asked;
3. write each batch in one transaction: rows, what they change in the stored past (`revisions.py`), delivered actions,
   payloads and ledger together;
4. a symbol that fails keeps what it had; the ledger says why, and nobody else is stopped;
5. those that failed for a passing reason are asked again when all others are through;
6. an open circuit ends the asking: what has arrived stays, the rest is failed with its reason;
7. a symbol that the provider says it does not have gets a strike per session (`strikes.py`).
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
import pandas as pd

from bist_pipeline.operations import kill_switch
from bist_pipeline.pipeline.asking import Outcome, Status, ask, refuse_cut_off, version_mark
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.ledger import LedgerEntry, ledger_frame, read_ledger
from bist_pipeline.pipeline.pacing import prune_requests
from bist_pipeline.pipeline.payloads import keep_payloads, prune_payloads
from bist_pipeline.pipeline.progress import Progress, silent
from bist_pipeline.pipeline.revisions import note_revisions
from bist_pipeline.pipeline.sources import note_market
from bist_pipeline.pipeline.strikes import strike
from bist_pipeline.providers.contract import History, PriceProvider
from bist_pipeline.storage.bulk import BulkTransaction, Scope, WriteCounts

# How often all symbols that failed for a passing reason are asked again at the end of an ingest.
MOST_FURTHER_ROUNDS = 2


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did.

    Attributes:
        outcomes: One row per symbol of the universe: `symbol`, `status`, `reason`, `fetched` (False where the stored
            answer still holds).
        counts: Rows written to `market.raw_prices`.
    """

    outcomes: pd.DataFrame
    counts: WriteCounts = field(default_factory=WriteCounts)

    def with_status(self, status: Status) -> pd.DataFrame:
        """The outcomes of one status."""
        return self.outcomes[self.outcomes["status"] == status]

    def summary(self) -> dict[str, int]:
        """Numbers worth watching: symbols by what became of them."""
        states = {f"symbols_{status}": len(self.with_status(status)) for status in ("answered", "failed", "missing")}
        return {"symbols_asked": len(self.outcomes), **states, "symbols_fetched": int(self.outcomes["fetched"].sum())}


def ingest(
    context: PipelineContext,
    providers: Sequence[PriceProvider],
    symbols: Sequence[str],
    progress: Progress = silent,
    accept_shorter: Collection[str] = (),
    *,
    whatever_is_stored: bool = False,
) -> IngestReport:
    """Fetch and store what is not stored yet or would be answered differently now.

    Args:
        context: The run's surroundings.
        providers: Asked in order; the next one is asked where one does not have a symbol.
        symbols: Active symbols.
        progress: Told of every symbol that is dealt with.
        accept_shorter: Symbols of which an answer that lacks much of what is stored is meant so.
        whatever_is_stored: Fetch every symbol, whatever the ledger says.

    Raises:
        MarketKindError: The database holds another kind of market.
    """
    note_market(context, tuple(providers))
    stored = read_ledger(context.database)
    marks = {symbol: version_mark(providers, symbol) for symbol in symbols}
    current = [stored[s] for s in symbols if not whatever_is_stored and s in stored and stored[s].holds(marks[s])]
    held = {entry.symbol for entry in current}
    needed, outcomes, counts = [s for s in symbols if s not in held], dict[str, Outcome](), WriteCounts()
    fetcher = _Fetcher(context, providers, marks, stored, frozenset(accept_shorter))
    progress("fetching", len(current), len(symbols))
    for _ in range(1 + MOST_FURTHER_ROUNDS):
        for batch in _batches(needed, context.settings.collector_batch_size):
            fetched, written = fetcher.fetch(batch)
            outcomes |= {outcome.symbol: outcome for outcome in fetched}
            counts += written
            progress("fetching", len(current) + len(outcomes), len(symbols))
        needed = [] if fetcher.is_stopped else [s for s, outcome in outcomes.items() if outcome.passing]
        if not needed:
            break
    report = IngestReport(_outcome_frame(current, list(outcomes.values())), counts)
    strike(context, report.outcomes)
    prune_requests(context.database)
    prune_payloads(context)
    return report


@dataclass
class _Fetcher:
    """Fetches and writes one batch after the other, until a circuit opens."""

    context: PipelineContext
    providers: Sequence[PriceProvider]
    marks: Mapping[str, str | None]
    stored: Mapping[str, LedgerEntry]
    accept_shorter: frozenset[str]
    _stopped: str = ""

    @property
    def is_stopped(self) -> bool:
        """Whether nothing more may be asked."""
        return bool(self._stopped)

    def fetch(self, batch: Sequence[str]) -> tuple[list[Outcome], WriteCounts]:
        """Fetch and store one batch."""
        kill_switch.check(self.context.settings.bist_kill_switch)
        with ThreadPoolExecutor(self.context.settings.collector_max_workers, thread_name_prefix="fetch") as pool:
            fetched = list(pool.map(self._fetch, batch))
        checked = [
            one if one.symbol in self.accept_shorter else refuse_cut_off(one, self.stored.get(one.symbol))
            for one in fetched
        ]
        return checked, _write_batch(self.context, checked, self.stored)

    def _fetch(self, symbol: str) -> Outcome:
        if self._stopped:
            name = self.providers[0].name
            return Outcome(symbol, name, "failed", self._stopped, passing=True, circuit_open=True)
        outcome = ask(self.providers, symbol, self.marks[symbol] or "")
        if outcome.circuit_open:
            self._stopped = outcome.reason
        return outcome


def _batches(symbols: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    yield from (symbols[start : start + size] for start in range(0, len(symbols), size))


def _write_batch(
    context: PipelineContext, outcomes: Sequence[Outcome], stored: Mapping[str, LedgerEntry]
) -> WriteCounts:
    tables = contracts()
    now = context.clock.now()
    histories = [outcome.history for outcome in outcomes if outcome.history is not None]
    scope = Scope(symbols=tuple(history.symbol for history in histories))
    counts = WriteCounts()
    with context.database.bulk("writing market.raw_prices") as bulk:
        bulk.lock(tables.fetch_ledger.name)
        if histories:
            raw = pd.concat([raw_rows(history, now) for history in histories], ignore_index=True)
            counts = _write_raw(bulk, context, histories, raw, scope=scope, now=now)
            _advance_as_of(bulk, raw)
            _write_actions(bulk, histories, scope)
            keep_payloads(bulk, context, histories, now)
        entries = ledger_frame(_ledger_entry(outcome, stored.get(outcome.symbol), now) for outcome in outcomes)
        entries = _with_marks_of_cleaning(bulk, entries)
        bulk.replace(tables.fetch_ledger, [entries], Scope(symbols=tuple(outcome.symbol for outcome in outcomes)))
    return counts


def _write_raw(
    bulk: BulkTransaction,
    context: PipelineContext,
    histories: Sequence[History],
    raw: pd.DataFrame,
    *,
    scope: Scope,
    now: datetime,
) -> WriteCounts:
    """Write the rows; what they change in the stored past is noted first."""
    contract = contracts().raw_prices
    bulk.lock(contract.name)
    if not bulk.holds_rows(contract, scope):
        return bulk.replace(contract, [raw], scope)
    stage = bulk.stage(contract, [raw])
    note_revisions(bulk, context, histories, stage=stage, scope=scope, now=now)
    return bulk.merge(contract, stage, scope)


def _with_marks_of_cleaning(bulk: BulkTransaction, entries: pd.DataFrame) -> pd.DataFrame:
    """Take what cleaning noted from the table, under its lock: it may have changed since the ledger was read."""
    noted = bulk.frame(
        """SELECT symbol, cleaned_hash AS hash_now, dirty_from AS dirty_now, dirty_because AS because_now
        FROM market.fetch_ledger"""
    )
    merged = entries.merge(noted, on="symbol", how="left")
    return entries.assign(
        cleaned_hash=merged["hash_now"].fillna("").to_numpy(),
        dirty_from=merged["dirty_now"].to_numpy(dtype="datetime64[us]"),
        dirty_because=merged["because_now"].fillna("").to_numpy(),
    )


def _advance_as_of(bulk: BulkTransaction, raw: pd.DataFrame) -> None:
    """Note on the newest rows that the provider says the same at a later time.

    A row whose values are unchanged is left alone, its `as_of` included: a bar that was forming when it first came, and
    ended as it was, would be forming for ever. Rows of days before their own `as_of` were settled then.
    """
    stage = bulk.stage_frame(raw.drop_duplicates("symbol")[["symbol", "as_of", "payload_hash", "fetched_at"]])
    bulk.execute(
        f"""UPDATE market.raw_prices AS r
        SET as_of = n.as_of, payload_hash = n.payload_hash, fetched_at = n.fetched_at FROM {stage} AS n
        WHERE r.symbol = n.symbol AND r.as_of < n.as_of
        AND r.session_date >= (r.as_of AT TIME ZONE 'Europe/Istanbul')::date"""
    )


def raw_rows(history: History, fetched_at: datetime) -> pd.DataFrame:
    """Shape one answer as rows of `market.raw_prices`; repeated days are numbered in the answer's order."""
    bars = history.bars
    return bars.assign(
        symbol=history.symbol,
        occurrence=bars.groupby("session_date").cumcount().to_numpy(dtype=np.int64),
        basis=history.basis,
        source=history.source,
        payload_hash=history.payload_hash,
        as_of=pd.Timestamp(history.as_of).tz_convert("UTC").as_unit("us"),
        fetched_at=pd.Timestamp(fetched_at).tz_convert("UTC").as_unit("us"),
    )


def _write_actions(bulk: BulkTransaction, histories: Sequence[History], scope: Scope) -> None:
    contract = contracts().delivered_actions
    frames = [h.actions.assign(symbol=h.symbol, source=h.source) for h in histories if len(h.actions)]
    blocks = [pd.concat(frames, ignore_index=True).drop_duplicates(list(contract.key), keep="last")] if frames else []
    bulk.replace(contract, blocks, scope)


def _ledger_entry(outcome: Outcome, stored: LedgerEntry | None, now: datetime) -> LedgerEntry:
    """One ledger row: a failure keeps what is known of the stored rows, an answer replaces it."""
    entry = replace(
        stored or LedgerEntry(outcome.symbol, outcome.provider, outcome.status, now),
        provider=outcome.provider,
        status=outcome.status,
        reason=outcome.reason,
        version=outcome.version,
        fetched_at=now,
    )
    if outcome.history is None:
        return entry
    days = outcome.history.bars["session_date"]
    return replace(
        entry,
        payload_hash=outcome.history.payload_hash,
        states_actions=outcome.history.states_actions,
        strikes=0,
        struck_on=None,
        rows=len(days),
        first_session=days.min().date(),
        last_session=days.max().date(),
        basis=outcome.history.basis,
        recognised=json.dumps(dict(outcome.history.recognised), ensure_ascii=False, sort_keys=True),
    )


def _outcome_frame(current: Sequence[LedgerEntry], outcomes: Sequence[Outcome]) -> pd.DataFrame:
    kept = [(entry.symbol, entry.status, entry.reason, False) for entry in current]
    asked = [(o.symbol, o.status, o.reason, True) for o in outcomes]
    return pd.DataFrame([*kept, *asked], columns=["symbol", "status", "reason", "fetched"])
