"""A host that speaks as much of Yahoo's protocol as a test of the live lane wants, and a pacer that writes down.

Each route is a function of the request, or a list of answers that are used up one by one, the last one for ever.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from bist_pipeline.core.errors import CircuitOpenError
from bist_pipeline.providers.pacing.contract import Ask, Lease, Reply

MOMENT = 1_772_443_805  # 2026-03-02 12:30:05 in Istanbul
JSON, PLAIN, HTML = "application/json;charset=utf-8", "text/plain;charset=utf-8", "text/html; charset=utf-8"
ROUTES = {
    "/": "cookie",
    "/v1/test/getcrumb": "crumb",
    "/v7/finance/quote": "quote",
    "/v7/finance/spark": "spark",
    "/v1/finance/screener": "screener",
}
INVALID_CRUMB = {"finance": {"result": None, "error": {"code": "Unauthorized", "description": "Invalid Crumb"}}}
NO_ACCESS = {
    "finance": {
        "result": None,
        "error": {"code": "Unauthorized", "description": "User is unable to access this feature"},
    }
}


@dataclass
class Said:
    status: int = 200
    content: object = b""
    kind: str = JSON
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        return self.content if isinstance(self.content, bytes) else json.dumps(self.content).encode()


@dataclass
class Heard:
    route: str
    target: str
    cookie: str
    body: object

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def symbols(self) -> list[str]:
        return self.query.get("symbols", "").split(",")


def quote(symbol: str, **more: object) -> dict[str, object]:
    told = {"symbol": symbol, "currency": "TRY", "regularMarketTime": MOMENT, "regularMarketPrice": 10.0}
    return {**told, "regularMarketOpen": 9.5, "regularMarketDayHigh": 10.5, "regularMarketDayLow": 9.0, **more}


def quotes(heard: Heard) -> Said:
    """Answer every symbol but those that begin with Q."""
    return Said(content={"quoteResponse": {"result": [quote(s) for s in heard.symbols if s[0] != "Q"], "error": None}})


def spark(heard: Heard) -> Said:
    chart = [{"meta": {"currency": "TRY", "regularMarketPrice": 10.0, "regularMarketTime": MOMENT}}]
    result = [{"symbol": s, "response": chart} for s in heard.symbols if s[0] != "Q"]
    return Said(content={"spark": {"result": result, "error": None}})


class QuoteHost:
    """Hands out a new cookie and a new crumb each time, and wants to see both with quotes and screener."""

    def __init__(self) -> None:
        self.url = ""
        self.heard: list[Heard] = []
        self.script: dict[str, Callable[[Heard], Said] | list[Said]] = {"quote": quotes, "spark": spark}
        self._lock = threading.Lock()
        self._sessions = 0

    @property
    def routes(self) -> list[str]:
        return [heard.route for heard in self.heard]

    def answer(self, heard: Heard) -> Said:
        with self._lock:
            self.heard.append(heard)
            return self._answer(heard)

    def _answer(self, heard: Heard) -> Said:
        scripted = self.script.get(heard.route)
        if isinstance(scripted, list):
            return scripted.pop(0) if len(scripted) > 1 else scripted[0]
        if heard.route == "cookie" and scripted is None:
            self._sessions += 1
            return Said(404, headers={"Set-Cookie": f"A3=visitor{self._sessions}; Max-Age=31557600; Path=/"}, kind=HTML)
        if heard.route == "crumb" and scripted is None:
            return Said(content=heard.cookie.removeprefix("A3=").encode(), kind=PLAIN)
        is_known = heard.cookie == f"A3=visitor{self._sessions}" and heard.query.get("crumb") == heard.cookie[3:]
        if heard.route in {"quote", "screener"} and not is_known:
            return Said(401, INVALID_CRUMB)
        assert callable(scripted), f"nothing scripted for {heard.route}"
        return scripted(heard)

    def forget(self) -> None:
        """Refuse the session that is held outside."""
        self._sessions += 1


@contextmanager
def quote_host() -> Iterator[QuoteHost]:
    host = QuoteHost()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            said = host.answer(self._heard())
            self.send_response(said.status)
            for name, value in {"Content-Type": said.kind, **said.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            self.wfile.write(said.body)

        do_POST = do_GET  # noqa: N815 - the library fixes the name

        def _heard(self) -> Heard:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            route = ROUTES.get(urlsplit(self.path).path, "other")
            return Heard(route, self.path, self.headers.get("Cookie", ""), json.loads(body) if body else None)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    host.url = f"http://127.0.0.1:{server.server_port}"
    yield host
    server.shutdown()
    server.server_close()
    thread.join()


class WritingPacer:
    """Gives leave at once, and writes down what became of it."""

    def __init__(self) -> None:
        self.replies: list[tuple[str, str]] = []
        self.shut: CircuitOpenError | None = None
        self.shut_after = -1

    def acquire(self, ask: Ask, deadline: float | None = None) -> Lease:
        if self.shut is not None and len(self.replies) >= self.shut_after:
            raise self.shut
        return Lease(ask.route, 0.0)

    def release(self, lease: Lease, ask: Ask, reply: Reply) -> None:
        self.replies.append((ask.route, reply.outcome))

    def retry_wait(self, attempt: int) -> float:
        return 0.0
