"""The facts that chart, spark and quote state alike.

Belongs here: prices of the last session, names, trading periods. Does not belong here: rows (`chart.py`).
"""

from datetime import timedelta
from typing import Any

import numpy as np

from bist_pipeline.core.calendar import ISTANBUL
from bist_pipeline.simulator.answers.bodies import YAHOO_SUFFIX, number, short
from bist_pipeline.simulator.hours import hours_of, istanbul_day, moment, next_session
from bist_pipeline.simulator.views import View

ZONE, ZONE_SHORT = "Europe/Istanbul", "TRT"
YEAR_ROWS = 252
_RANGES = ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"]


def price(view: View, value: float) -> float | int | None:
    """Return a price as quotes show it; of a replayed market with every bit of its file."""
    return short(value) if view.share.is_invented else number(value)


def offset_seconds(at: int) -> int:
    """Return how far Istanbul is ahead of UTC."""
    ahead = moment(at).astimezone(ISTANBUL).utcoffset() or timedelta(0)
    return int(ahead.total_seconds())


def year_extremes(view: View) -> tuple[float, float]:
    """Return the highest and the lowest price of 52 weeks, the forming session included."""
    highs, lows = view.high[-YEAR_ROWS:], view.low[-YEAR_ROWS:]
    highest = np.fmax.reduce(highs, initial=view.last.high)
    return float(highest), float(np.fmin.reduce(lows, initial=view.last.low))


def meta(view: View, symbol: str, now: int) -> dict[str, Any]:
    """Return the recorded fields of a chart's `meta`, all but those that depend on the rows asked for."""
    high, low = year_extremes(view)
    return {
        "currency": "TRY",
        "symbol": symbol + YAHOO_SUFFIX,
        "exchangeName": "IST",
        "fullExchangeName": "Istanbul",
        "instrumentType": "INDEX" if symbol.startswith("X") else "EQUITY",
        "firstTradeDate": int(view.timestamps[0]),
        "regularMarketTime": view.last.traded_at,
        "hasPrePostMarketData": False,
        "gmtoffset": offset_seconds(now),
        "timezone": ZONE_SHORT,
        "exchangeTimezoneName": ZONE,
        "regularMarketPrice": price(view, view.last.close),
        "fiftyTwoWeekHigh": price(view, high),
        "fiftyTwoWeekLow": price(view, low),
        "regularMarketDayHigh": price(view, view.last.high),
        "regularMarketDayLow": price(view, view.last.low),
        "regularMarketVolume": number(view.last.volume),
        "longName": view.share.name,
        "shortName": view.share.name,
        "priceHint": 2,
        "currentTradingPeriod": _periods(now),
        "dataGranularity": "1d",
        "range": "",
        "validRanges": _RANGES,
    }


def market_state(now: int) -> str:
    """Return Yahoo's word for what the exchange is doing; it goes by the clock, not by the delayed prices."""
    hours = hours_of(istanbul_day(now))
    if not hours.is_session:
        return "CLOSED"
    if now < hours.orders_at:
        return "PREPRE"
    if now < hours.match_at:
        return "PRE"
    return "REGULAR" if now < hours.final_at else "POSTPOST"


def _periods(now: int) -> dict[str, Any]:
    hours, offset = hours_of(next_session(istanbul_day(now))), offset_seconds(now)
    spans = {"pre": (hours.open_at, hours.open_at), "regular": (hours.open_at, hours.close_at)}
    spans["post"] = (hours.close_at, hours.close_at)
    return {
        name: {"timezone": ZONE_SHORT, "start": start, "end": end, "gmtoffset": offset}
        for name, (start, end) in spans.items()
    }
