"""What a network provider asks before every request, and tells after it.

Belongs here: the types between a client and whoever keeps the pace. The state is shared by all processes, so the one
that counts lives in PostgreSQL (`pipeline/pacing.py`); a client knows this protocol alone.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

# What became of a request. `answered` and `unknown` (the provider says: no such symbol) are good answers;
# `unauthorized` is cured by a new session; `refused` is our own fault (400, 422); the others are faults of the provider
# or of the way to it.
Outcome = Literal[
    "answered", "unknown", "refused", "unauthorized", "throttled", "server_error", "bad_body", "timeout", "connection"
]
GOOD: frozenset[Outcome] = frozenset({"answered", "unknown", "refused", "unauthorized"})
HOST_FAULTS: frozenset[Outcome] = frozenset({"server_error", "bad_body", "timeout", "connection"})


@dataclass(frozen=True, slots=True)
class Ask:
    """One request that somebody wants to send.

    Attributes:
        family: Whose limits it counts against: `yahoo` for every route to Yahoo.
        host: Base URL.
        provider: Registered name of the provider that asks.
        route: What is asked: chart, quote, cookie, crumb, spark, screener.
        symbol: The symbol, where it is about one alone.
        attempt: 1 for the first try of this request, 2 for the first retry.
    """

    family: str
    host: str
    provider: str
    route: str
    symbol: str = ""
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Lease:
    """Leave to send one request now.

    Attributes:
        key: Names it to the pacer.
        waited_seconds: How long the client was made to wait for it.
    """

    key: str
    waited_seconds: float


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a request.

    Attributes:
        outcome: See `Outcome`.
        status: HTTP status; 0 where none came.
        bytes: Length of the body.
        elapsed_seconds: From sending to the last byte or to giving up.
        retry_after_seconds: What the provider asked for; None where it did not.
        detail: One line for people: the start of a body, the name of a socket error.
    """

    outcome: Outcome
    status: int = 0
    bytes: int = 0
    elapsed_seconds: float = 0.0
    retry_after_seconds: float | None = None
    detail: str = ""


class Pacer(Protocol):
    """Keeps the pace of all processes on one database."""

    def acquire(self, ask: Ask, deadline: float | None = None) -> Lease:
        """Wait until the request may be sent.

        Args:
            ask: The request.
            deadline: `time.monotonic()` by which it must have been sent; None to wait as long as it takes.

        Raises:
            CircuitOpenError: The family's or the host's circuit is open, or another process is probing it.
            DeadlineError: The wait would end after the deadline; nothing was sent.
        """
        ...

    def release(self, lease: Lease, ask: Ask, reply: Reply) -> None:
        """Tell what became of it. Called exactly once per lease, whatever happened."""
        ...

    def retry_wait(self, attempt: int) -> float:
        """How long to wait before the next try of one request, seconds: exponential with full jitter, bounded."""
        ...
