"""The pictures of one session: what a person would rather look at than read.

Belongs here: choosing what is drawn and reading it. How it is drawn stands in `plots/`.
"""

from collections.abc import Mapping
from datetime import date

import pandas as pd

from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.market_kind import stored_market_kind
from bist_pipeline.plots.candlestick_chart import Mark, candlestick_chart
from bist_pipeline.plots.scores import score_histogram, top_scores_bar
from bist_pipeline.signals.model import MODEL

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
    kind = stored_market_kind(context.database)
    title = symbol if kind in {None, "real"} else f"{symbol} · {str(kind).upper()}"
    return candlestick_chart(bars, title=title, marks=marks)


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
