"""A host that answers what a test lines up, a pacer that remembers, and answers that Yahoo could have given."""

import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from bist_pipeline.core.errors import CircuitOpenError, DeadlineError
from bist_pipeline.providers.pacing.contract import Ask, Lease, Reply
from bist_pipeline.settings import Settings

JSON = "application/json;charset=utf-8"
HTML_PAGE = b"<!DOCTYPE html><html><head><title>Yahoo</title></head><body>Will be right back...</body></html>"
NOT_FOUND = (
    b'{"chart":{"result":null,"error":{"code":"Not Found","description":"No data found, symbol may be delisted"}}}'
)
INVALID_CRUMB = b'{"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Crumb"}}}'


@dataclass(frozen=True)
class Step:
    """What the host does with one request."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    kind: Literal["answer", "reset", "cut", "late"] = "answer"
    content_type: str = JSON


@dataclass(frozen=True)
class Seen:
    """A request that arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class Host:
    """Answers the lined-up steps in turn; a request too many gets status 418."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.seen: list[Seen] = []
        self.released = threading.Event()  # ends `late` answers when the test is over
        self._steps: deque[Step] = deque()
        self._lock = threading.Lock()

    def will(self, *steps: Step) -> None:
        self._steps.extend(steps)

    def answer(self, body: bytes | dict, status: int = 200, **headers: str) -> None:
        """Line up one answer; header names are written with underscores."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.will(Step(status, content, {name.replace("_", "-"): value for name, value in headers.items()}))

    def take(self, seen: Seen) -> Step:
        with self._lock:
            self.seen.append(seen)
            return self._steps.popleft() if self._steps else Step(418, b"the script is over", content_type="text/plain")


@contextmanager
def scripted_host() -> Iterator[Host]:
    """Serve on a free port of this machine until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    host = Host(f"http://127.0.0.1:{server.server_port}")
    server.host = host
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield host
    finally:
        host.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

    def do_GET(self):
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        host = self.server.host
        step = host.take(Seen(self.command, url.path, query, headers, body))
        if step.kind == "reset":
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.shutdown(socket.SHUT_RD)
            self.connection.close()
            return
        if step.kind == "late":
            host.released.wait(30)
        self.send_response_only(step.status)
        for name, value in {"Content-Type": step.content_type, **step.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(step.body)))
        self.end_headers()
        self.wfile.write(step.body[: len(step.body) // 2] if step.kind == "cut" else step.body)
        self.close_connection = self.close_connection or step.kind == "cut"

    def do_POST(self):
        self.do_GET()

    def handle(self):
        try:
            super().handle()
        except OSError:
            return  # the client has gone, or was reset on purpose

    def finish(self):
        try:
            super().finish()
        except (OSError, ValueError):
            return

    def log_message(self, *_):
        return


class RecordingPacer:
    """Gives leave at once unless a circuit is open, and remembers everything; waits are told, not waited."""

    def __init__(self) -> None:
        self.asks: list[Ask] = []
        self.replies: list[Reply] = []
        self.waits: list[int] = []
        self.open: dict[str, CircuitOpenError] = {}
        self.throttles_until_open: int | None = None
        self.wait_seconds = 0.0
        self._held: dict[str, Ask] = {}
        self._lock = threading.Lock()

    @property
    def outcomes(self) -> list[str]:
        return [reply.outcome for reply in self.replies]

    @property
    def held(self) -> int:
        return len(self._held)

    def acquire(self, ask: Ask, deadline: float | None = None) -> Lease:
        with self._lock:
            if ask.host in self.open:
                raise self.open[ask.host]
            if self.throttles_until_open is not None and self.outcomes.count("throttled") >= self.throttles_until_open:
                raise circuit_open("yahoo")
            if deadline is not None and time.monotonic() >= deadline:
                raise DeadlineError("too late")
            self.asks.append(ask)
            key = str(len(self.asks))
            self._held[key] = ask
            return Lease(key, 0.0)

    def release(self, lease: Lease, ask: Ask, reply: Reply) -> None:
        with self._lock:
            assert self._held.pop(lease.key) == ask  # exactly once, and of the same request
            self.replies.append(reply)

    def retry_wait(self, attempt: int) -> float:
        self.waits.append(attempt)
        return self.wait_seconds


def circuit_open(what: str, minute: int = 32) -> CircuitOpenError:
    """An open circuit of a host where `what` is an address, else of the family."""
    until = datetime(2026, 8, 7, 11, minute, tzinfo=UTC)
    return CircuitOpenError(f"circuit of {what} open until 14:{minute}", until, is_of_one_host="://" in what)


def settings_for(*hosts: Host, **values: object) -> Settings:
    """Settings that ask scripted hosts, without pacing."""
    return Settings(yahoo_hosts=tuple(host.url for host in hosts), yahoo_requests_per_second=0, **values)
