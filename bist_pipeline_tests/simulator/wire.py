"""A client that sees what is on the wire: no retries, no cookies of its own."""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bist_pipeline.simulator.exchange import Exchange


@dataclass(frozen=True)
class Got:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(exchange: Exchange, target: str, *, method: str = "GET", body: Any = None, cookie: str = "") -> Got:
    connection = http.client.HTTPConnection(urlsplit(exchange.url).netloc, timeout=10)
    try:
        content = json.dumps(body) if body is not None else None
        connection.request(method, target, body=content, headers={"Cookie": cookie} if cookie else {})
        answer = connection.getresponse()
        return Got(answer.status, dict(answer.headers), answer.read())
    finally:
        connection.close()


def chart(exchange: Exchange, symbol: str, query: str = "range=max&events=div%7Csplit") -> dict[str, Any]:
    return ask(exchange, f"/v8/finance/chart/{symbol}.IS?{query}").json["chart"]["result"][0]


def log_in(exchange: Exchange) -> tuple[str, str]:
    """Return cookie and crumb."""
    cookie = ask(exchange, "/").headers["Set-Cookie"].partition(";")[0]
    return cookie, ask(exchange, "/v1/test/getcrumb", cookie=cookie).body.decode()


def quotes(exchange: Exchange, *symbols: str) -> dict[str, dict[str, Any]]:
    cookie, crumb = log_in(exchange)
    target = f"/v7/finance/quote?symbols={','.join(f'{s}.IS' for s in symbols)}&crumb={crumb}"
    found = ask(exchange, target, cookie=cookie).json["quoteResponse"]["result"]
    return {quote["symbol"].removesuffix(".IS"): quote for quote in found}
