"""The exchange behind the socket: a request goes in, an answer comes out.

Belongs here: routes, cookie and crumb, Yahoo's delay, which fault a request meets. Does not belong here: sockets and
the faults that only a socket can have (`wire.py`), the controls that are not Yahoo's (`control.py`).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from threading import Event, Lock
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from bist_pipeline.simulator.answers.bodies import (
    PLAIN,
    YAHOO_SUFFIX,
    Answer,
    error_answer,
    html_page,
    invalid_crumb,
    not_found,
    too_many_requests,
)
from bist_pipeline.simulator.answers.chart import Asked, chart_answer
from bist_pipeline.simulator.answers.quote import quote_answer, screener_answer
from bist_pipeline.simulator.answers.spark import MOST_SYMBOLS, spark_answer, too_many_symbols
from bist_pipeline.simulator.clock import ExchangeClock
from bist_pipeline.simulator.errors import SimulatorError
from bist_pipeline.simulator.faults import Faults
from bist_pipeline.simulator.market import Market
from bist_pipeline.simulator.request_log import LoggedRequest, RequestLog
from bist_pipeline.simulator.sessions import Sessions
from bist_pipeline.simulator.views import View

_CHART = "/v8/finance/chart/"
_ROUTES = {
    "/": "cookie",
    "/v1/test/getcrumb": "crumb",
    "/v7/finance/quote": "quote",
    "/v7/finance/spark": "spark",
    "/v8/finance/spark": "spark",
    "/v1/finance/screener": "screener",
}
_NEEDS_CRUMB = frozenset({"quote", "screener"})
_METHODS = {"screener": "POST"}
_ENVELOPES = {"chart": "chart", "spark": "spark", "quote": "quoteResponse"}
_BROKEN = "Will be right back..."

# Faults that answer something else, by kind; called with the route.
_INSTEAD: Mapping[str, Callable[[str], Answer]] = {
    "429": lambda _: too_many_requests(),
    "500": lambda _: html_page(500, _BROKEN),
    "502": lambda _: html_page(502, _BROKEN),
    "503": lambda _: html_page(503, _BROKEN),
    "html": lambda _: html_page(200, _BROKEN),
    "404": lambda route: not_found(_ENVELOPES.get(route, "finance")),
    "crumb": lambda _: invalid_crumb(),
}


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked."""

    method: str
    target: str
    cookies: str = ""
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path without query, decoded."""
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str]:
        """The query; of a repeated name the last counts."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))


def route_of(path: str) -> str:
    """Return the short name of a path."""
    return "chart" if path.startswith(_CHART) else _ROUTES.get(path, "other")


@dataclass
class Exchange:
    """A running exchange.

    Attributes:
        market: What is traded.
        clock: Its time of day.
        seed: Of the faults and the cookies.
        delay: How late Yahoo shows the market.
        late: How long a late answer takes.
        log: Every request.
        url: Its address, `http://127.0.0.1:PORT`.
        closing: Set when it shall end; whoever waits stops waiting.
    """

    market: Market
    clock: ExchangeClock
    seed: int
    delay: timedelta
    late: timedelta
    log: RequestLog
    url: str = ""
    closing: Event = field(default_factory=Event)
    _faults: Faults = field(default_factory=Faults)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)
        self._sessions = Sessions(self.seed)

    @property
    def requests(self) -> list[LoggedRequest]:
        """Every request to Yahoo's routes so far."""
        return self.log.all()

    def set_faults(self, faults: Faults) -> None:
        """Play these faults from now on."""
        with self._lock:
            self._faults = faults

    def draw(self, route: str) -> tuple[str, Random]:
        """Draw the fault that a request meets, empty where none, and the numbers that play it."""
        with self._lock:
            drawn = self._faults.draw(self._random) or ""
            numbers = Random(self._random.getrandbits(64))
        return ("" if drawn == "crumb" and route not in _NEEDS_CRUMB else drawn), numbers

    def answer(self, request: Request, fault: str, numbers: Random) -> Answer:
        """Answer a request, or do what a fault does to the answer; those of the socket are not done here."""
        route = route_of(request.path)
        if fault in _INSTEAD:
            return _INSTEAD[fault](route)
        if request.method != _METHODS.get(route, "GET"):
            return html_page(405, "Method Not Allowed")
        nulls = numbers if fault == "nulls" else None
        if route in _NEEDS_CRUMB:
            return self._guarded(route, request, nulls)
        if route == "chart":
            return self._chart(request, nulls)
        return self._spark(request, nulls) if route == "spark" else self._session(route, request)

    def _guarded(self, route: str, request: Request, nulls: Random | None) -> Answer:
        crumb = self._sessions.crumb_for(request.cookies)
        if crumb is None or request.query.get("crumb") != crumb:
            return invalid_crumb()
        return self._quote(request, nulls) if route == "quote" else self._screener(request, nulls)

    def _session(self, route: str, request: Request) -> Answer:
        if route == "cookie":
            return Answer(404, b"", PLAIN, {"Set-Cookie": self._sessions.set_cookie()})
        return (
            self._crumb(self._sessions.crumb_for(request.cookies)) if route == "crumb" else html_page(404, "Not Found")
        )

    def _crumb(self, crumb: str | None) -> Answer:
        if crumb is None:
            return error_answer(401, "finance", "Unauthorized", "Invalid Cookie")
        return Answer(200, crumb.encode(), PLAIN)

    def _chart(self, request: Request, nulls: Random | None) -> Answer:
        symbol, now = request.path[len(_CHART) :].upper(), self.clock.now()
        view = self._view(symbol, now)
        asked = Asked.read(request.query, int(now.timestamp()))
        if view is None:
            return not_found()
        if asked is None:
            return error_answer(
                400, "chart", "Bad Request", "Invalid input - period1 and period2 must be epoch seconds"
            )
        return chart_answer(view, _code(symbol), asked, int(now.timestamp()), nulls=nulls)

    def _spark(self, request: Request, nulls: Random | None) -> Answer:
        now, symbols = self.clock.now(), _listed(request)
        if len(symbols) > MOST_SYMBOLS:
            return too_many_symbols(len(symbols))
        version = request.path.split("/")[1]
        return spark_answer(self._views(symbols, now), version, int(now.timestamp()), nulls)

    def _quote(self, request: Request, nulls: Random | None) -> Answer:
        now = self.clock.now()
        return quote_answer(self._views(_listed(request), now), int(now.timestamp()), self.delay_minutes, nulls)

    def _screener(self, request: Request, nulls: Random | None) -> Answer:
        now, body = self.clock.now(), _object(request.body)
        if body is None:
            return error_answer(400, "finance", "Bad Request", "The body is no JSON object")
        known = [symbol + YAHOO_SUFFIX for symbol in self.market.symbols(now - self.delay)]
        return screener_answer(self._views(known, now), body, int(now.timestamp()), self.delay_minutes, nulls)

    @property
    def delay_minutes(self) -> float:
        """Yahoo's delay."""
        return self.delay.total_seconds() / 60

    def _views(self, symbols: list[str], now: datetime) -> list[tuple[str, View]]:
        found = ((_code(symbol), self._view(symbol, now)) for symbol in symbols)
        return [(code, view) for code, view in found if view is not None]

    def _view(self, symbol: str, now: datetime) -> View | None:
        return self.market.view(_code(symbol), now - self.delay) if symbol.endswith(YAHOO_SUFFIX) else None


def new_exchange(
    market: Market,
    clock: ExchangeClock,
    *,
    faults: Faults,
    seed: int,
    delay: timedelta,
    late: timedelta,
    log: Path | None,
) -> Exchange:
    """Return an exchange that no socket leads to yet."""
    if delay < timedelta(0):
        raise SimulatorError(f"the delay {delay} is below zero")
    exchange = Exchange(market, clock, seed, delay, late, RequestLog(log))
    exchange.set_faults(faults)
    return exchange


def _code(symbol: str) -> str:
    return symbol.removesuffix(YAHOO_SUFFIX)


def _listed(request: Request) -> list[str]:
    asked = (symbol.strip().upper() for symbol in request.query.get("symbols", "").split(","))
    return list(dict.fromkeys(symbol for symbol in asked if symbol))


def _object(body: bytes) -> Mapping[str, Any] | None:
    try:
        content = json.loads(body or b"{}")
    except ValueError:
        return None
    return content if isinstance(content, dict) else None
