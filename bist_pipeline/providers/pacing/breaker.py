"""The circuit breaker: closed lets all through, open nothing, half open one probe.

Belongs here: its transitions, as functions from one state to the next. Does not belong here: which outcome counts
against which circuit (`gate.py`), and where the states are kept.

An answer to a request that was sent before the circuit opened tells nothing about now: it changes nothing. So what
decides an open circuit is its probe alone.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from bist_pipeline.providers.pacing.backoff import doubled

State = Literal["closed", "open", "half_open"]

PROBE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Circuit:
    """One circuit breaker, as `operations.circuits` keeps it.

    Attributes:
        circuit: Its name: a family, or a family and a host.
        state: What it lets through.
        failures: Faults since the last good answer.
        trips: How often it opened since it was last closed.
        opened_at: When it last opened.
        open_until: From then on one probe is let through.
        probe_until: A probe is on its way; taken for lost from then on.
        reason: Why it opened, one line.
    """

    circuit: str
    state: State = "closed"
    failures: int = 0
    trips: int = 0
    opened_at: datetime | None = None
    open_until: datetime | None = None
    probe_until: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """When a circuit opens, and for how long.

    Attributes:
        faults: So many in a row open it.
        open_seconds: The first time; each further time twice as long.
        longest_seconds: But never longer.
    """

    faults: int
    open_seconds: float
    longest_seconds: float


def family_limits(base: float) -> Limits:
    """Limits for answers with status 429; at the default base of 2 s, 15 minutes to 2 hours."""
    return Limits(faults=10, open_seconds=450 * base, longest_seconds=3600 * base)


def host_limits(base: float) -> Limits:
    """Limits for outages of one host; at the default base of 2 s, one minute to 15.

    Eight in a row: where every fourth request fails by chance, that happens once in some 90,000 requests.
    """
    return Limits(faults=8, open_seconds=30 * base, longest_seconds=450 * base)


def refused_until(circuit: Circuit, now: datetime) -> datetime | None:
    """Until when nothing is let through; None where a request, or a probe, may be sent."""
    until = {"closed": None, "open": circuit.open_until, "half_open": circuit.probe_until}[circuit.state]
    return until if until is not None and until > now else None


def admitted(circuit: Circuit, now: datetime, *, probe_seconds: float = PROBE_SECONDS) -> Circuit:
    """Let a request through that `refused_until` does not refuse; where the circuit is not closed, it is the probe."""
    if circuit.state == "closed":
        return circuit
    return replace(circuit, state="half_open", probe_until=now + timedelta(seconds=probe_seconds))


def succeeded(circuit: Circuit, *, sent_at: datetime) -> Circuit:
    """Close the circuit, or leave it closed, after a good answer."""
    return circuit if _is_old(circuit, sent_at) else Circuit(circuit.circuit)


def undecided(circuit: Circuit, *, sent_at: datetime) -> Circuit:
    """Let the next request be the probe at once, after an outcome that speaks neither for nor against the circuit."""
    if circuit.state != "half_open" or _is_old(circuit, sent_at):
        return circuit
    return replace(circuit, probe_until=None)


def failed(
    circuit: Circuit,
    limits: Limits,
    *,
    sent_at: datetime,
    now: datetime,
    reason: str,
    not_before: datetime | None = None,
) -> Circuit:
    """Count a fault; open the circuit where it is one too many, open it again where it was the probe.

    Args:
        circuit: Its state.
        limits: When it opens, and for how long.
        sent_at: When the request was sent.
        now: When it failed.
        reason: Completes "8 …": what happened so often.
        not_before: It opens at least until then.
    """
    if _is_old(circuit, sent_at):
        return circuit
    failures = circuit.failures + 1
    if circuit.state == "closed" and failures < limits.faults:
        return replace(circuit, failures=failures)
    seconds = doubled(limits.open_seconds, circuit.trips, limits.longest_seconds)
    return Circuit(
        circuit.circuit,
        state="open",
        failures=failures,
        trips=circuit.trips + 1,
        opened_at=now,
        open_until=max(now + timedelta(seconds=seconds), not_before or now),
        reason=f"{failures} {reason}",
    )


def _is_old(circuit: Circuit, sent_at: datetime) -> bool:
    return circuit.state != "closed" and circuit.opened_at is not None and sent_at < circuit.opened_at
