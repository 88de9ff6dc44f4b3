"""Deriving: from accepted bars to indicators, candlesticks and signals.

How each derivation works:
1. read every accepted bar from each symbol's first one up to the end of the span: one origin per symbol, so that the
   bits of running sums do not depend on which range was asked;
2. compute over that history, keep the rows of the span;
3. make the span of the table hold exactly these rows, in one transaction.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from bist_pipeline.core.bars import Bars
from bist_pipeline.core.fingerprint import running_fingerprints
from bist_pipeline.indicators.engine import compute_indicators
from bist_pipeline.operations import kill_switch
from bist_pipeline.patterns.engine import detect_candlesticks
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.known_at import KnownMoments, known_moments
from bist_pipeline.pipeline.span import Span
from bist_pipeline.providers.registry import provider_delay
from bist_pipeline.schemas.contract import Contract
from bist_pipeline.signals.registry import indicator_inputs
from bist_pipeline.signals.score import score_signals
from bist_pipeline.storage.bars import read_bars
from bist_pipeline.storage.bulk import Scope, WriteCounts

# Rows computed and handed to the database at once: bounds memory whatever the number of symbols.
BLOCK_ROWS = 150_000


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
    """Read what the derivations of a span need; hand it to several of them to read it once."""
    kill_switch.check(context.settings.bist_kill_switch)
    return read_bars(context.database, span.last, symbols)


def derive_indicators(
    context: PipelineContext, span: Span, symbols: Sequence[str] | None = None, bars: Bars | None = None
) -> DeriveReport:
    """Fill `analytics.indicators` for a span."""
    history = bars if bars is not None else bars_for(context, span, symbols)
    blocks = (compute_indicators(block, span.first) for block in _blocks(history))
    return _write(context, contracts().indicators, blocks, span, symbols)


def derive_candlesticks(
    context: PipelineContext, span: Span, symbols: Sequence[str] | None = None, bars: Bars | None = None
) -> DeriveReport:
    """Fill `analytics.candlestick_patterns` for a span."""
    history = bars if bars is not None else bars_for(context, span, symbols)
    moments = _moments(context, span)
    blocks = (moments.stamp(detect_candlesticks(block, span.first)) for block in _blocks(history))
    return _write(context, contracts().candlestick_patterns, blocks, span, symbols)


def derive_signals(
    context: PipelineContext, span: Span, symbols: Sequence[str] | None = None, bars: Bars | None = None
) -> DeriveReport:
    """Fill `analytics.signals` for a span, from the stored indicators and candlesticks of the same sessions."""
    history = bars if bars is not None else bars_for(context, span, symbols)
    moments = _moments(context, span)
    inputs = ", ".join(("symbol", "session_date", "is_final", *indicator_inputs()))
    indicators = _rows(context, f"SELECT {inputs} FROM analytics.indicators", span, symbols)
    candles = _rows(
        context,
        "SELECT symbol, session_date, strength, direction, fits_trend FROM analytics.candlestick_patterns",
        span,
        symbols,
    )
    closes = history.frame.assign(data_version=running_fingerprints(history))
    closes = closes.loc[
        closes["session_date"] >= pd.Timestamp(span.first), ["symbol", "session_date", "close_try", "data_version"]
    ]
    candles = candles.assign(fits_trend=candles["fits_trend"].astype("boolean"))
    scored = score_signals(indicators, candles, closes)
    versions = scored.merge(
        closes.drop(columns="close_try"), on=["symbol", "session_date"], how="left", validate="one_to_one"
    )
    return _write(context, contracts().signals, [moments.stamp(versions)], span, symbols)


def _blocks(bars: Bars) -> Iterator[Bars]:
    """Split into groups of whole symbols of about `BLOCK_ROWS` rows."""
    start = 0
    for end in bars.offsets[1:].tolist():
        if end - start >= BLOCK_ROWS or end == len(bars):
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


def _write(
    context: PipelineContext,
    contract: Contract,
    blocks: Iterator[pd.DataFrame] | Sequence[pd.DataFrame],
    span: Span,
    symbols: Sequence[str] | None,
) -> DeriveReport:
    scope = Scope(span.first, span.last, None if symbols is None else tuple(symbols))
    seen: list[pd.Series] = []
    with context.database.bulk(f"writing {contract.name}") as bulk:
        counts = bulk.replace(contract, _counted(blocks, seen), scope)
    by_session = pd.concat(seen).groupby(level=0).sum() if seen else pd.Series(dtype="int64")
    return DeriveReport(contract.name, counts, by_session)


def _counted(blocks: Iterator[pd.DataFrame] | Sequence[pd.DataFrame], seen: list[pd.Series]) -> Iterator[pd.DataFrame]:
    for block in blocks:
        seen.append(block["session_date"].value_counts())
        yield block
