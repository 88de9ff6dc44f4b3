"""The session that the yfinance library sends all its requests through.

Belongs here: asking the pacer before each request, sending it to the hosts that were set, and ending the library's work
by an exception before it repeats anything. Does not belong here: calling the library (`_library.py`); what an answer
means, which Yahoo's own client knows. This module loads the HTTP library: import it inside functions alone.

Left to itself the library follows any status of 400 or more, a 429 too, by up to six more requests at once, and takes
an outage for a delisting. So nothing but a good chart ever gets back to it. The cookie and the crumb, which charts do
well without, are asked for once per session; where they fail, the library is told so in a way that lets it go on.
"""

import random
import time
from collections.abc import Callable, Mapping
from typing import Any, NoReturn
from urllib.parse import urlsplit

from curl_cffi import CurlOpt
from curl_cffi.requests import Response, Session
from curl_cffi.requests.exceptions import RequestException, Timeout

from bist_pipeline.core.clock import Clock
from bist_pipeline.core.errors import BistError, CircuitOpenError, ThrottledError, TransientProviderError
from bist_pipeline.providers.pacing.contract import Ask, Outcome, Pacer, Reply
from bist_pipeline.providers.yahoo._chart_answer import Chart, read_chart
from bist_pipeline.providers.yahoo._client import FAMILY
from bist_pipeline.providers.yahoo._errors import BadBody, printable
from bist_pipeline.providers.yahoo._session import CONNECT_SECONDS, TOTAL_SECONDS, Answer, is_yahoos_own
from bist_pipeline.providers.yahoo._verdict import Verdict, judge, retry_after
from bist_pipeline.settings import YAHOO_HOSTS, Settings

NAME = "yfinance"
CHART, COOKIE, CRUMB = f"{NAME}:chart", f"{NAME}:cookie", f"{NAME}:crumb"

_CHART_PATH = "/v8/finance/chart/"
_API_HOSTS = frozenset(urlsplit(url).hostname for url in YAHOO_HOSTS)
_LONGEST_CRUMB = 64

# On a connection that it used before and finds reset, curl sends the request again by itself: one without leave.
_EVERY_REQUEST = {CurlOpt.FRESH_CONNECT: 1}


class PacedSession(Session[Response]):
    """A session whose every request has the pacer's leave. One thread at a time may use it.

    Attributes:
        host: Base URL that is asked since `begin`.
        chart: The last good answer since `begin`.
        payload: Its bytes.
        fault: What ended the last request since `begin`; kept because the library's `download` swallows exceptions.
        is_stale: Whether Yahoo refused the session: the library must forget its crumb.
    """

    def __init__(self, settings: Settings, pacer: Pacer, clock: Clock) -> None:
        # This machine is never asked through a proxy, and Yahoo turns away a handshake that is no browser's.
        if settings.asks_loopback:
            super().__init__(curl_options={**_EVERY_REQUEST, CurlOpt.NOPROXY: b"*"}, trust_env=False)
        else:
            super().__init__(curl_options=_EVERY_REQUEST, impersonate="chrome")
        if settings.yf_user_agents:
            self.headers["User-Agent"] = random.choice(settings.yf_user_agents)
        self.chart: Chart | None = None
        self.payload = b""
        self.fault: BistError | None = None
        self.is_stale = False
        self._pacer, self._clock, self._hosts = pacer, clock, settings.yahoo_hosts
        self._symbol, self.host, self._attempt = "", self._hosts[0], 1
        self._kept: dict[str, Response | None] = {}

    def begin(self, symbol: str, attempt: int, turn: int) -> None:
        """Forget the call before, and turn to the next host.

        Args:
            symbol: Normalised code that the library is about to be asked for.
            attempt: 1 for the first way of asking, 2 for the second.
            turn: Whose turn it is, counted through the hosts from 0.
        """
        self.chart = self.fault = None
        self.payload = b""
        self._symbol, self._attempt = symbol, attempt
        self.host = self._hosts[turn % len(self._hosts)]

    def renew(self) -> None:
        """Forget cookie and crumb."""
        self._kept.clear()
        self.cookies.clear()
        self.is_stale = False

    def request(self, method: Any, url: str, **options: Any) -> Response:  # pyright: ignore[reportIncompatibleMethodOverride] - whatever options come are handed on
        """Send one request with the pacer's leave; the library's `get` and `post` both end here.

        Raises:
            BistError: For a chart, whatever is not a good chart; for any request a 429, or the family's open circuit.
            ConnectionError: Cookie or crumb are not to be had: the library goes on without them.
        """
        route = _route(url)
        try:
            return self._chart(method, url, options) if route == CHART else self._once(method, url, route, options)
        except BistError as error:
            self.fault = error
            raise

    def _chart(self, method: Any, url: str, options: dict[str, Any]) -> Response:
        response, verdict = self._send(method, url, CHART, options)
        if response is None or not isinstance(verdict.value, Chart):
            self._refuse(verdict)
        self.chart, self.payload = verdict.value, response.content
        return response

    def _once(self, method: Any, url: str, route: str, options: dict[str, Any]) -> Response:
        """Send what belongs to the session, and never twice; after a fault, nothing of the kind any more."""
        if url not in self._kept and None not in self._kept.values():
            self._kept[url] = self._first(method, url, route, options)
        kept = self._kept.get(url)
        if kept is None:
            # A plain OSError, which the library takes for a passing fault of something it can do without.
            raise ConnectionError(f"{route} is not to be had")
        return kept

    def _first(self, method: Any, url: str, route: str, options: dict[str, Any]) -> Response | None:
        try:
            response, verdict = self._send(method, url, route, options)
        except CircuitOpenError as error:
            if error.is_of_one_host:  # perhaps of the one that sets cookies; whether the chart's is open, it will tell
                return None
            raise
        if verdict.outcome == "throttled":
            self._refuse(verdict)
        return response if verdict.outcome == "answered" else None

    def _send(self, method: Any, url: str, route: str, options: dict[str, Any]) -> tuple[Response | None, Verdict[Any]]:
        target, host = self._target(url)
        is_chart = route == CHART
        ask = Ask(FAMILY, host, NAME, route, self._symbol if is_chart else "", self._attempt if is_chart else 1)
        # Redirects are not followed: what they lead to would be asked without leave.
        options |= {"timeout": (CONNECT_SECONDS, TOTAL_SECONDS - CONNECT_SECONDS), "allow_redirects": False}
        lease = self._pacer.acquire(ask)
        reply, began = Reply("connection", detail="interrupted"), time.monotonic()
        try:
            response, verdict = self._exchange(
                lambda: super(PacedSession, self).request(method, target, **options), ask
            )
            reply = self._reply(response, verdict, host, time.monotonic() - began)
        finally:
            self._pacer.release(lease, ask, reply)
        return response, verdict

    def _exchange(self, send: Callable[[], Response], ask: Ask) -> tuple[Response | None, Verdict[Any]]:
        try:
            response = send()
        except RequestException as error:
            outcome: Outcome = "timeout" if isinstance(error, Timeout) else "connection"
            return None, Verdict(outcome, detail=f"{outcome}: {printable(str(error), limit=160)}")
        # The host that sets the cookie answers 404 while it does.
        accept = {200, 404} if ask.route == COOKIE else {200}
        label, read = f"{self._symbol}: {ask.route} of {ask.host}", _READERS.get(ask.route, _anything)
        return response, judge(_answer(response, ask.host), read, accept, label, is_secret=ask.route != CHART)

    def _reply(self, response: Response | None, verdict: Verdict[Any], host: str, elapsed: float) -> Reply:
        if response is None:
            return Reply(verdict.outcome, elapsed_seconds=elapsed, detail=verdict.detail)
        asked = retry_after(_answer(response, host), self._clock.now())
        size = len(response.content)
        return Reply(verdict.outcome, response.status_code, size, elapsed, asked, verdict.detail)

    def _target(self, url: str) -> tuple[str, str]:
        """Return the URL to ask instead, and the base URL that it counts for."""
        parts = urlsplit(url)
        if is_yahoos_own(self.host) and parts.hostname not in _API_HOSTS:
            return url, f"{parts.scheme}://{parts.netloc}"
        query = f"?{parts.query}" if parts.query else ""
        return f"{self.host}{parts.path or '/'}{query}", self.host

    def _refuse(self, verdict: Verdict[Any]) -> NoReturn:
        if verdict.failure is not None:
            raise verdict.failure
        self.is_stale |= verdict.outcome == "unauthorized"
        error = ThrottledError if verdict.outcome == "throttled" else TransientProviderError
        raise error(f"{self._symbol}: {self.host} answered {NAME} {verdict.detail}; it may do better later")


def _route(url: str) -> str:
    path = urlsplit(url).path
    if path.startswith(_CHART_PATH):
        return CHART
    if path.endswith("/getcrumb"):
        return CRUMB
    head = path.strip("/").partition("/")[0]
    return f"{NAME}:{head}" if head else COOKIE


def _read_crumb(answer: Answer) -> bool:
    if not 0 < len(answer.body) <= _LONGEST_CRUMB or b"<" in answer.body:
        raise BadBody("no crumb")
    return True


def _anything(answer: Answer) -> int:
    return answer.status


_READERS: Mapping[str, Callable[[Answer], Any]] = {CHART: read_chart, CRUMB: _read_crumb}


def _answer(response: Response, host: str) -> Answer:
    headers = {name.lower(): str(value) for name, value in response.headers.multi_items()}
    return Answer(response.status_code, response.content, headers, host)
