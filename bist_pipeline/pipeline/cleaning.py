"""Cleaning: delivered rows become accepted bars or quarantined rows.

How `clean_prices` works:
1. symbols whose delivered rows changed since they were last cleaned, or for whom the calendar changed, are cleaned
   over their whole history;
2. for everyone else the rows of the asked range are cleaned again, so that materialising a partition repairs it;
3. each batch is one transaction: bars, quarantine and ledger together;
4. a bar that changes in a past that may have been derived from sets the symbol's `dirty_from`.
"""

import hashlib
from dataclasses import dataclass

import pandas as pd

from bist_pipeline.core.calendar import ORIGIN, SessionCalendar
from bist_pipeline.market.cleaning import clean
from bist_pipeline.operations import kill_switch
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.progress import Progress, silent
from bist_pipeline.pipeline.span import Span
from bist_pipeline.schemas.validation import require
from bist_pipeline.storage.bulk import BulkTransaction, Scope, WriteCounts

# Raised when the rules of `market/cleaning.py` change: everything stored is then cleaned again.
CLEANING_VERSION = 1


@dataclass(frozen=True, slots=True)
class CleanReport:
    """What cleaning did.

    Attributes:
        prices: Rows of `market.daily_prices`.
        quarantine: Rows of `market.quarantine`.
        symbols_cleaned: Symbols whose whole history was cleaned.
    """

    prices: WriteCounts
    quarantine: WriteCounts
    symbols_cleaned: int


def clean_prices(context: PipelineContext, span: Span, progress: Progress = silent) -> CleanReport:
    """Clean what changed, and the span.

    Args:
        context: The run's surroundings.
        span: Sessions that are cleaned again for every symbol.
        progress: Told of every symbol that is dealt with.
    """
    ledger = context.database.frame(
        "SELECT symbol, payload_hash, version, cleaned_hash, last_session FROM market.fetch_ledger "
        "WHERE payload_hash <> ''"
    )
    marks = _marks(ledger, context.calendar)
    stale = ledger.loc[ledger["cleaned_hash"] != ledger["symbol"].map(marks), "symbol"].tolist()
    fresh = sorted(set(ledger["symbol"]) - set(stale))
    size = context.settings.collector_batch_size
    prices, quarantine = WriteCounts(), WriteCounts()
    progress("cleaning", 0, len(stale))
    for start in range(0, len(stale), size):
        kill_switch.check(context.settings.bist_kill_switch)
        batch = stale[start : start + size]
        counts = _clean_batch(context, Scope(symbols=tuple(batch)), {s: marks[s] for s in batch})
        prices, quarantine = prices + counts[0], quarantine + counts[1]
        progress("cleaning", start + len(batch), len(stale))
    if fresh:
        counts = _clean_batch(context, Scope(span.first, span.last, tuple(fresh)), {})
        prices, quarantine = prices + counts[0], quarantine + counts[1]
    return CleanReport(prices, quarantine, len(stale))


def _marks(ledger: pd.DataFrame, calendar: SessionCalendar) -> dict[str, str]:
    """What the rows of each symbol rest on: the payload, the calendar up to its last day, and the rules."""
    ends = calendar.days.searchsorted(ledger["last_session"].to_numpy().astype("datetime64[D]"), side="right")
    running, digests = hashlib.sha256(), [""]
    for day in zip(calendar.opens, calendar.closes, calendar.notes, strict=True):
        running.update(repr(day).encode())
        digests.append(running.hexdigest()[:16])
    # The version beside the hash: the same bytes may have been read on another basis.
    pairs = zip(ledger["symbol"], ledger["payload_hash"], ledger["version"], ends, strict=True)
    return {symbol: f"{CLEANING_VERSION}:{payload}:{version}:{digests[end]}" for symbol, payload, version, end in pairs}


def _clean_batch(context: PipelineContext, scope: Scope, marks: dict[str, str]) -> tuple[WriteCounts, WriteCounts]:
    """Clean one batch in one transaction; `marks` names the symbols whose whole history this is."""
    tables = contracts()
    with context.database.bulk("writing market.daily_prices") as bulk:
        bulk.lock(tables.fetch_ledger.name)
        raw = bulk.frame(f"SELECT t.* FROM {tables.raw_prices.name} AS t WHERE {bulk.predicate(scope)}")
        cleaned = clean(raw, context.calendar.schedule(ORIGIN, context.calendar.horizon))
        accepted = require(tables.daily_prices, cleaned.accepted.assign(updated_at=pd.Timestamp(context.clock.now())))
        prices = _write_prices(bulk, accepted.drop(columns="updated_at"), scope)
        quarantine = bulk.replace(tables.quarantine, [cleaned.quarantined], scope)
        _remember(bulk, marks)
    return prices, quarantine


def _write_prices(bulk: BulkTransaction, accepted: pd.DataFrame, scope: Scope) -> WriteCounts:
    contract = contracts().daily_prices
    bulk.lock(contract.name)
    if scope.first is None and not bulk.holds_rows(contract, scope):
        return bulk.replace(contract, [accepted], scope)
    stage = bulk.stage(contract, [accepted])
    _set_dirty(bulk, bulk.changed(contract, stage, scope))
    return bulk.merge(contract, stage, scope)


def _set_dirty(bulk: BulkTransaction, changes: pd.DataFrame) -> None:
    """Mark each symbol whose past changed. A bar after the last stored one is not past: nothing rests on it yet."""
    if not len(changes):
        return
    stage = bulk.stage_frame(changes.rename(columns={"session_date": "changed_from"}))
    bulk.execute(
        f"""UPDATE market.fetch_ledger AS l SET dirty_from = least(l.dirty_from, c.changed_from)
        FROM {stage} AS c JOIN (SELECT symbol, max(session_date) AS last FROM market.daily_prices GROUP BY symbol) AS p
        USING (symbol) WHERE l.symbol = c.symbol AND c.changed_from <= p.last"""
    )


def _remember(bulk: BulkTransaction, marks: dict[str, str]) -> None:
    if marks:
        stage = bulk.stage_frame(pd.DataFrame({"symbol": list(marks), "mark": list(marks.values())}))
        bulk.execute(
            f"UPDATE market.fetch_ledger AS l SET cleaned_hash = m.mark FROM {stage} AS m WHERE l.symbol = m.symbol"
        )
