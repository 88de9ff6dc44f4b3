"""HTTP/1.1 on a socket, and the faults that only a socket can have.

Belongs here: reading a request, writing an answer in one piece, cutting it, coming late, resetting. Does not belong
here: what is answered (`exchange.py`).
"""

import socket
import struct
import sys
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from threading import Lock
from typing import Any

from bist_pipeline.simulator.answers.bodies import Answer
from bist_pipeline.simulator.control import control_answer, is_control
from bist_pipeline.simulator.exchange import Exchange, Request, route_of
from bist_pipeline.simulator.request_log import LoggedRequest

LOOPBACK = "127.0.0.1"
_CUT = (0.2, 0.8)  # where in the body it ends
_LARGEST_BODY = 1_000_000
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: the kernel sends RST


class Server(ThreadingHTTPServer):
    """A server on loopback that ends with all its connections.

    Args:
        port: Where to listen, 0 for any free port.
        exchange: Who answers.
    """

    daemon_threads = False
    block_on_close = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, port: int, exchange: Exchange) -> None:
        self.exchange = exchange
        self._lock = Lock()
        self._connections: set[socket.socket] = set()
        super().__init__((LOOPBACK, port), Handler)

    def server_bind(self) -> None:
        """Bind without asking a name server for this machine's name, which can take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]

    def opened(self, connection: socket.socket) -> None:
        """Remember a connection; one that comes while the server ends is ended too."""
        with self._lock:
            self._connections.add(connection)
            if self.exchange.closing.is_set():
                _hang_up(connection)

    def closed(self, connection: socket.socket) -> None:
        """Forget a connection."""
        with self._lock:
            self._connections.discard(connection)

    def end(self) -> None:
        """Stop answering, close every connection, wait for their threads."""
        self.exchange.closing.set()
        self.shutdown()
        with self._lock:
            for connection in self._connections:
                _hang_up(connection)
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away in the middle; let every other fault be seen."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride] - the class that made this one

    def setup(self) -> None:
        """Begin."""
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        """End."""
        self.server.closed(self.connection)
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Keep quiet: requests are kept in the exchange's own log."""

    def do_GET(self) -> None:
        """Answer GET."""
        self._answer(b"")

    def do_POST(self) -> None:
        """Answer POST."""
        length = self.headers.get("Content-Length", "0")
        self._answer(self.rfile.read(min(int(length) if length.isdigit() else 0, _LARGEST_BODY)))

    def _answer(self, body: bytes) -> None:
        request = Request(self.command, self.path, self.headers.get("Cookie", ""), body)
        exchange = self.server.exchange
        if is_control(request.path):
            self._send(control_answer(exchange, request))
            return
        fault, numbers = exchange.draw(route_of(request.path))
        if fault == "reset":
            self._log(request, 0, fault, 0)
            self._reset()
            return
        if fault == "late":
            exchange.closing.wait(exchange.late.total_seconds())
        answer = exchange.answer(request, fault, numbers)
        sent = self._cut(answer, numbers) if fault == "cut" else answer.body
        # Logged before it is sent: whoever has the answer finds its request in the log.
        self._log(request, answer.status, fault, len(sent))
        declared = len(answer.body) if fault == "cut" and numbers.random() < 0.5 else len(sent)
        self._send(answer, sent, declared)

    def _cut(self, answer: Answer, numbers: Random) -> bytes:
        return answer.body[: int(len(answer.body) * numbers.uniform(*_CUT))]

    def _send(self, answer: Answer, sent: bytes | None = None, declared: int | None = None) -> None:
        """Write head and body in one piece; a body shorter than declared ends the connection."""
        body = answer.body if sent is None else sent
        length = len(body) if declared is None else declared
        if length != len(body):
            self.close_connection = True
        head = [
            f"{self.protocol_version} {answer.status} {HTTPStatus(answer.status).phrase}",
            f"Content-Type: {answer.content_type}",
            f"Content-Length: {length}",
            f"Date: {formatdate(usegmt=True)}",
            f"X-Simulated: {self.server.exchange.market.label}",
            *(f"{name}: {value}" for name, value in answer.headers.items()),
            *(["Connection: close"] if self.close_connection and length == len(body) else []),
        ]
        self.wfile.write("\r\n".join([*head, "", ""]).encode() + body)

    def _log(self, request: Request, status: int, fault: str, size: int) -> None:
        moment, route = self.server.exchange.clock.now(), route_of(request.path)
        self.server.exchange.log.add(LoggedRequest(moment, route, request.target, status, fault, size))

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.server.closed(self.connection)
        # The reader holds the socket too: only when both are closed does the kernel send the reset.
        self.rfile.close()
        self.connection.close()


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        connection.close()
