"""Chart answers as Yahoo writes them, small enough to be seen through."""

import copy
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from bist_pipeline.core.calendar import ISTANBUL
from bist_pipeline.providers.yahoo._client import Answer

# A Friday in session: 15:00 in Istanbul; Yahoo shows 14:45.
NOW = datetime(2026, 8, 7, 12, 0, tzinfo=UTC)
MARKET_TIME = int((NOW - timedelta(minutes=15, seconds=7)).timestamp())
DAYS = [date(2026, 8, 4), date(2026, 8, 5), date(2026, 8, 6), date(2026, 8, 7)]


def opening(day: date) -> int:
    """The opening of a session, as Yahoo's daily bars are stamped."""
    return int(datetime.combine(day, time(10), ISTANBUL).timestamp())


def chart(days: Sequence[date] = DAYS, *, symbol: str = "THYAO.IS", market_time: int = MARKET_TIME, **meta) -> dict:
    """A chart whose bar n opens at 100 + n and closes one higher."""
    opens = [100.0 + place for place in range(len(days))]
    quote = {
        "open": opens,
        "high": [value + 2 for value in opens],
        "low": [value - 2 for value in opens],
        "close": [value + 1 for value in opens],
        "volume": [1000 * (place + 1) for place in range(len(days))],
    }
    told = {
        "currency": "TRY",
        "symbol": symbol,
        "exchangeName": "IST",
        "instrumentType": "EQUITY",
        "firstTradeDate": 957940200,
        "regularMarketTime": market_time,
        "gmtoffset": 10800,
        "timezone": "TRT",
        "exchangeTimezoneName": "Europe/Istanbul",
        "regularMarketPrice": quote["close"][-1] if days else 1.0,
        "regularMarketDayHigh": quote["high"][-1] if days else 1.0,
        "regularMarketDayLow": quote["low"][-1] if days else 1.0,
        "regularMarketVolume": quote["volume"][-1] if days else 0,
        "chartPreviousClose": 99.5,
        "dataGranularity": "1d",
    }
    indicators = {"quote": [quote], "adjclose": [{"adjclose": [value / 2 for value in quote["close"]]}]}
    result = {"meta": told | meta, "timestamp": [opening(day) for day in days], "indicators": indicators}
    return {"chart": {"result": [result], "error": None}}


def edited(document: dict, **edits) -> dict:
    """A copy with parts replaced: `timestamp`, `events`, `adjclose`, `meta_…`, or a column of the quote."""
    changed = copy.deepcopy(document)
    result = changed["chart"]["result"][0]
    for name, value in edits.items():
        if name in {"timestamp", "events"}:
            result[name] = value
        elif name == "adjclose":
            result["indicators"]["adjclose"] = value
        elif name.startswith("meta_"):
            result["meta"][name.removeprefix("meta_")] = value
        else:
            result["indicators"]["quote"][0][name] = value
    return changed


def with_nulls(document: dict, *rows: int) -> dict:
    """A copy in which all values of some rows are null."""
    changed = copy.deepcopy(document)
    indicators = changed["chart"]["result"][0]["indicators"]
    for column in [*indicators["quote"][0].values(), indicators["adjclose"][0]["adjclose"]]:
        for row in rows:
            column[row] = None
    return changed


def answer(document: dict | bytes, status: int = 200) -> Answer:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Answer(status, body, {"content-type": "application/json;charset=utf-8"}, "https://query2.finance.yahoo.com")
