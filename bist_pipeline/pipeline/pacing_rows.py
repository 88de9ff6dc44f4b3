"""The rows behind the pace: reading a family's traffic under its lock, and writing what has changed.

Belongs here: the SQL of `operations.pace`, `leases`, `circuits` and `requests`. Does not belong here: decisions
(`providers/pacing/gate.py`), and waiting (`pacing.py`).

Whoever reads here holds the row lock of the family's pace until its transaction ends, a millisecond: one lock for all
of these tables, so nobody can wait for somebody who waits for him. All moments are the server's: one clock for all.
"""

from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from bist_pipeline.providers.pacing.breaker import Circuit
from bist_pipeline.providers.pacing.contract import Ask, Lease, Reply
from bist_pipeline.providers.pacing.gate import Traffic
from bist_pipeline.storage.database import Statements

LEASE_SECONDS = 60.0  # more than any request may take; a killed process frees its place after it

_DETAIL_LENGTH = 300

# A crash of the whole server may forget the last half second of this; waiting for the disk twice per request would cost
# more than the requests on loopback do.
_LOCK = """
SELECT next_at, cooldown_until, throttles, set_config('synchronous_commit', 'off', true)
FROM operations.pace WHERE family = :family FOR UPDATE"""
_FIRST = """
INSERT INTO operations.pace (family, next_at, cooldown_until, throttles)
VALUES (:family, clock_timestamp(), NULL, 0) ON CONFLICT DO NOTHING"""

# Asked after the lock is held: a moment, or a circuit, read while waiting for it would be an old one.
_LOOK = """
SELECT clock_timestamp() AS now,
    (SELECT count(*) FROM operations.leases WHERE family = :family AND expires_at > clock_timestamp()) AS sending,
    (SELECT taken_at FROM operations.leases WHERE lease_key = :lease_key) AS taken_at,
    circuits.*
FROM (VALUES (:family), (:host)) AS wanted (name) LEFT JOIN operations.circuits ON circuit = name"""

_TAKE = """
WITH gone AS (DELETE FROM operations.leases WHERE family = :family AND expires_at <= :now),
taken AS (
    INSERT INTO operations.leases (lease_key, family, taken_at, expires_at)
    VALUES (:lease_key, :family, :now, :expires_at)
)
UPDATE operations.pace SET next_at = :next_at WHERE family = :family"""

_PACE = """
UPDATE operations.pace SET next_at = :next_at, cooldown_until = :cooldown_until, throttles = :throttles
WHERE family = :family"""

_COLUMNS = tuple(field.name for field in fields(Circuit))
_CIRCUIT = f"""
INSERT INTO operations.circuits ({", ".join(_COLUMNS)}) VALUES ({", ".join(f":{name}" for name in _COLUMNS)})
ON CONFLICT (circuit) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[1:])}"""

_GIVE_BACK = """
WITH freed AS (DELETE FROM operations.leases WHERE lease_key = :lease_key)
INSERT INTO operations.requests (
    request_key, requested_at, family, host, provider, route, symbol, attempt, outcome, status, bytes, waited_seconds,
    elapsed_seconds, detail, run_id
) VALUES (
    :lease_key, :requested_at, :family, :host, :provider, :route, :symbol, :attempt, :outcome, :status, :bytes, :waited,
    :elapsed, :detail, :run_id
)"""


def host_circuit(family: str, host: str) -> str:
    """Name of a host's circuit."""
    return f"{family} {host}"


def read_traffic(statements: Statements, ask: Ask, lease_key: str = "") -> tuple[Traffic, datetime | None]:
    """Lock the family and read its traffic; with it, when the lease was taken, None where it is unknown or expired."""
    family, host = ask.family, host_circuit(ask.family, ask.host)
    locked = statements.rows(_LOCK, {"family": family})
    if not locked:
        statements.run(_FIRST, {"family": family})
        locked = statements.rows(_LOCK, {"family": family})
    pace = locked[0]
    rows = statements.rows(_LOOK, {"family": family, "host": host, "lease_key": lease_key})
    circuits = {row["circuit"]: Circuit(**{name: row[name] for name in _COLUMNS}) for row in rows if row["circuit"]}
    traffic = Traffic(
        now=rows[0]["now"],
        next_at=pace["next_at"],
        cooldown_until=pace["cooldown_until"],
        throttles=pace["throttles"],
        sending=rows[0]["sending"],
        family=circuits.get(family, Circuit(family)),
        host=circuits.get(host, Circuit(host)),
    )
    return traffic, rows[0]["taken_at"]


def write_lease(statements: Statements, lease_key: str, before: Traffic, after: Traffic, *, seconds: float) -> None:
    """Note a request that is about to be sent; forget those whose process has died."""
    parameters = {
        "family": after.family.circuit,
        "lease_key": lease_key,
        "now": after.now,
        "expires_at": after.now + timedelta(seconds=seconds),
        "next_at": after.next_at,
    }
    statements.run(_TAKE, parameters)
    _write_circuits(statements, before, after)


def write_reply(
    statements: Statements, lease: Lease, ask: Ask, reply: Reply, *, requested_at: datetime, run_id: str
) -> None:
    """Give the lease back and note what became of the request."""
    parameters: dict[str, Any] = {
        "lease_key": lease.key,
        "requested_at": requested_at,
        "family": ask.family,
        "host": ask.host,
        "provider": ask.provider,
        "route": ask.route,
        "symbol": ask.symbol,
        "attempt": ask.attempt,
        "outcome": reply.outcome,
        "status": reply.status,
        "bytes": reply.bytes,
        "waited": lease.waited_seconds,
        "elapsed": reply.elapsed_seconds,
        "detail": storable(reply.detail),
        "run_id": run_id,
    }
    statements.run(_GIVE_BACK, parameters)


def write_changes(statements: Statements, before: Traffic, after: Traffic) -> None:
    """Write what an outcome changed; after a good answer in quiet times that is nothing."""
    pace = {name: getattr(after, name) for name in ("next_at", "cooldown_until", "throttles")}
    if pace != {name: getattr(before, name) for name in pace}:
        statements.run(_PACE, {"family": after.family.circuit, **pace})
    _write_circuits(statements, before, after)


def _write_circuits(statements: Statements, before: Traffic, after: Traffic) -> None:
    for old, new in ((before.family, after.family), (before.host, after.host)):
        if new != old:
            statements.run(_CIRCUIT, {name: getattr(new, name) for name in _COLUMNS})


def storable(detail: str) -> str:
    """One line that PostgreSQL takes: bodies begin with whatever they like, NUL and lone surrogates included."""
    words = " ".join(detail.encode("utf-8", "replace").decode("utf-8").split())
    return "".join(mark for mark in words if mark.isprintable())[:_DETAIL_LENGTH]
