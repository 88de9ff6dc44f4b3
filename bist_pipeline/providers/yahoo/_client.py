"""The one way to ask Yahoo, or a host that speaks its protocol.

Belongs here: tries, hosts and waits of one request, each try with leave of the pacer. Does not belong here: HTTP itself
(`_session.py`), what an answer means (`_verdict.py`), what a route answers (its own module), the pace (`pacing/`).

What becomes of a try:
1. answered: what was read is returned; unknown, refused: an error at once, for asking again will not help;
2. throttled: asked again of the same host as soon as the pacer gives leave; it cools down or ends it;
3. unauthorized: once more with a new session;
4. any other fault: the next host, after a wait, `YF_MAX_RETRIES` times.
"""

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from bist_pipeline.core.errors import (
    CircuitOpenError,
    DeadlineError,
    SettingsError,
    ThrottledError,
    TransientProviderError,
)
from bist_pipeline.providers.contract import MarketKind, Services
from bist_pipeline.providers.pacing.contract import HOST_FAULTS, Ask, Pacer, Reply
from bist_pipeline.providers.yahoo import _about
from bist_pipeline.providers.yahoo._about import Note
from bist_pipeline.providers.yahoo._errors import UnauthorizedError, nothing_open
from bist_pipeline.providers.yahoo._request import Course, Params, Request
from bist_pipeline.providers.yahoo._session import Answer, NoAnswerError, Sessions, is_yahoos_own
from bist_pipeline.providers.yahoo._verdict import Verdict, judge, retry_after
from bist_pipeline.settings import Settings

__all__ = ["FAMILY", "Answer", "Note", "Params", "YahooClient"]

FAMILY = "yahoo"

# A pacer that never ends a series of 429s is broken; this ends the series all the same.
MOST_THROTTLES = 50
_NOTE_SECONDS = 5.0

T = TypeVar("T")


class YahooClient:
    """Asks Yahoo's routes. Thread-safe; one per provider.

    Args:
        settings: Hosts, tries, user agents.
        services: The pacer of all processes, and the exchange's clock.
        provider: Registered name of the provider that asks.
        sleep: Waits between tries.

    Attributes:
        on_unauthorized: Called when Yahoo refuses the session, after cookies were dropped and before the request is
            sent once more: makes what a new session needs. Only one thread at a time is in it.
    """

    def __init__(
        self, settings: Settings, services: Services, provider: str, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._settings = settings
        self._services = services
        self._provider = provider
        self._sleep = sleep
        self._sessions = Sessions(settings.yf_user_agents)
        self._renewal = threading.RLock()
        self._thread = threading.local()
        self._notes: tuple[Note | None] | None = None
        self.on_unauthorized: Callable[[], None] | None = None

    def send(
        self,
        route: str,
        path: str,
        params: Params,
        read: Callable[[Answer], T],
        *,
        symbol: str = "",
        deadline: float | None = None,
        body: Mapping[str, Any] | None = None,
        hosts: Sequence[str] | None = None,
        accept: Collection[int] = frozenset({200}),
    ) -> T:
        """Ask until there is an answer, or until asking on makes no sense.

        Args:
            route: What is asked, as the pacer counts it: chart, quote, cookie, crumb, spark, screener.
            path: Path on the host, `/v8/finance/chart/THYAO.IS`.
            params: Of the query, or a function that makes them for each try.
            read: Reads an answer with an accepted status. Raises `BadBody` where it is not this route's (asked again),
                `BadField` where it says of the symbol what cannot be, or a `ProviderError` (either ends it at once; the
                answer counts as good). May be called several times.
            symbol: The symbol, where it is about one alone.
            deadline: `time.monotonic()` by which it must have ended.
            body: Sent as JSON by POST.
            hosts: Base URLs in the order of asking; those of the settings where there are none.
            accept: The statuses that `read` is for.

        Raises:
            UnknownSymbolError: Yahoo says that there is no such symbol.
            BadPayloadError: Yahoo knows the symbol and has no data in this range, or none that can be used.
            PermanentProviderError: Yahoo refuses the request (400, 422).
            CircuitOpenError: The circuit of the family or of every host is open; of one host only where other routes
                have other hosts.
            DeadlineError: The deadline is over, or would be before the next try.
            UnauthorizedError: The session is refused, a new one too.
            TransientProviderError: The bounded tries are used up; the message says what came last.
        """
        asked_hosts = tuple(hosts or self._settings.yahoo_hosts)
        request = Request(route, path, params, read, symbol, deadline, body, asked_hosts, accept)
        course = Course()
        while True:
            host = request.hosts[course.turn % len(request.hosts)]
            with self._renewal:  # a try that begins while the session is renewed belongs to the new one
                generation = self._sessions.generation
            try:
                verdict = self._try(request, host, course.sent + 1)
            except CircuitOpenError as error:
                self._pass_by(request, course, error)
                continue
            course.sent += 1
            course.shut.clear()
            if verdict.failure is not None:
                raise verdict.failure
            if verdict.outcome == "answered":
                return verdict.value  # pyright: ignore[reportReturnType] - what `read` returned, None included
            self._go_on(request, course, verdict, host, generation)

    def about(self) -> Note | None:
        """Ask the exchange what it is; None for Yahoo and for what passes Yahoo's own answers on.

        Neither paced nor counted: it is no request to Yahoo.

        Raises:
            TransientProviderError: No host answers.
            SettingsError: The hosts are of different markets.
        """
        notes: list[Note | None] = []
        failures: list[TransientProviderError] = []
        for host in self._settings.yahoo_hosts:
            try:
                notes.append(None if is_yahoos_own(host) else self._note(host))
            except TransientProviderError as failure:
                failures.append(failure)
        if not notes:
            raise failures[0]
        if len({(note.kind, note.basis) if note else None for note in notes}) > 1:
            raise SettingsError(f"YAHOO_HOSTS = {', '.join(self._settings.yahoo_hosts)}: they are different markets")
        self._notes = (notes[0],)
        return notes[0]

    def note(self) -> Note | None:
        """Return what `about` said last, asking where it was never asked: its kind and basis, not its time."""
        return self._notes[0] if self._notes is not None else self.about()

    def market_kind(self) -> MarketKind:
        """Return what kind of market the hosts answer for.

        Raises:
            TransientProviderError: No host answers.
            SettingsError: The hosts are of different markets.
        """
        note = self.note()
        return note.kind if note else "real"

    def _try(self, request: Request[T], host: str, attempt: int) -> Verdict[T]:
        """Send once, with leave of the pacer, and tell it what became of it."""
        pacer = self._pacer()
        if request.seconds_left() <= 0:
            raise DeadlineError(f"{request.label}: the deadline is over")
        ask = Ask(FAMILY, host, self._provider, request.route, request.symbol, attempt)
        lease = pacer.acquire(ask, request.deadline)
        reply = Reply("connection", detail="interrupted")
        try:
            answer, elapsed = self._sessions.exchange(
                request.url(host), host, body=request.body, seconds=request.timeout_seconds()
            )
            reply = Reply("bad_body", answer.status, len(answer.body), elapsed, detail="not understood")
            verdict = judge(answer, request.read, request.accept, request.label, is_secret=request.is_secret)
            reply = Reply(
                verdict.outcome,
                answer.status,
                len(answer.body),
                elapsed,
                retry_after(answer, self._services.clock.now()),
                verdict.detail,
            )
        except NoAnswerError as failure:
            reply = Reply(failure.outcome, elapsed_seconds=failure.elapsed_seconds, detail=str(failure))
            verdict = Verdict(failure.outcome, detail=f"no answer ({failure.outcome}): {failure}")
        finally:
            pacer.release(lease, ask, reply)
        return verdict

    def _pass_by(self, request: Request[T], course: Course, error: CircuitOpenError) -> None:
        """Leave out a host whose circuit is open; raise where no other host may be asked."""
        if not error.is_of_one_host:
            raise error
        course.shut.append(error)
        if len(course.shut) >= len(request.hosts):
            has_others = not set(self._settings.yahoo_hosts) <= set(request.hosts)
            raise nothing_open(course.shut, is_of_one_host=has_others) from error
        course.turn += 1

    def _go_on(self, request: Request[T], course: Course, verdict: Verdict[T], host: str, generation: int) -> None:
        """Prepare the next try after one that failed, or raise where there is none."""
        what_came = f"{request.label}: {host} gave {verdict.detail}"
        if verdict.outcome == "throttled":
            course.throttles += 1
            if course.throttles >= MOST_THROTTLES:
                raise ThrottledError(f"{what_came}, {course.throttles} times in a row")
        elif verdict.outcome == "unauthorized":
            if course.is_renewed or getattr(self._thread, "is_renewing", False):
                raise UnauthorizedError(f"{what_came}, to a new session too", verdict.detail)
            course.is_renewed = True
            self._renew(generation)
        else:
            assert verdict.outcome in HOST_FAULTS, verdict.outcome
            course.faults += 1
            if request.seconds_left() <= 0:
                raise DeadlineError(f"{what_came}, and the deadline is over")
            if course.faults > self._settings.yf_max_retries:
                raise TransientProviderError(f"{what_came}, the last of {course.sent} tries; ask again later")
            course.turn += 1
            self._wait(self._pacer().retry_wait(course.faults), request, what_came)

    def _wait(self, seconds: float, request: Request[T], what_came: str) -> None:
        if request.deadline is not None and seconds >= request.seconds_left():
            raise DeadlineError(f"{what_came}, and no time is left for another try")
        self._sleep(seconds)

    def _renew(self, generation: int) -> None:
        """Begin a new session, unless another thread has done so since the request was sent."""
        with self._renewal:
            if generation != self._sessions.generation:
                return
            self._sessions.renew(generation)
            if self.on_unauthorized is not None:
                self._thread.is_renewing = True
                try:
                    self.on_unauthorized()
                finally:
                    self._thread.is_renewing = False

    def _note(self, host: str) -> Note | None:
        try:
            answer, _ = self._sessions.exchange(f"{host}{_about.PATH}", host, seconds=_NOTE_SECONDS)
        except NoAnswerError as failure:
            raise TransientProviderError(f"{host} cannot be asked what market it is: {failure}") from failure
        return _about.read_note(answer)

    def _pacer(self) -> Pacer:
        if self._services.pacer is None:
            raise TransientProviderError(f"{self._provider} cannot be asked without a database that keeps the pace")
        return self._services.pacer
