"""Deriving: from accepted bars to indicators, candlesticks, chart patterns and signals.

How each derivation works:
1. read every accepted bar from each symbol's first one up to the end of the span: one origin per symbol, so that the
   bits of running sums do not depend on which range was asked;
2. compute over that history, each row in its own session's shares (`point_in_time.py`), keep the rows of the span;
3. make the span of the table hold exactly these rows, in one transaction.

Alone, the signals read the stored indicators and candlesticks of the span, some sessions at a time. `derive_together`
goes through the history once, some symbols at a time: what was computed for one table is at hand for the next, and all
tables are written at the same time. Both give the same rows, bit for bit.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import pandas as pd

from bist_pipeline.core.bars import Bars
from bist_pipeline.core.fingerprint import running_fingerprints
from bist_pipeline.indicators.engine import compute_indicators
from bist_pipeline.operations import kill_switch, memory
from bist_pipeline.pipeline.ahead import ahead, spread
from bist_pipeline.pipeline.charts import Charts, find_candlesticks, find_charts, tape_of
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.dirty import current, read_dirt, settle
from bist_pipeline.pipeline.grades import Grades, read_grades
from bist_pipeline.pipeline.known_at import KnownMoments, known_moments
from bist_pipeline.pipeline.point_in_time import PointInTime, read_point_in_time
from bist_pipeline.pipeline.span import Span
from bist_pipeline.pipeline.traded import is_traded
from bist_pipeline.providers.registry import provider_delay
from bist_pipeline.schemas.contract import Contract
from bist_pipeline.signals.registry import indicator_inputs
from bist_pipeline.signals.score import score_signals
from bist_pipeline.storage.bars import read_bars
from bist_pipeline.storage.bulk import BulkTransaction, Replacement, Scope, WriteCounts

# Rows computed and handed to the database at once: bounds memory whatever the number of symbols, and the first block
# is all that the writing has to wait for.
BLOCK_ROWS = 50_000
SESSION_BLOCK_ROWS = 600_000


@dataclass(frozen=True, slots=True)
class DeriveReport:
    """What one derivation did.

    Attributes:
        table: Qualified name of the table.
        counts: Rows written.
        by_session: Rows per session of the span: index session_date.
    """

    table: str
    counts: WriteCounts
    by_session: "pd.Series[int]"


def bars_for(context: PipelineContext, span: Span, symbols: Sequence[str] | None = None) -> Bars:
    """Read what the derivations of a span need."""
    kill_switch.check(context.settings.bist_kill_switch)
    return read_bars(context.database, span.last, symbols)


def derive_indicators(context: PipelineContext, span: Span, symbols: Sequence[str] | None = None) -> DeriveReport:
    """Fill `analytics.indicators` for a span."""
    with _writing(context, contracts().indicators) as bulk:
        history, shares = bars_for(context, span, symbols), read_point_in_time(context.database)
        blocks = (shares.compute(compute_indicators, block, span.first) for block in blocks_of(history, span))
        return _write(bulk, contracts().indicators, blocks, span.scope(symbols))


def derive_candlesticks(context: PipelineContext, span: Span, symbols: Sequence[str] | None = None) -> DeriveReport:
    """Fill `analytics.candlestick_patterns` for a span."""
    with _writing(context, contracts().candlestick_patterns) as bulk:
        history, shares = bars_for(context, span, symbols), read_point_in_time(context.database)
        moments = _moments(context, span)
        found = (
            find_candlesticks(block, shares, tape_of(block, shares), span.first) for block in blocks_of(history, span)
        )
        blocks = (moments.stamp(block) for block in found)
        return _write(bulk, contracts().candlestick_patterns, blocks, span.scope(symbols))


def derive_charts(context: PipelineContext, span: Span, symbols: Sequence[str] | None = None) -> DeriveReport:
    """Fill `analytics.chart_patterns`, and `analytics.chart_candidates` beside it, for a span."""
    events, census = contracts().chart_patterns, contracts().chart_candidates
    with _writing(context, events) as bulk:
        history, shares = bars_for(context, span, symbols), read_point_in_time(context.database)
        moments, scope = _moments(context, span), span.scope(symbols)
        targets = [bulk.replacement(events, scope), bulk.replacement(census, scope)]
        seen: list[pd.Series] = []
        for found in spread(lambda block: find_charts(tape_of(block, shares), span.first), blocks_of(history, span)):
            targets[0].add(moments.stamp(found.events))
            targets[1].add(found.census)
            seen.append(_count(found.events))
        counts = [target.finish() for target in targets]
    memory.release()
    return _report(events, counts[0], seen)


def derive_signals(context: PipelineContext, span: Span, symbols: Sequence[str] | None = None) -> DeriveReport:
    """Fill `analytics.signals` for a span, from the stored indicators and candlesticks of the same sessions."""
    with _writing(context, contracts().signals) as bulk:
        dirt = read_dirt(context, span, symbols)
        history, shares = bars_for(context, span, symbols), read_point_in_time(context.database)
        closes, moments = shares.compute(_closes, history, span.first), _moments(context, span)
        grades = read_grades(context.database, span)
        chunks = (_stored_signals(context, chunk, symbols, closes, moments) for chunk in span.chunks())
        blocks = (grades.stamp(chunk) for chunk in chunks)
        report = _write(bulk, contracts().signals, blocks, span.scope(symbols))
        settle(bulk, current(context, dirt, history, span, shares), span.last)
        return report


def derive_together(
    context: PipelineContext,
    span: Span,
    symbols: Sequence[str] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[DeriveReport, ...]:
    """Fill all tables for a span in one pass; each is a transaction of its own, as when derived alone.

    Args:
        context: The run's surroundings.
        span: Sessions to derive.
        symbols: Only these; None for all.
        progress: Told how many of how many blocks are written.
    """
    scope = span.scope(symbols)
    seen: list[list[pd.Series]] = [[] for _ in _groups()]
    # The pools end first: no connection is rolled back while a thread still writes to it.
    with ExitStack() as transactions, ThreadPoolExecutor(len(seen)) as writers, ThreadPoolExecutor(1) as charting:
        # The last one opened commits first: what signals rest on is there before them.
        opened = [transactions.enter_context(context.database.bulk(f"writing {one[0].name}")) for one in _groups()]
        targets = [
            [bulk.replacement(table, scope) for table in group] for bulk, group in zip(opened, _groups(), strict=True)
        ]
        # Read under the locks: a run that read its bars before another one's would overwrite newer rows with older.
        dirt = read_dirt(context, span, symbols)
        given = _given(context, span)
        blocks = list(blocks_of(bars_for(context, span, symbols), span))
        progress(0, len(blocks))
        derived = (_derived(block, span.first, given, charting) for block in blocks)
        for done, groups in enumerate(ahead(derived), 1):
            kill_switch.check(context.settings.bist_kill_switch)
            list(writers.map(_add, targets, groups))
            for days, frames in zip(seen, groups, strict=True):
                days.append(_count(frames[0]))
            progress(done, len(blocks))
        counts = list(writers.map(_finish, targets))
        settle(opened[0], dirt, span.last)
    memory.release()
    told = zip(_groups(), counts, seen, strict=True)
    return tuple(_report(group[0], count, days) for group, count, days in told)[::-1]


def _groups() -> tuple[tuple[Contract, ...], ...]:
    """Tables that are written together: each group is one transaction, named after its first table."""
    known = contracts()
    charts = (known.chart_patterns, known.chart_candidates)
    return (known.signals,), charts, (known.candlestick_patterns,), (known.indicators,)


def _add(targets: Sequence[Replacement], frames: Sequence[pd.DataFrame]) -> None:
    for target, frame in zip(targets, frames, strict=True):
        target.add(frame)


def _finish(targets: Sequence[Replacement]) -> WriteCounts:
    """Make all tables of a group hold what was copied; what is told is the first one's."""
    first, *others = targets
    counts = first.finish()
    for other in others:
        other.finish()
    return counts


class _Given(NamedTuple):
    """What the derivation of every symbol needs beside its bars."""

    moments: KnownMoments
    shares: PointInTime
    grades: Grades


def _given(context: PipelineContext, span: Span) -> _Given:
    return _Given(_moments(context, span), read_point_in_time(context.database), read_grades(context.database, span))


def _derived(
    bars: Bars, since: date, given: _Given, charting: ThreadPoolExecutor
) -> tuple[tuple[pd.DataFrame, ...], ...]:
    """The rows of some symbols, in the order of `_groups`."""
    moments, shares, grades = given
    tape = tape_of(bars, shares)
    coming = charting.submit(find_charts, tape, since)
    candles = find_candlesticks(bars, shares, tape, since)
    indicators, closes = (shares.compute(part, bars, since) for part in (compute_indicators, _closes))
    signals = grades.stamp(moments.stamp(_signals(indicators, candles, closes)))
    charts: Charts = coming.result()
    return (signals,), (moments.stamp(charts.events), charts.census), (moments.stamp(candles),), (indicators,)


def _stored_signals(
    context: PipelineContext, span: Span, symbols: Sequence[str] | None, closes: pd.DataFrame, moments: KnownMoments
) -> pd.DataFrame:
    inputs = ", ".join(("symbol", "session_date", "is_final", *indicator_inputs()))
    indicators = _rows(context, f"SELECT {inputs} FROM analytics.indicators", span, symbols)
    candles = _rows(
        context,
        "SELECT symbol, session_date, strength, direction, fits_trend FROM analytics.candlestick_patterns",
        span,
        symbols,
    )
    candles = candles.assign(fits_trend=candles["fits_trend"].astype("boolean"))
    known = closes["session_date"].between(pd.Timestamp(span.first), pd.Timestamp(span.last))
    return moments.stamp(_signals(indicators, candles, closes[known]))


def _closes(bars: Bars, since: date) -> pd.DataFrame:
    """What a signal says of the bar it rests on, for every bar from a session on."""
    closes = bars.frame[["symbol", "session_date", "close_try"]].assign(
        data_version=running_fingerprints(bars), traded=is_traded(bars.frame)
    )
    return closes[closes["session_date"] >= pd.Timestamp(since)]


def _signals(indicators: pd.DataFrame, candles: pd.DataFrame, closes: pd.DataFrame) -> pd.DataFrame:
    """Score what was traded: a session without a trade has no signal, the last one stays as it is."""
    scored = score_signals(indicators, candles, closes)
    versions = closes[["symbol", "session_date", "data_version", "traded"]]
    rows = scored.merge(versions, on=["symbol", "session_date"], how="left", validate="one_to_one")
    return rows[rows["traded"].astype(bool)].drop(columns="traded").reset_index(drop=True)


def blocks_of(bars: Bars, span: Span) -> Iterator[Bars]:
    """Split into groups of whole symbols: of about `BLOCK_ROWS` rows, or one group where one session is derived.

    Then few rows come of many bars, and what each group costs whatever its size is paid once.
    """
    start, most = 0, BLOCK_ROWS if span.first != span.last else SESSION_BLOCK_ROWS
    for end in bars.offsets[1:].tolist():
        if end - start >= most or end == len(bars):
            yield Bars(bars.frame.iloc[start:end].reset_index(drop=True))
            start = end


def _moments(context: PipelineContext, span: Span) -> KnownMoments:
    return known_moments(context.database, context.calendar, span, provider_delay(context.settings))


def _rows(context: PipelineContext, select: str, span: Span, symbols: Sequence[str] | None) -> pd.DataFrame:
    return context.database.frame(
        f"""{select} WHERE session_date BETWEEN $1 AND $2
        AND ($3::text IS NULL OR symbol = ANY (string_to_array($3, ',')))""",
        [span.first, span.last, None if symbols is None else ",".join(symbols)],
    )


@contextmanager
def _writing(context: PipelineContext, contract: Contract) -> Iterator[BulkTransaction]:
    """Open a transaction that holds the table's lock before anything is read: see `derive_together`."""
    with context.database.bulk(f"writing {contract.name}") as bulk:
        bulk.lock(contract.name)
        yield bulk


def _write(bulk: BulkTransaction, contract: Contract, blocks: Iterator[pd.DataFrame], scope: Scope) -> DeriveReport:
    seen: list[pd.Series] = []
    counts = bulk.replace(contract, _counted(ahead(blocks), seen), scope)
    return _report(contract, counts, seen)


def _report(contract: Contract, counts: WriteCounts, seen: list[pd.Series]) -> DeriveReport:
    by_session = pd.concat(seen).groupby(level=0).sum() if seen else pd.Series(dtype="int64")
    return DeriveReport(contract.name, counts, by_session)


def _counted(blocks: Iterable[pd.DataFrame], seen: list[pd.Series]) -> Iterator[pd.DataFrame]:
    for block in blocks:
        seen.append(_count(block))
        yield block


def _count(block: pd.DataFrame) -> pd.Series:
    return block["session_date"].value_counts()
