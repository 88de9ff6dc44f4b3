"""The pictures of one session: what a person would rather look at than read.

Belongs here: choosing what is drawn and reading it. How it is drawn stands in `plots/`.
"""

import json
from collections.abc import Mapping
from datetime import date

import pandas as pd

from bist_pipeline.core.bars import Bars
from bist_pipeline.core.errors import BistError
from bist_pipeline.patterns.registry import registered_charts
from bist_pipeline.pipeline.charts import tape_of
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.market_kind import stored_market_kind
from bist_pipeline.pipeline.point_in_time import PointInTime, read_point_in_time
from bist_pipeline.plots.candlestick_chart import Mark, candlestick_chart
from bist_pipeline.plots.pattern_chart import PatternLine, PatternPicture, pattern_chart
from bist_pipeline.plots.scores import score_histogram, top_scores_bar
from bist_pipeline.signals.model import MODEL
from bist_pipeline.storage.bars import read_bars

CHARTS = 3
_SESSIONS_READ = 90  # a chart shows 60 sessions


def candlesticks(context: PipelineContext, session: date) -> Mapping[str, bytes]:
    """Draw the session's patterns that fit the trend before them, the most traded symbols first."""
    events = context.database.frame(
        """SELECT c.symbol, c.pattern, c.direction, p.close_try * p.volume_shares AS turnover_try
        FROM analytics.candlestick_patterns AS c JOIN market.daily_prices AS p USING (symbol, session_date)
        WHERE c.session_date = $1 AND c.fits_trend ORDER BY turnover_try DESC, c.symbol, c.pattern""",
        [session],
    )
    chosen = list(dict.fromkeys(events["symbol"]))[:CHARTS]
    return {f"chart_{symbol}": _chart(context, session, symbol, events) for symbol in chosen}


def _chart(context: PipelineContext, session: date, symbol: str, events: pd.DataFrame) -> bytes:
    bars = context.database.frame(
        """SELECT * FROM (
            SELECT session_date, open_try, high_try, low_try, close_try, volume_shares, is_final
            FROM market.daily_prices WHERE symbol = $1 AND session_date <= $2 ORDER BY session_date DESC LIMIT $3
        ) AS newest ORDER BY session_date""",
        [symbol, session, _SESSIONS_READ],
    )
    own = events[events["symbol"] == symbol]
    marks = [Mark(session, row["pattern"], row["direction"]) for row in own.to_dict("records")]
    return candlestick_chart(bars, title=titled(context, symbol), marks=marks)


def charts(context: PipelineContext, session: date) -> Mapping[str, bytes]:
    """Draw the session's best formed confirmed chart patterns, one a symbol; those that could be traded first."""
    events = context.database.frame(
        """SELECT event_id, symbol FROM (
            SELECT *, row_number() OVER (
                PARTITION BY symbol ORDER BY is_tradeable DESC, shape_confidence DESC, event_id) AS place
            FROM analytics.chart_patterns WHERE session_date = $1 AND state = 'confirmed' AND last_pivot_on > started_on
        ) AS ranked WHERE place = 1 ORDER BY is_tradeable DESC, shape_confidence DESC, event_id LIMIT $2""",
        [session, CHARTS],
    )
    drawn = ((event, draw_event(context, event["event_id"], session)) for event in events.to_dict("records"))
    return {f"chart_{event['symbol']}": picture for event, picture in drawn}


def draw_event(context: PipelineContext, event_id: str, session: date) -> bytes:
    """Draw one chart pattern as it stood at the end of a session, in that session's shares.

    Raises:
        BistError: No such event had begun by then.
    """
    life = context.database.frame(
        """SELECT * FROM analytics.chart_patterns WHERE event_id = $1 AND session_date <= $2
        AND symbol = split_part($1, ':', 1) ORDER BY session_date""",
        [event_id, session],
    )
    if life.empty:
        raise BistError(f"no chart pattern {event_id} had begun by {session}")
    symbol = str(life["symbol"].iloc[0])
    shares = read_point_in_time(context.database)
    bars = read_bars(context.database, session, [symbol])
    name = registered_charts()[life["pattern"].iloc[0]].title
    return pattern_chart(
        shares.in_last_shares(bars).frame, picture_of(life, bars, shares), title=titled(context, f"{symbol} · {name}")
    )


def picture_of(life: pd.DataFrame, bars: Bars, shares: PointInTime) -> PatternPicture:
    """Turn the rows of one event into a picture, in the shares of the last bar.

    Args:
        life: Its rows of `analytics.chart_patterns` up to a session, in order.
        bars: The symbol's history up to that session.
        shares: What actions leave of prices: its rows are in the shares of their own sessions.
    """
    now = life.iloc[-1]
    confirmed = life[life["state"] == "confirmed"]
    basis = pd.Series(tape_of(bars, shares).basis, index=pd.DatetimeIndex(bars.frame["session_date"]))
    later = float(basis.iloc[-1] / basis[now["session_date"]])
    return PatternPicture(
        pivots=tuple((_day(point["session"]), point["price_try"] * later) for point in json.loads(now["pivots"])),
        lines=tuple(
            PatternLine(one["name"], _day(one["from"]), one["from_try"] * later, _day(one["to"]), one["to_try"] * later)
            for one in json.loads(now["lines"])
        ),
        direction=now["direction"],
        state=now["state"],
        formed_on=now["formed_on"].date(),
        confirmed_on=confirmed["session_date"].iloc[0].date() if len(confirmed) else None,
        target_try=_maybe(now["target_try"], later),
        stop_try=_maybe(now["stop_try"], later),
        confidence=float(now["shape_confidence"]),
        ended_on=now["session_date"].date() if now["state"] not in {"forming", "confirmed"} else None,
    )


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _maybe(price: float, factor: float) -> float | None:
    return None if pd.isna(price) else float(price) * factor


def titled(context: PipelineContext, title: str) -> str:
    """A title that says so where the market is not real."""
    kind = stored_market_kind(context.database)
    return title if kind in {None, "real"} else f"{title} · {str(kind).upper()}"


def scores(context: PipelineContext, session: date) -> Mapping[str, bytes]:
    """Draw how the session's scores are spread, and the highest and lowest of them; nothing without a score."""
    signals = context.database.frame(
        """SELECT symbol, session_date, score, action, confidence FROM analytics.signals
        WHERE session_date = $1 ORDER BY symbol""",
        [session],
    )
    if signals.empty:
        return {}
    return {
        "score_histogram": score_histogram(signals, buy=MODEL.buy, strong=MODEL.strong),
        "top_scores": top_scores_bar(signals),
    }
