"""One request on its way through its tries.

Belongs here: what is asked, and how far it has come. Does not belong here: deciding what comes next (`_client.py`).
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from bist_pipeline.core.errors import CircuitOpenError
from bist_pipeline.providers.yahoo._session import TOTAL_SECONDS, Answer

T = TypeVar("T")
# A function is called anew for each try: a renewed crumb then reaches the next one.
Params = Mapping[str, str] | Callable[[], Mapping[str, str]]

_SECRET_ROUTES = frozenset({"cookie", "crumb"})


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """What the client was asked for; the attributes are the arguments of `YahooClient.send`."""

    route: str
    path: str
    params: Params
    read: Callable[[Answer], T]
    symbol: str
    deadline: float | None
    body: Mapping[str, Any] | None
    hosts: tuple[str, ...]
    accept: Collection[int]

    @property
    def label(self) -> str:
        """Names it in messages."""
        return f"{self.symbol}: {self.route}" if self.symbol else self.route

    @property
    def is_secret(self) -> bool:
        """Whether nothing of the answer may be shown or stored."""
        return self.route in _SECRET_ROUTES

    def url(self, host: str) -> str:
        """Return the whole address at one host, with the parameters of this moment."""
        params = self.params() if callable(self.params) else self.params
        return f"{host}{self.path}?{urlencode(params, safe=',')}" if params else f"{host}{self.path}"

    def seconds_left(self) -> float:
        """Return the time up to the deadline; that of one try where there is none."""
        return TOTAL_SECONDS if self.deadline is None else self.deadline - time.monotonic()

    def timeout_seconds(self) -> float:
        """Return how long the next try may take.

        Leave may have come with hardly any time left, and to the HTTP library a timeout of zero means none at all.
        """
        return min(TOTAL_SECONDS, max(self.seconds_left(), 0.1))


@dataclass(slots=True)
class Course:
    """How far the tries of one request have come.

    Attributes:
        turn: Whose turn it is, counted through the hosts.
        sent: How many were sent.
        faults: How many of them failed by a fault of a host.
        throttles: How many were answered 429.
        shut: The open circuits of the hosts whose turn it was since the last try.
        is_renewed: Whether a new session was begun for it.
    """

    turn: int = 0
    sent: int = 0
    faults: int = 0
    throttles: int = 0
    shut: list[CircuitOpenError] = field(default_factory=list)
    is_renewed: bool = False
