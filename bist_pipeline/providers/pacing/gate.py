"""Whether a request may be sent now, and what its outcome changes: bucket, cool-down, places and circuits together.

Belongs here: the two decisions, as functions of what is known under the family's lock. Does not belong here: reading
and writing that (`pipeline/pacing_rows.py`), and waiting (`pipeline/pacing.py`).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bist_pipeline.core.errors import CircuitOpenError
from bist_pipeline.providers.pacing import breaker
from bist_pipeline.providers.pacing.backoff import LONGEST_WAIT, cooldown_seconds
from bist_pipeline.providers.pacing.breaker import Circuit, family_limits, host_limits
from bist_pipeline.providers.pacing.bucket import Bucket
from bist_pipeline.providers.pacing.contract import GOOD, HOST_FAULTS, Reply

_ISTANBUL = ZoneInfo("Europe/Istanbul")

# How often is looked whether a place has become free: other processes free them without telling.
_PLACE_SECONDS = 0.03


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for a family.

    Attributes:
        bucket: Its pace.
        places: How many requests may be on their way at once, all processes together.
        base_seconds: What cool-downs and circuits are multiples of.
        probe_seconds: A probe is taken for lost after it.
    """

    bucket: Bucket
    places: int
    base_seconds: float
    probe_seconds: float = breaker.PROBE_SECONDS


@dataclass(frozen=True, slots=True)
class Traffic:
    """What is known of a family, and of one host, at one moment.

    Attributes:
        now: That moment.
        next_at: Theoretical arrival time of the next request.
        cooldown_until: Nothing is sent before; None where there was never a cool-down.
        throttles: Answers with status 429 since the last good one.
        sending: Requests on their way.
        family: Circuit of the family: 429.
        host: Circuit of the host: outages.
    """

    now: datetime
    next_at: datetime
    cooldown_until: datetime | None
    throttles: int
    sending: int
    family: Circuit
    host: Circuit


def admit(traffic: Traffic, rules: Rules) -> tuple[float, Traffic]:
    """Decide on one request.

    Returns:
        0 and the traffic with this request on its way; or how long to wait before asking again, seconds, and the
        traffic as it was. Nothing is promised for then: whoever asks first is first.

    Raises:
        CircuitOpenError: One of the two circuits lets nothing through, and no probe is on its way.
    """
    now = traffic.now
    for circuit in (traffic.family, traffic.host):
        if until := breaker.refused_until(circuit, now):
            if circuit.state == "half_open":
                # The probe is on its way and tells in a moment: an ingest of four threads must not give up over it.
                return _PLACE_SECONDS, traffic
            raise CircuitOpenError(told(circuit, now), until, is_of_one_host=circuit is traffic.host)
    if traffic.cooldown_until and traffic.cooldown_until > now:
        seconds = (traffic.cooldown_until - now).total_seconds()
        if seconds > LONGEST_WAIT * rules.base_seconds:
            # Only a Retry-After asks for so long: whoever waits for it in here would be taken for hung.
            raise CircuitOpenError(cooling(traffic.family.circuit, traffic.cooldown_until), traffic.cooldown_until)
        return seconds, traffic
    if traffic.sending >= rules.places:
        return _PLACE_SECONDS, traffic
    send_at, next_at = rules.bucket.reserve(now, traffic.next_at)
    if send_at > now:
        return (send_at - now).total_seconds(), traffic
    return 0.0, replace(
        traffic,
        next_at=next_at,
        sending=traffic.sending + 1,
        family=breaker.admitted(traffic.family, now, probe_seconds=rules.probe_seconds),
        host=breaker.admitted(traffic.host, now, probe_seconds=rules.probe_seconds),
    )


def settle(traffic: Traffic, rules: Rules, reply: Reply, *, sent_at: datetime) -> Traffic:
    """Return what holds after a request has ended.

    A good answer clears both circuits. A 429 counts against the family alone: the host is there. A fault counts against
    the host alone, and neither clears nor raises the family's count.
    """
    if reply.outcome in GOOD:
        family = breaker.succeeded(traffic.family, sent_at=sent_at)
        return replace(traffic, throttles=0, family=family, host=breaker.succeeded(traffic.host, sent_at=sent_at))
    if reply.outcome in HOST_FAULTS:
        return _faulted(traffic, rules, reply, sent_at)
    return _throttled(traffic, rules, reply, sent_at)


def _faulted(traffic: Traffic, rules: Rules, reply: Reply, sent_at: datetime) -> Traffic:
    where = traffic.host.circuit.removeprefix(f"{traffic.family.circuit} ")
    host = breaker.failed(
        traffic.host,
        host_limits(rules.base_seconds),
        sent_at=sent_at,
        now=traffic.now,
        reason=f"faults in a row at {where}, the last: {_last(reply)}",
    )
    return replace(traffic, host=host, family=breaker.undecided(traffic.family, sent_at=sent_at))


def _throttled(traffic: Traffic, rules: Rules, reply: Reply, sent_at: datetime) -> Traffic:
    throttles = traffic.throttles + 1
    seconds = cooldown_seconds(throttles, rules.base_seconds, reply.retry_after_seconds)
    until = max(traffic.now + timedelta(seconds=seconds), traffic.cooldown_until or traffic.now)
    family = breaker.failed(
        traffic.family,
        family_limits(rules.base_seconds),
        sent_at=sent_at,
        now=traffic.now,
        reason=f"answers 429 in a row from {traffic.family.circuit}",
        not_before=until,
    )
    return replace(
        traffic,
        cooldown_until=until,
        # Whoever was told that it is too much does not come back with a burst.
        next_at=max(traffic.next_at, rules.bucket.resume(until)),
        throttles=throttles,
        family=family,
        host=breaker.succeeded(traffic.host, sent_at=sent_at),
    )


def told(circuit: Circuit, now: datetime) -> str:
    """Say in one line what a circuit lets through, for people in Istanbul."""
    until = breaker.refused_until(circuit, now)
    if until is None:
        return "closed" if circuit.state == "closed" else f"circuit lets one probe through, after {circuit.reason}"
    probing = "; one request is probing it now" if circuit.state == "half_open" else ""
    return f"circuit open until {clock_time(until)}: {circuit.reason}{probing}"


def cooling(family: str, until: datetime) -> str:
    """Say in one line until when a family is left alone."""
    return f"circuit open until {clock_time(until)}: {family} answered 429 and asked to be left alone"


def clock_time(moment: datetime) -> str:
    """Time of day where the reader is, and where that is."""
    return f"{moment.astimezone(_ISTANBUL):%H:%M:%S} (Istanbul)"


def _last(reply: Reply) -> str:
    kind = reply.outcome.replace("_", " ")
    status = f" {reply.status}" if reply.status else ""
    return f"{kind}{status}{': ' + reply.detail[:100] if reply.detail else ''}"
