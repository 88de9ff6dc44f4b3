"""Cleaning: delivered rows become accepted bars or quarantined rows.

How `clean_prices` works:
1. symbols whose delivered rows changed since they were last cleaned, or for whom the calendar changed, are cleaned
   over their whole history;
2. for everyone else the rows of the asked range are cleaned again, so that materialising a partition repairs it;
3. each batch is one transaction: bars, quarantine and ledger together. The session in progress is told by quotes until
   its history comes (`live_bars.py`);
4. a bar that changes in a past that may have been derived from sets the symbol's `dirty_from`, and so does a split that
   is learnt late, from its ex-date on. One learnt on time changes what readers multiply with, and no bar.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from bist_pipeline.core.bars import BAR_COLUMNS
from bist_pipeline.core.calendar import ISTANBUL, ORIGIN, SessionCalendar
from bist_pipeline.market.cleaning import Cleaned, clean, clean_forming
from bist_pipeline.market.factors import with_factors
from bist_pipeline.market.splits import Actions
from bist_pipeline.operations import kill_switch
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.live_bars import take_live_bars
from bist_pipeline.pipeline.progress import Progress, silent
from bist_pipeline.pipeline.span import Span
from bist_pipeline.schemas.validation import require
from bist_pipeline.storage.bulk import BulkTransaction, Scope, WriteCounts

# Raised when the rules of `market/cleaning.py` change: everything stored is then cleaned again.
# 2: splits are undone where they are stated, bars as traded have factors.
CLEANING_VERSION = 2

# What derived rows are computed from. A bar that differs in nothing else, such as its factors or who told of it, is the
# same bar.
_DERIVED_FROM = (*BAR_COLUMNS, "basis")


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
        actions = _actions(context, bulk, scope.symbols or ())
        cleaned = _cleaned(context, bulk, scope, actions)
        bars = with_factors(cleaned.accepted, actions, _closes_before_dividends(bulk, scope, actions))
        accepted = require(tables.daily_prices, bars.assign(updated_at=pd.Timestamp(context.clock.now())))
        prices = _write_prices(bulk, accepted.drop(columns="updated_at"), scope)
        quarantine = bulk.replace(tables.quarantine, [cleaned.quarantined], scope)
        _remember(bulk, marks)
    return prices, quarantine


def _cleaned(context: PipelineContext, bulk: BulkTransaction, scope: Scope, actions: Actions) -> Cleaned:
    """Clean the history of a scope, and the live bars of sessions that it does not tell of."""
    raw = bulk.frame(f"SELECT t.* FROM {contracts().raw_prices.name} AS t WHERE {bulk.predicate(scope)}")
    schedule = context.calendar.schedule(ORIGIN, context.calendar.horizon)
    history, live = take_live_bars(bulk, raw, scope.symbols or (), schedule, first=scope.first, last=scope.last)
    told = clean(history, schedule, actions)
    if not len(live):
        return told
    forming = clean_forming(live, schedule, actions)
    return Cleaned(
        pd.concat([told.accepted, forming.accepted], ignore_index=True),
        pd.concat([told.quarantined, forming.quarantined], ignore_index=True),
    )


def _actions(context: PipelineContext, bulk: BulkTransaction, symbols: Sequence[str]) -> Actions:
    """What is known of the actions of some symbols now."""
    wanted = ",".join(symbols)
    frame = bulk.frame(
        """SELECT symbol, ex_date, kind, ratio, amount_try FROM reference.corporate_actions
        WHERE symbol = ANY (string_to_array($1, ','))""",
        [wanted],
    )
    stating = bulk.frame(
        """SELECT symbol FROM market.fetch_ledger
        WHERE states_actions AND symbol = ANY (string_to_array($1, ','))""",
        [wanted],
    )
    return Actions(frame, frozenset(stating["symbol"]), context.clock.now().astimezone(ISTANBUL).date())


def _closes_before_dividends(bulk: BulkTransaction, scope: Scope, actions: Actions) -> pd.DataFrame:
    """The last stored close before each dividend that lies outside the scope and is needed for a bar inside it."""
    paid = actions.of_kind("dividend")
    # Where the whole history is cleaned, every close is at hand; a dividend before the scope changes nothing in it.
    paid = paid[paid["ex_date"] > pd.Timestamp(scope.first)] if scope.first else paid.iloc[:0]
    stage = bulk.stage_frame(paid[["symbol", "ex_date"]].astype({"symbol": "str", "ex_date": "datetime64[us]"}))
    return bulk.frame(
        f"""SELECT p.symbol, p.session_date, p.close_try FROM {stage} AS d CROSS JOIN LATERAL (
            SELECT * FROM market.daily_prices AS p
            WHERE p.symbol = d.symbol AND p.session_date < d.ex_date::date AND p.session_date NOT BETWEEN $1 AND $2
            ORDER BY p.session_date DESC LIMIT 1) AS p""",
        [scope.first or ORIGIN, scope.last or ORIGIN],
    )


def _write_prices(bulk: BulkTransaction, accepted: pd.DataFrame, scope: Scope) -> WriteCounts:
    contract = contracts().daily_prices
    bulk.lock(contract.name)
    if scope.first is None and not bulk.holds_rows(contract, scope):
        return bulk.replace(contract, [accepted], scope)
    stage = bulk.stage(contract, [accepted])
    others = tuple(name for name in contract.columns if name not in _DERIVED_FROM)
    _set_dirty(bulk, bulk.changed(replace(contract, stamps=others), stage, scope))
    if scope.first is None:
        _set_dirty(bulk, bulk.frame(_SPLITS_LEARNT_LATE.format(stage=stage)))
    return bulk.merge(contract, stage, scope)


# A split that comes changes the factors of all stored bars alike. Where the change is not the same from one bar to the
# next, a split has come, gone or changed there that bars from then on should have been derived with. (Products of the
# same ratios in another order differ in their last bits.)
_SPLITS_LEARNT_LATE = """
    SELECT symbol, min(session_date) AS session_date FROM (
        SELECT symbol, session_date, change / lag(change) OVER (PARTITION BY symbol ORDER BY session_date) AS step
        FROM (SELECT s.symbol, s.session_date, s.adjustment_factor / t.adjustment_factor AS change
              FROM {stage} AS s JOIN market.daily_prices AS t USING (symbol, session_date)) AS changes
        ) AS steps
    WHERE abs(step - 1) > 1e-9 GROUP BY symbol"""


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
