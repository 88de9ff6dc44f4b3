"""Cleaning: delivered rows become accepted bars or quarantined rows.

How `clean_prices` works:
1. symbols whose delivered rows, corporate actions or calendar changed since they were last cleaned, or of whom the
   market as a whole says something else, are cleaned over their whole history (`histories.py`);
2. for everyone else the rows of the asked range are cleaned again as they were judged: materialising a partition
   repairs it. The session in progress is told by quotes until its history comes (`live_bars.py`). Undoing dividends
   and comparing two sources take whole histories: such bars are looked at, and their symbol is cleaned whole where
   they are not what they should be;
3. each batch is one transaction: bars, quarantine, actions, verdicts and ledger together;
4. a bar that changes in a past that may have been derived from sets the symbol's `dirty_from`, and so does an action
   that is learnt late, from its ex-date on. One learnt on time changes what readers multiply with, and no bar.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from bist_pipeline.core.calendar import ORIGIN, SessionCalendar
from bist_pipeline.market.cleaning import Cleaned, clean
from bist_pipeline.market.factors import with_action_factors
from bist_pipeline.market.splits import Actions
from bist_pipeline.operations import kill_switch
from bist_pipeline.pipeline.actions import marks_in_force, read_delivered, read_desk, today
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.histories import clean_histories, with_live_bars
from bist_pipeline.pipeline.judging import judge_market, market_marks, rules_digest, stored_judgement
from bist_pipeline.pipeline.live_bars import take_live_bars
from bist_pipeline.pipeline.progress import Progress, silent
from bist_pipeline.pipeline.second_source import second_marks
from bist_pipeline.pipeline.span import Span
from bist_pipeline.pipeline.stored_prices import write_prices
from bist_pipeline.schemas.validation import require
from bist_pipeline.storage.bulk import BulkTransaction, Scope, WriteCounts

# Raised when the rules of `market/` or the thresholds of `quality/` change: everything stored is then cleaned again.
# 2: splits are undone where they are stated, bars as traded have factors.
# 3: bars are judged by their neighbours; dividends are undone; bars are repaired.
CLEANING_VERSION = 3


@dataclass(frozen=True, slots=True)
class CleanReport:
    """What cleaning did.

    Attributes:
        prices: Rows of `market.daily_prices`.
        quarantine: Rows of `market.quarantine`.
        symbols_cleaned: Symbols whose whole history was cleaned.
        problem: Why the desk's list of actions could not be read; empty where it could, or where there is none.
    """

    prices: WriteCounts
    quarantine: WriteCounts
    symbols_cleaned: int
    problem: str = ""


def clean_prices(context: PipelineContext, span: Span, progress: Progress = silent) -> CleanReport:
    """Clean what changed, and the sessions of the span that quotes tell of.

    Args:
        context: The run's surroundings.
        span: Sessions that are looked at for every symbol.
        progress: Told of every symbol that is dealt with.
    """
    desk = read_desk(context)
    ledger = context.database.frame(
        "SELECT symbol, payload_hash, version, cleaned_hash, last_session FROM market.fetch_ledger "
        "WHERE payload_hash <> ''"
    )
    delivered = _delivered_marks(ledger, context.calendar)
    told = ledger["cleaned_hash"].str.rsplit("|", n=1).str[0]
    judge_market(context, ledger.loc[told != ledger["symbol"].map(delivered), "symbol"], len(ledger))
    marks = _with(delivered, marks_in_force(context, desk), market_marks(context), second_marks(context))
    stale = ledger["symbol"][ledger["cleaned_hash"] != ledger["symbol"].map(marks)].tolist()
    stale = sorted({*stale, *_lost(context, span)} & set(ledger["symbol"]))
    prices, quarantine = WriteCounts(), WriteCounts()
    size = context.settings.collector_batch_size
    progress("cleaning", 0, len(stale))
    for start in range(0, len(stale), size):
        kill_switch.check(context.settings.bist_kill_switch)
        batch = stale[start : start + size]
        counts = clean_histories(context, batch, {s: marks[s] for s in batch}, desk)
        prices, quarantine = prices + counts[0], quarantine + counts[1]
        progress("cleaning", start + len(batch), len(stale))
    counts = _clean_span(context, span, sorted(set(ledger["symbol"]) - set(stale) - _cleaned_whole_only(context)))
    return CleanReport(prices + counts[0], quarantine + counts[1], len(stale), desk.problem)


def _delivered_marks(ledger: pd.DataFrame, calendar: SessionCalendar) -> dict[str, str]:
    """What the rows of each symbol rest on: the payload, the calendar up to its last day, and the rules."""
    ends = calendar.days.searchsorted(ledger["last_session"].to_numpy().astype("datetime64[D]"), side="right")
    running, digests = hashlib.sha256(), [""]
    for day in zip(calendar.opens, calendar.closes, calendar.notes, strict=True):
        running.update(repr(day).encode())
        digests.append(running.hexdigest()[:16])
    rules = f"{CLEANING_VERSION}:{rules_digest()}"
    # The version beside the hash: the same bytes may have been read on another basis.
    pairs = zip(ledger["symbol"], ledger["payload_hash"], ledger["version"], ends, strict=True)
    return {symbol: f"{rules}:{payload}:{version}:{digests[end]}" for symbol, payload, version, end in pairs}


def _with(delivered: Mapping[str, str], *others: Mapping[str, str]) -> dict[str, str]:
    """Add what else the bars of each symbol rest on."""
    return {
        symbol: f"{mark}|{':'.join(other.get(symbol, '') for other in others)}" for symbol, mark in delivered.items()
    }


def _lost(context: PipelineContext, span: Span) -> list[str]:
    """Symbols that are cleaned whole and of whom a row of the span is gone, or is not what was delivered."""
    rows = context.database.rows(
        """SELECT DISTINCT r.symbol FROM market.raw_prices AS r
        JOIN market.undoings AS u ON u.symbol = r.symbol AND u.state <> 'refused'
        LEFT JOIN market.daily_prices AS p ON p.symbol = r.symbol AND p.session_date = r.session_date
        LEFT JOIN market.quarantine AS q
            ON q.symbol = r.symbol AND q.session_date = r.session_date AND q.occurrence = r.occurrence
        WHERE r.session_date BETWEEN :first AND :last AND r.basis = 'fully_adjusted' AND (
            (p.symbol IS NULL AND q.symbol IS NULL)
            OR (q.symbol IS NULL AND p.repaired = ''
                AND abs(p.close_try * p.total_return_factor - r.close_raw) > :slack * abs(r.close_raw)))
        UNION
        SELECT c.symbol FROM market.source_comparison AS c
        WHERE c.session_date BETWEEN :first AND :last AND c.chosen = 'second' AND NOT EXISTS (
            SELECT FROM market.daily_prices AS p
            WHERE p.symbol = c.symbol AND p.session_date = c.session_date AND p.repaired <> '')""",
        {"first": span.first, "last": span.last, "slack": _SLACK},
    )
    return [row.symbol for row in rows]


def _cleaned_whole_only(context: PipelineContext) -> set[str]:
    """Symbols of whom a part of the history cannot be cleaned alone.

    Their bars as traded rest on undone dividends, which files alone deliver, with no quotes beside them; or bars of the
    second source stand in, which takes a comparison of both histories.
    """
    rows = context.database.rows(
        """SELECT u.symbol FROM market.undoings AS u JOIN market.fetch_ledger AS l USING (symbol)
        WHERE u.state <> 'refused' AND l.basis = 'fully_adjusted'
        UNION SELECT symbol FROM market.source_comparison WHERE chosen = 'second'"""
    )
    return {row.symbol for row in rows}


# Adjusting anew gives what was delivered up to 1e-6; what a person changes, changes more.
_SLACK = 1e-4


def _clean_span(context: PipelineContext, span: Span, symbols: Sequence[str]) -> tuple[WriteCounts, WriteCounts]:
    """Clean the sessions of a span, of symbols whose history is as it was."""
    if not symbols:
        return WriteCounts(), WriteCounts()
    scope, tables = Scope(span.first, span.last, tuple(symbols)), contracts()
    with context.database.bulk("writing market.daily_prices") as bulk:
        bulk.lock(tables.fetch_ledger.name)
        cleaned = _cleaned(context, bulk, scope)
        factors = bulk.frame(f"SELECT t.* FROM reference.action_factors AS t WHERE {_of_symbols(bulk, scope)}")
        bars = with_action_factors(cleaned.accepted, factors)
        accepted = require(tables.daily_prices, bars.assign(updated_at=pd.Timestamp(context.clock.now())))
        prices = write_prices(bulk, accepted.drop(columns="updated_at"), scope)
        return prices, bulk.replace(tables.quarantine, [cleaned.quarantined], scope)


def _cleaned(context: PipelineContext, bulk: BulkTransaction, scope: Scope) -> Cleaned:
    """Clean the history of a scope as it was judged, and the live bars of sessions that it does not tell of."""
    raw = bulk.frame(f"SELECT t.* FROM {contracts().raw_prices.name} AS t WHERE {bulk.predicate(scope)}")
    schedule = context.calendar.schedule(ORIGIN, context.calendar.horizon)
    history, live = take_live_bars(bulk, raw, scope.symbols or (), schedule, first=scope.first, last=scope.last)
    actions = _trusted(bulk, read_delivered(bulk, scope.symbols or (), today(context)))
    told = clean(history, schedule, actions, stored_judgement(bulk, scope))
    return with_live_bars(told, live, schedule, actions)


def _of_symbols(bulk: BulkTransaction, scope: Scope) -> str:
    return bulk.predicate(Scope(symbols=scope.symbols))


def _trusted(bulk: BulkTransaction, delivered: Actions) -> Actions:
    refused = bulk.frame("SELECT symbol FROM market.undoings WHERE state = 'refused'")
    return Actions(delivered.frame, delivered.stating - frozenset(refused["symbol"]), delivered.today)
