"""What was asked of the exchange and what it did.

Belongs here: one record per request, in memory and as a line of JSON in a file. Safe to write from many threads.
"""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

from bist_pipeline.simulator.errors import SimulatorError


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request.

    Attributes:
        moment: The exchange's time.
        route: chart, quote, spark, screener, crumb, cookie or other.
        path: Path and query as asked.
        status: HTTP status sent, 0 where the connection was reset instead.
        fault: Which fault it met, empty where none.
        bytes: Size of the body that was sent.
    """

    moment: datetime
    route: str
    path: str
    status: int
    fault: str
    bytes: int


class RequestLog:
    """All requests so far.

    Args:
        path: File to append a line per request to, if any.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._lock = Lock()
        self._requests: list[LoggedRequest] = []
        try:
            self._file = path.open("a", encoding="utf-8", buffering=1) if path else None
        except OSError as error:
            raise SimulatorError(f"the request log {path} cannot be written: {error.strerror}") from error

    def add(self, request: LoggedRequest) -> None:
        """Keep one request."""
        with self._lock:
            self._requests.append(request)
            if self._file:
                line = asdict(request) | {"moment": request.moment.isoformat()}
                self._file.write(json.dumps(line) + "\n")

    def all(self) -> list[LoggedRequest]:
        """Return the requests so far, in the order in which they were answered."""
        with self._lock:
            return list(self._requests)

    def counts(self) -> dict[str, Any]:
        """Return how many there were, in all and by route, status and fault."""
        requests = self.all()
        by_fault = Counter(request.fault for request in requests if request.fault)
        return {
            "total": len(requests),
            "bytes": sum(request.bytes for request in requests),
            "by_route": dict(Counter(request.route for request in requests)),
            "by_status": {str(status): n for status, n in Counter(r.status for r in requests).items()},
            "by_fault": dict(by_fault),
        }

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()
