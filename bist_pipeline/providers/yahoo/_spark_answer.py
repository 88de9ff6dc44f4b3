"""Reading an answer of `/v7/finance/spark`.

Belongs here: the two shapes that Yahoo gives it. Does not belong here: asking (`spark.py`), and what a quote must have
(`_quote_answer.py`, which reads the rows made here).

Spark tells the last price and its time, and nothing that a bar could be made of.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from bist_pipeline.core.symbols import YAHOO_SUFFIX
from bist_pipeline.providers.yahoo._errors import BadBody
from bist_pipeline.providers.yahoo._quote_answer import CURRENCY, Row, Told, load, number, result_rows, tell


def read_spark(
    body: bytes, *, asked: Collection[str] | None = None, currency: str | None = CURRENCY, now: datetime | None = None
) -> Told:
    """Read an answer of spark; open, high, low and volume are NaN.

    Args:
        body: What came.
        asked: Normalised codes that count; what else the answer has is left out. None for all.
        currency: What prices must be in; None for any. The flat shape states none and is not compared.
        now: The time at the exchange: a price of the future is refused. None not to compare.

    Raises:
        BadBody: It is no such answer.
    """
    document = load(body)
    if "spark" in document:
        rows = [_nested(item) for item in result_rows(document, "spark")]
        return tell(rows, body, asked=asked, currency=currency, now=now)
    return tell(_flat(document, asked or ()), body, asked=asked, currency=None, now=now)


def _nested(item: Row) -> Row:
    """`{"symbol": …, "response": [{"meta": {…}, "timestamp": […], "indicators": {"quote": [{"close": […]}]}}]}`."""
    response = _first(item.get("response"))
    closes = _first(_object(response.get("indicators")).get("quote")).get("close")
    meta = _object(response.get("meta"))
    return _row(item.get("symbol"), meta, times=response.get("timestamp"), closes=closes)


def _flat(document: Mapping[str, Any], asked: Collection[str]) -> list[Row]:
    """`{"THYAO.IS": {"timestamp": […], "close": […], "previousClose": …}}`, how version 8 answers.

    An asked symbol without closes has no price; what else is in it is left out.
    """
    items = {symbol: _object(item) for symbol, item in document.items()}
    series = {s: item for s, item in items.items() if "close" in item or s.removesuffix(YAHOO_SUFFIX) in asked}
    if not series:
        # Without a symbol it could be anything; an empty object would make every symbol look unknown.
        raise BadBody("neither of spark's two shapes")
    return [
        _row(symbol, item, times=item.get("timestamp"), closes=item.get("close")) for symbol, item in series.items()
    ]


def _row(symbol: object, meta: Row, *, times: object, closes: object) -> Row:
    # Yahoo's own pair of price and time where it states both: a point of the series bears the time its five minutes
    # began at, so its close is of later.
    price, moment = number(meta.get("regularMarketPrice")), number(meta.get("regularMarketTime"))
    if not (price > 0 and moment > 0):
        price, moment = _last_point(times, closes)
    before = number(meta.get("previousClose"), default=number(meta.get("chartPreviousClose")))
    return {
        **({"currency": meta["currency"]} if "currency" in meta else {}),
        "symbol": symbol,
        "regularMarketPrice": price,
        "regularMarketTime": moment,
        "regularMarketPreviousClose": before,
    }


def _last_point(times: object, closes: object) -> tuple[float, float]:
    """Return the last close and its time; not a number where the two lists do not go together or have none."""
    nothing = number(None), number(None)
    if not isinstance(times, list) or not isinstance(closes, list) or len(times) != len(closes):
        return nothing
    points = ((number(close), number(time)) for time, close in zip(reversed(times), reversed(closes), strict=True))
    return next((point for point in points if point[0] > 0), nothing)


def _first(value: object) -> Row:
    return _object(value[0]) if isinstance(value, list) and value else {}


def _object(value: object) -> Row:
    return value if isinstance(value, dict) else {}
