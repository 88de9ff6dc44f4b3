"""Cookie and crumb: what Yahoo wants to see before it tells quotes.

Belongs here: getting them, and knowing a crumb from what has been mistaken for one. Does not belong here: carrying
cookies (`_session.py`), sending a refused request once more (`_client.py`).
"""

import re
import threading
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from bist_pipeline.core.errors import CircuitOpenError, ProviderError, TransientProviderError
from bist_pipeline.providers.yahoo._client import Answer, YahooClient
from bist_pipeline.providers.yahoo._errors import BadBody, printable
from bist_pipeline.providers.yahoo._session import is_yahoos_own
from bist_pipeline.settings import Settings

LONGEST_CRUMB = 30

# A page that is nothing but a 404 with cookies: the smallest that sets them, and the one all clients ask.
_COOKIE_HOST = "https://fc.yahoo.com"
_COOKIE_PATH = "/"
_CRUMB_PATH = "/v1/test/getcrumb"

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CRUMB_STATUSES = _REDIRECTS | {200}
_COOKIE_STATUSES = _REDIRECTS | {200, 204, 404}
_CONSENT_HOSTS = frozenset({"guce.yahoo.com", "consent.yahoo.com"})
# `haT3oykhHqZ`, `d.L8G/Bnbnw`. No blank: "Too Many Requests" has 17 characters and has been taken for a crumb.
_CRUMB = re.compile(rf"[A-Za-z0-9./_~$!*+=-]{{8,{LONGEST_CRUMB}}}")

_WITHOUT = "yahoo_spark and yahoo_chart go without (`BIST_LIVE_PROVIDERS`)"


class CrumbKeeper:
    """Holds the crumb of one client, and gets a new one when Yahoo refuses the session. Thread-safe.

    Args:
        client: Whose cookies the crumb belongs to; its hook for refused sessions is taken.
        settings: Names the hosts.
    """

    def __init__(self, client: YahooClient, settings: Settings) -> None:
        self._client = client
        # A proxy or a simulated exchange sets the cookie itself: nothing but Yahoo's own client asks Yahoo's hosts.
        self._cookie_hosts = (_COOKIE_HOST,) if is_yahoos_own(settings.yahoo_hosts[0]) else settings.yahoo_hosts
        self._crumb: str | None = None
        self._failure: ProviderError | None = None
        self._deadline: float | None = None
        self._lock = threading.Lock()
        self._settled = threading.Event()
        self._settled.set()
        client.on_unauthorized = self._fetch

    @property
    def failure(self) -> ProviderError | None:
        """Why there is no crumb, where getting the last one failed."""
        return self._failure

    def ensure(self, deadline: float) -> None:
        """Get cookie and crumb unless they are held: two requests, once per process.

        Args:
            deadline: `time.monotonic()` by which it must have ended; holds for a later renewal too.

        Raises:
            CircuitOpenError: Nothing may be asked now.
            DeadlineError: The deadline is over.
            TransientProviderError: Yahoo gives none: it asks for consent, refuses the session, or fails.
        """
        with self._lock:
            self._deadline = deadline
            if self._crumb is None:
                self._fetch()

    def wait(self, deadline: float) -> None:
        """Wait while another thread renews the session: what is sent meanwhile would be refused, and renew it again.

        Raises:
            ProviderError: The session is lost: the renewal failed, and this thread's would too.
        """
        self._settled.wait(max(0.0, deadline - time.monotonic()))
        if self._failure is not None:
            raise self._failure

    def params(self, **more: str) -> Callable[[], Mapping[str, str]]:
        """Return what makes the parameters of a try, with the crumb that is held then."""
        return lambda: {**more, "crumb": self._crumb or ""}

    def _fetch(self) -> None:
        # Without the lock: the client lets one thread at a time renew, and another may wait for it while it holds ours.
        self._settled.clear()
        self._crumb, self._failure = None, None
        try:
            self._crumb = self._ask()
        except ProviderError as failure:
            self._failure = failure
            raise
        finally:
            self._settled.set()

    def _ask(self) -> str:
        try:
            self._client.send(
                "cookie",
                _COOKIE_PATH,
                {},
                read_cookie,
                deadline=self._deadline,
                hosts=self._cookie_hosts,
                accept=_COOKIE_STATUSES,
            )
        except CircuitOpenError as error:
            if error.is_of_one_host:  # of the one that sets the cookie: routes that want none may be asked
                raise TransientProviderError(f"no cookie, which quotes want; {_WITHOUT}: {error}") from error
            raise
        return self._client.send("crumb", _CRUMB_PATH, {}, read_crumb, deadline=self._deadline, accept=_CRUMB_STATUSES)


def read_cookie(answer: Answer) -> None:
    """See that an answer sets a cookie; its status says nothing.

    Raises:
        BadBody: It sets none.
        TransientProviderError: Yahoo asks for consent.
    """
    _refuse_redirect(answer)
    if not answer.headers.get("set-cookie"):
        raise BadBody("no cookie")


def read_crumb(answer: Answer) -> str:
    """Return the crumb that an answer is.

    Raises:
        BadBody: It is none: a page, an error, a word of a proxy's.
        TransientProviderError: Yahoo asks for consent.
    """
    _refuse_redirect(answer)
    text = answer.body.decode("ascii", errors="replace").strip()
    if answer.status != 200 or answer.content_type != "text/plain" or not _CRUMB.fullmatch(text):
        raise BadBody("no crumb")
    return text


def _refuse_redirect(answer: Answer) -> None:
    if answer.status not in _REDIRECTS:
        return
    place = _place(answer.headers.get("location", ""))
    if place in _CONSENT_HOSTS:
        raise TransientProviderError(
            f"Yahoo asks visitors from this address for consent ({place}) before it tells quotes: nothing to agree to "
            f"here; {_WITHOUT}"
        )
    raise BadBody(f"a redirect to {place}")


def _place(location: str) -> str:
    """The host that a redirect leads to; the rest of the address may hold what a session is known by."""
    try:
        return printable(urlsplit(location).hostname or "nowhere")
    except ValueError:
        return "an address that is none"
