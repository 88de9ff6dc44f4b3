"""The pace of all processes on one database: who may send a request, and when nobody may.

Belongs here: waiting for leave to send, reporting what became of it, and what a schedule and a person ask of the
circuits. Does not belong here: the decisions (`providers/pacing/gate.py`) and the rows (`pacing_rows.py`).

A request is let through in one short transaction that holds the family's lock: circuits, cool-down, places, bucket. If
it must wait, it waits outside any transaction and asks again; so what let it through held when it was sent, not when it
began to wait, and a process that dies while it waits has taken nothing.
"""

import random
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bist_pipeline.core.errors import DeadlineError
from bist_pipeline.pipeline import pacing_rows as rows
from bist_pipeline.providers.pacing import breaker, gate
from bist_pipeline.providers.pacing.backoff import retry_seconds
from bist_pipeline.providers.pacing.breaker import Circuit
from bist_pipeline.providers.pacing.bucket import Bucket
from bist_pipeline.providers.pacing.contract import Ask, Lease, Pacer, Reply
from bist_pipeline.settings import Settings
from bist_pipeline.storage.database import Database

# A circuit that opens, or a person who closes one, is noticed within this time by those who wait.
_LONGEST_NAP_SECONDS = 1.0

KEEP_REQUESTS_DAYS = 90

# A schedule waits for a shorter cool-down inside its run, and skips its tick for a longer one.
_WORTH_WAITING = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class CircuitState:
    """A circuit that lets nothing through.

    Attributes:
        circuit: Family, or family and host.
        until: When it is worth trying again, UTC.
        text: One line for people: "circuit open until …".
    """

    circuit: str
    until: datetime
    text: str


class PostgresPacer(Pacer):
    """Keeps the pace through tables that all processes share. Its methods may be called by several threads at once.

    Attributes:
        deadline: `time.monotonic()` by which every request must have been sent that states no deadline of its own.

    Args:
        database: Where the tables are.
        settings: Rate, places, base of the waits.
        run_id: Who asks; noted with each request.
        sleep: How to wait, seconds.
        lease_seconds: After so long a request counts as abandoned, its process as killed.
        probe_seconds: The same for the probe of a circuit.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        run_id: str,
        sleep: Callable[[float], None] = time.sleep,
        *,
        lease_seconds: float = rows.LEASE_SECONDS,
        probe_seconds: float = breaker.PROBE_SECONDS,
    ) -> None:
        self._database = database
        self._run_id = run_id
        self._sleep = sleep
        self._lease_seconds = lease_seconds
        self._chance = random.Random()
        self.deadline: float | None = None
        self._rules = gate.Rules(
            Bucket.of_rate(settings.yahoo_requests_per_second),
            settings.collector_max_workers,
            settings.yf_backoff_base_seconds,
            probe_seconds,
        )

    def acquire(self, ask: Ask, deadline: float | None = None) -> Lease:
        """Wait until the request may be sent.

        Args:
            ask: The request.
            deadline: `time.monotonic()` by which it must have been sent; None to wait as long as it takes.

        Raises:
            CircuitOpenError: The family's or the host's circuit is open. While a probe is on its way, its outcome is
                waited for.
            DeadlineError: The wait would end after the deadline; nothing was sent.
            StorageError: The database failed; nothing was sent.
        """
        began, key = time.monotonic(), uuid.uuid4().hex
        deadline = self.deadline if deadline is None else deadline
        _refuse_late(ask, 0.0, deadline)
        while wait := self._try(ask, key):
            _refuse_late(ask, wait, deadline)
            # Not all at the same moment: one of them gets through, the others would have asked in vain.
            self._sleep(min(wait, _LONGEST_NAP_SECONDS) + self._chance.uniform(0.0, 0.01))
        return Lease(key, time.monotonic() - began)

    def _try(self, ask: Ask, key: str) -> float:
        """Take a lease and return 0, or return how long to wait before the next try."""
        with self._database.statements(f"asking for leave to request from {ask.host}") as statements:
            before, _ = rows.read_traffic(statements, ask)
            wait, after = gate.admit(before, self._rules)
            if not wait:
                rows.write_lease(statements, key, before, after, seconds=self._lease_seconds)
        return wait

    def release(self, lease: Lease, ask: Ask, reply: Reply) -> None:
        """Tell what became of it: one transaction frees the place, notes the request and moves cool-down and circuits.

        Raises:
            StorageError: The database failed; the place is freed when the lease expires.
        """
        with self._database.statements(f"noting a request to {ask.host}") as statements:
            before, taken_at = rows.read_traffic(statements, ask, lease.key)
            sent_at = taken_at or before.now - timedelta(seconds=reply.elapsed_seconds)
            rows.write_reply(statements, lease, ask, reply, requested_at=sent_at, run_id=self._run_id)
            rows.write_changes(statements, before, gate.settle(before, self._rules, reply, sent_at=sent_at))

    def retry_wait(self, attempt: int) -> float:
        """How long to wait before the next try of one request, seconds: exponential with full jitter, bounded."""
        return retry_seconds(attempt, self._rules.base_seconds, self._chance)


def _refuse_late(ask: Ask, wait: float, deadline: float | None) -> None:
    left = deadline - time.monotonic() if deadline is not None else wait
    if wait > left:
        what = f"{ask.route} {ask.symbol}".rstrip()
        raise DeadlineError(
            f"{ask.provider}: no time left to ask {ask.host} for {what}: "
            f"the next try is in {wait:.2f} s, {max(left, 0.0):.1f} s are left"
        )


def circuit_open(
    database: Database, family: str = "yahoo", now: datetime | None = None, *, hosts: Sequence[str] = ()
) -> CircuitState | None:
    """Tell why nothing may be asked of a family now, for a schedule that then skips its tick.

    Args:
        database: Where the circuits are.
        family: Whose circuit.
        now: The moment; the database's own by default. Circuits live in real time, not in an exchange's simulated one.
        hosts: Base URLs; where every one of them is open, nothing may be asked either.

    Returns:
        None where a request may be sent, and where the probe is due.
    """
    moment: datetime = now or database.rows("SELECT clock_timestamp()")[0][0]
    circuits = read_circuits(database)
    if state := _refusing(circuits.get(family), moment):
        return state
    cooling = database.rows("SELECT cooldown_until AS until FROM operations.pace WHERE family = :f", {"f": family})
    if cooling and cooling[0].until and cooling[0].until > moment + _WORTH_WAITING:
        return CircuitState(family, cooling[0].until, gate.cooling(family, cooling[0].until))
    of_hosts = [_refusing(circuits.get(rows.host_circuit(family, host)), moment) for host in hosts]
    closed = [state for state in of_hosts if state]
    return min(closed, key=lambda state: state.until) if closed and len(closed) == len(of_hosts) else None


def read_circuits(database: Database) -> dict[str, Circuit]:
    """Read every circuit there is, by name; one that never had a fault has no row."""
    with database.statements("reading the circuits") as statements:
        return {row["circuit"]: Circuit(**row) for row in statements.rows("SELECT * FROM operations.circuits")}


def _refusing(circuit: Circuit | None, now: datetime) -> CircuitState | None:
    until = breaker.refused_until(circuit, now) if circuit else None
    return CircuitState(circuit.circuit, until, gate.told(circuit, now)) if circuit and until else None


def close_circuits(database: Database) -> int:
    """Close every circuit and end every cool-down, for a person who knows better; return how many were not closed."""
    with database.statements("closing the circuits") as statements:
        # Its lock first, as everybody does who changes a circuit.
        statements.run("UPDATE operations.pace SET cooldown_until = NULL, throttles = 0, next_at = clock_timestamp()")
        gone = statements.rows("WITH gone AS (DELETE FROM operations.circuits RETURNING state) SELECT state FROM gone")
    return sum(row["state"] != "closed" for row in gone)


def prune_requests(database: Database, keep_days: int = KEEP_REQUESTS_DAYS) -> int:
    """Forget requests older than so many days; return how many."""
    with database.statements("pruning operations.requests") as statements:
        return statements.run(
            "DELETE FROM operations.requests WHERE requested_at < clock_timestamp() - make_interval(days => :days)",
            {"days": keep_days},
        )
