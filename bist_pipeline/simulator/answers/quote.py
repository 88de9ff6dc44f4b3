"""`/v7/finance/quote` and the quotes of the screener's pages: the last session of many symbols.

Belongs here: a quote's recorded fields. A share that has not traded today shows the session before, time stamp and
all, as Yahoo does.
"""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import numpy as np

from bist_pipeline.core.bars import FloatArray
from bist_pipeline.simulator.answers.bodies import YAHOO_SUFFIX, Answer, error_answer, json_answer, number, short
from bist_pipeline.simulator.answers.meta import ZONE, ZONE_SHORT, market_state, offset_seconds, price, year_extremes
from bist_pipeline.simulator.views import View

LARGEST_PAGE = 250
_NULLABLE = ("regularMarketOpen", "regularMarketDayHigh", "regularMarketDayLow", "regularMarketVolume")
_NULLED = 0.3  # of the quotes, where a fault takes fields


def quote_answer(
    views: Sequence[tuple[str, View]], now: int, delay_minutes: float, nulls: Random | None = None
) -> Answer:
    """Return the quotes of the symbols that are known; the others are left out without a word."""
    found = [quote(view, symbol, now, delay_minutes, nulls) for symbol, view in views]
    return json_answer({"quoteResponse": {"result": found, "error": None}})


def screener_answer(
    views: Sequence[tuple[str, View]],
    body: Mapping[str, Any],
    now: int,
    delay_minutes: float,
    nulls: Random | None = None,
) -> Answer:
    """Return one page of the quotes of the exchange, sorted by symbol."""
    offset, size = body.get("offset", 0), body.get("size", 25)
    if not isinstance(offset, int) or not isinstance(size, int) or not 0 < size <= LARGEST_PAGE or offset < 0:
        told = f"Invalid page: offset {offset!r}, size {size!r}; size must be 1 to {LARGEST_PAGE}"
        return error_answer(400, "finance", "Bad Request", told)
    listed = views if _asks_for_istanbul(body.get("query")) else []
    page = [quote(view, symbol, now, delay_minutes, nulls) for symbol, view in listed[offset : offset + size]]
    result = {"start": offset, "count": len(page), "total": len(listed), "quotes": page, "useRecords": False}
    return json_answer({"finance": {"result": [result], "error": None}})


def quote(view: View, symbol: str, now: int, delay_minutes: float, nulls: Random | None = None) -> dict[str, Any]:
    """Return one quote.

    Args:
        view: What is shown of the symbol.
        symbol: Its code.
        now: The exchange's time, epoch seconds.
        delay_minutes: How late prices are.
        nulls: Where given, the quote may lose some of its prices.
    """
    told = _identity(view, symbol, now, delay_minutes) | _session(view) | _year(view)
    if nulls and nulls.random() < _NULLED:
        told |= dict.fromkeys(nulls.sample(_NULLABLE, nulls.randint(1, len(_NULLABLE))))
    return told


def _identity(view: View, symbol: str, now: int, delay_minutes: float) -> dict[str, Any]:
    return {
        "language": "en-US",
        "region": "US",
        "quoteType": "INDEX" if symbol.startswith("X") else "EQUITY",
        "typeDisp": "Index" if symbol.startswith("X") else "Equity",
        "quoteSourceName": "Delayed Quote",
        "triggerable": False,
        "customPriceAlertConfidence": "LOW",
        "currency": "TRY",
        "longName": view.share.name,
        "shortName": view.share.name,
        "corporateActions": [],
        "market": "tr_market",
        "exchange": "IST",
        "fullExchangeName": "Istanbul",
        "exchangeTimezoneName": ZONE,
        "exchangeTimezoneShortName": ZONE_SHORT,
        "gmtOffSetMilliseconds": offset_seconds(now) * 1000,
        "esgPopulated": False,
        "hasPrePostMarketData": False,
        "firstTradeDateMilliseconds": int(view.timestamps[0]) * 1000,
        "priceHint": 2,
        "sourceInterval": 15,
        "exchangeDataDelayedBy": int(delay_minutes),
        "tradeable": False,
        "cryptoTradeable": False,
        "financialCurrency": "TRY",
        "marketState": market_state(now),
        "symbol": symbol + YAHOO_SUFFIX,
    }


def _session(view: View) -> dict[str, Any]:
    last = view.last
    told: dict[str, Any] = {
        "regularMarketPrice": price(view, last.close),
        "regularMarketTime": last.traded_at,
        "regularMarketOpen": price(view, last.open),
        "regularMarketDayHigh": price(view, last.high),
        "regularMarketDayLow": price(view, last.low),
        "regularMarketDayRange": f"{price(view, last.low)} - {price(view, last.high)}",
        "regularMarketVolume": number(last.volume),
        "bid": price(view, last.close),
        "ask": price(view, last.close),
        "bidSize": 0,
        "askSize": 0,
    }
    if view.previous_close is not None:
        change = last.close - view.previous_close
        told["regularMarketPreviousClose"] = price(view, view.previous_close)
        told["regularMarketChange"] = short(change)
        told["regularMarketChangePercent"] = short(100 * change / view.previous_close)
    return told


def _year(view: View) -> dict[str, Any]:
    high, low = year_extremes(view)
    return {
        "averageDailyVolume3Month": round(_mean(view.volume[-63:])),
        "averageDailyVolume10Day": round(_mean(view.volume[-10:])),
        "fiftyDayAverage": short(_mean(view.close[-50:])),
        "twoHundredDayAverage": short(_mean(view.close[-200:])),
        "fiftyTwoWeekHigh": price(view, high),
        "fiftyTwoWeekLow": price(view, low),
        "fiftyTwoWeekRange": f"{price(view, low)} - {price(view, high)}",
    }


def _mean(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else 0.0


def _asks_for_istanbul(query: Any) -> bool:
    """Find out whether the conditions let this exchange through: no other exchange and no other region is named."""
    if not isinstance(query, Mapping):
        return query is None
    operands = query.get("operands")
    if not isinstance(operands, Sequence) or isinstance(operands, str):
        return True
    if query.get("operator", "").lower() in {"eq", "is-in"} and operands and operands[0] in {"exchange", "region"}:
        return bool({"IST", "tr"} & set(map(str, operands[1:])))
    inner = [_asks_for_istanbul(operand) for operand in operands if isinstance(operand, Mapping)]
    return (any if query.get("operator", "").lower() == "or" else all)(inner) if inner else True
