"""Which derived rows rest on bars that have changed since, and when they no longer do.

Belongs here: reading `dirty_from` before a derivation and moving it on after one. Cleaning sets it, and says why in
`dirty_because` (`cleaning.py`). It moves only as far as what is stored agrees with the bars: a derivation that read its
bars before another run cleaned them, or that lacks the tables it rests on, leaves it where it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from bist_pipeline.core.bars import Bars
from bist_pipeline.indicators.engine import compute_indicators
from bist_pipeline.pipeline.charts import find_candlesticks, find_charts, tape_of
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.point_in_time import PointInTime
from bist_pipeline.pipeline.span import Span
from bist_pipeline.storage.bulk import BulkTransaction


@dataclass(frozen=True)
class Dirt:
    """The dirty symbols of a span as they were before the bars were read.

    Attributes:
        frame: `symbol`, `dirty_from`, `dirty_because`, `cleaned_hash`.
    """

    frame: pd.DataFrame

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols."""
        return tuple(self.frame["symbol"])

    def only(self, symbols: Sequence[str]) -> "Dirt":
        """Keep some of them."""
        return Dirt(self.frame[self.frame["symbol"].isin(list(symbols))])


def read_dirt(context: PipelineContext, span: Span, symbols: Sequence[str] | None = None) -> Dirt:
    """Note which symbols are dirty from a session of the span on. Call it before the bars are read."""
    frame = context.database.frame(
        """SELECT symbol, dirty_from, dirty_because, cleaned_hash FROM market.fetch_ledger
        WHERE dirty_from BETWEEN $1 AND $2""",
        [span.first, span.last],
    )
    return Dirt(frame if symbols is None else frame[frame["symbol"].isin(list(symbols))])


def settle(bulk: BulkTransaction, dirt: Dirt, last: date) -> None:
    """Move `dirty_from` past the last session that was derived anew; NULL where nothing lies beyond it.

    What lies beyond are later bars, and derived rows of bars that are gone. A symbol that was cleaned again since its
    dirt was noted stays as it is.
    """
    if not len(dirt.frame):
        return
    bulk.lock(contracts().fetch_ledger.name)
    noted = bulk.stage_frame(dirt.frame)
    bulk.execute(
        f"""UPDATE market.fetch_ledger AS l SET
            dirty_from = CASE WHEN o.is_dirty THEN $1 + 1 END,
            dirty_because = CASE WHEN o.is_dirty THEN l.dirty_because ELSE '' END
        FROM {noted} AS n CROSS JOIN LATERAL (SELECT
            EXISTS (SELECT FROM market.daily_prices AS t WHERE t.symbol = n.symbol AND t.session_date > $1)
            OR EXISTS (SELECT FROM analytics.indicators AS t WHERE t.symbol = n.symbol AND t.session_date > $1)
            AS is_dirty) AS o
        WHERE n.symbol = l.symbol AND n.cleaned_hash = l.cleaned_hash
        AND n.dirty_from::date = l.dirty_from AND n.dirty_because = l.dirty_because""",
        [last],
    )


def current(context: PipelineContext, dirt: Dirt, bars: Bars, span: Span, shares: PointInTime) -> Dirt:
    """Keep the symbols whose stored indicators, candlesticks and chart patterns of a span are what these bars give.

    Another run, or a person who materialised one asset alone, may have left one of the tables behind.
    """
    if not len(dirt.frame):
        return dirt
    own = Bars(bars.frame[bars.frame["symbol"].isin(dirt.symbols)].reset_index(drop=True))
    tape = tape_of(own, shares)
    charts = find_charts(tape, span.first)
    pairs = (
        (contracts().indicators.name, shares.compute(compute_indicators, own, span.first)),
        (contracts().candlestick_patterns.name, find_candlesticks(own, shares, tape, span.first)),
        (contracts().chart_patterns.name, charts.events),
        (contracts().chart_candidates.name, charts.census),
    )
    agreeing = set(dirt.symbols)
    for table, rows in pairs:
        agreeing &= _agreeing(context, table, rows, dirt.symbols, span)
    return dirt.only(sorted(agreeing))


def _agreeing(context: PipelineContext, table: str, rows: pd.DataFrame, symbols: Sequence[str], span: Span) -> set[str]:
    """The symbols of which a table holds exactly these rows."""
    stored = context.database.frame(
        f"""SELECT {", ".join(f'"{name}"' for name in rows.columns)} FROM {table}
        WHERE session_date BETWEEN $1 AND $2 AND symbol = ANY (string_to_array($3, ','))""",
        [span.first, span.last, ",".join(symbols)],
    )
    keys = [name for name in ("symbol", "session_date", "pattern", "event_id") if name in rows.columns]
    return {symbol for symbol in symbols if _same(rows, stored, symbol, keys)}


def _same(rows: pd.DataFrame, stored: pd.DataFrame, symbol: str, keys: list[str]) -> bool:
    one, other = (
        frame[frame["symbol"] == symbol].sort_values(keys).reset_index(drop=True).astype(object)
        for frame in (rows, stored)
    )
    if len(one) != len(other):
        return False
    both_missing = one.isna() & other.isna()
    return bool((both_missing | (one == other)).to_numpy().all())
