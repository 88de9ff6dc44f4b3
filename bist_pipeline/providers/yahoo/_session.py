"""One HTTP request to one host.

Belongs here: connections, cookies, user agents, timeouts, and what the HTTP library calls its failures. Does not belong
here: when to ask, and what to do about an answer (`_client.py`).

A connection belongs to one thread, cookies and user agent to all threads of a client: Yahoo ties a crumb to them.
"""

import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bist_pipeline.core.errors import TransientProviderError
from bist_pipeline.core.hosts import is_loopback
from bist_pipeline.providers.pacing.contract import Outcome
from bist_pipeline.providers.yahoo._errors import printable

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 20.0
# The longest chart has half a megabyte; what is longer than this is no answer of Yahoo's.
LONGEST_BODY = 64 * 2**20

# A browser's for a request that a page's script makes: the crumb comes as plain text.
_ACCEPT = "application/json, text/plain, */*"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host answered.

    Attributes:
        status: HTTP status.
        body: Decompressed.
        headers: By lower-case name; several of one name are joined by line breaks.
        host: Base URL of the host that answered.
    """

    status: int
    body: bytes
    headers: Mapping[str, str]
    host: str

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters; empty where none is stated."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class NoAnswerError(TransientProviderError):
    """No whole answer came.

    Attributes:
        outcome: What the pacer is told.
        elapsed_seconds: How long it took to find out.
    """

    def __init__(self, outcome: Outcome, message: str, elapsed_seconds: float) -> None:
        super().__init__(message)
        self.outcome: Outcome = outcome
        self.elapsed_seconds = elapsed_seconds


class Sessions:
    """Connections of one client. Thread-safe.

    Args:
        user_agents: One of them is shown until `renew`; a browser's own where there are none.
    """

    def __init__(self, user_agents: Sequence[str] = ()) -> None:
        self._user_agents = list(user_agents)
        random.shuffle(self._user_agents)
        self._generation = 0
        self._cookies: dict[str, str] = {}
        self._lock = threading.Lock()
        self._local = threading.local()

    @property
    def generation(self) -> int:
        """How often the session was renewed."""
        return self._generation

    def renew(self, generation: int) -> None:
        """Begin a new session: no cookies, the next user agent. Nothing where another thread has already done so.

        Args:
            generation: The session that was refused.
        """
        with self._lock:
            if generation == self._generation:
                self._generation += 1
                self._cookies.clear()

    def exchange(
        self, url: str, host: str, *, body: Mapping[str, Any] | None = None, seconds: float = TOTAL_SECONDS
    ) -> tuple[Answer, float]:
        """Send one request, a POST of JSON where there is a body; redirects are not followed.

        Returns:
            The answer, and the seconds from sending to its last byte.

        Raises:
            NoAnswerError: Timeout, refused or broken connection, a body that is too long or shorter than announced.
        """
        from curl_cffi.requests.exceptions import RequestException, Timeout

        received = _Body()
        begun = time.monotonic()
        try:
            response = self._connection(host).request(
                "GET" if body is None else "POST",
                url,
                json=None if body is None else dict(body),
                headers=self._headers(),
                timeout=(min(CONNECT_SECONDS, seconds / 2), seconds - min(CONNECT_SECONDS, seconds / 2)),
                allow_redirects=False,
                content_callback=received.take,
                discard_cookies=True,
                quote=False,
            )
        except RequestException as error:
            elapsed = time.monotonic() - begun
            outcome: Outcome = "timeout" if isinstance(error, Timeout) else "connection"
            why = f"more than {LONGEST_BODY >> 20} MB" if received.is_too_long else _said(error)
            raise NoAnswerError(outcome, why, elapsed) from error
        elapsed = time.monotonic() - begun
        self._keep(response.headers.get_list("set-cookie"))
        headers: dict[str, str] = {}
        for name, value in response.headers.multi_items():
            lower = name.lower()
            headers[lower] = f"{headers[lower]}\n{value}" if lower in headers else str(value)
        return Answer(response.status_code, received.bytes(), headers, host), elapsed

    def _connection(self, host: str) -> Any:
        """This thread's connections; those to this machine never go through a proxy."""
        from curl_cffi import CurlOpt
        from curl_cffi.requests import Session

        key = (is_loopback(host), self._generation)
        held: dict[tuple[bool, int], Any] = self._local.__dict__.setdefault("held", {})
        if key not in held:
            for old in [old for old in held if old[1] != self._generation]:
                held.pop(old).close()
            # Yahoo turns away clients whose TLS handshake is no browser's, and would wonder at a new one per request.
            # On this machine each request gets a connection of its own: on one that was used before and is reset, curl
            # sends the request again by itself, and what the exchange counts would not be what the pacer counts.
            own = {CurlOpt.NOPROXY: b"*", CurlOpt.FRESH_CONNECT: 1}
            held[key] = Session(curl_options=own) if is_loopback(host) else Session(impersonate="chrome")
        return held[key]

    def _headers(self) -> dict[str, str]:
        with self._lock:
            headers = {"Accept": _ACCEPT}
            if self._user_agents:
                headers["User-Agent"] = self._user_agents[self._generation % len(self._user_agents)]
            if self._cookies:
                headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
            return headers

    def _keep(self, cookies: Sequence[str | None]) -> None:
        with self._lock:
            for cookie in cookies:
                name, _, value = (cookie or "").partition(";")[0].strip().partition("=")
                if name and value:
                    self._cookies[name] = value


class _Body:
    """Collects a body as it arrives, up to the limit."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._length = 0

    @property
    def is_too_long(self) -> bool:
        return self._length > LONGEST_BODY

    def take(self, part: bytes) -> int:
        from curl_cffi.curl import CURL_WRITEFUNC_ERROR

        self._length += len(part)
        if self.is_too_long:
            return CURL_WRITEFUNC_ERROR
        self._parts.append(part)
        return len(part)

    def bytes(self) -> bytes:
        return b"".join(self._parts)


def _said(error: OSError) -> str:
    """The library's own words around libcurl's are the same for every failure."""
    return printable(str(error).removeprefix("Failed to perform, ").partition(". See https://curl.se")[0], limit=160)


def is_yahoos_own(host: str) -> bool:
    """Tell whether a base URL is one of Yahoo's."""
    name = urlsplit(host).hostname or ""
    return name == "yahoo.com" or name.endswith(".yahoo.com")
