"""The circuit breaker and the gate, as tables: a story of outcomes, and what is let through after it."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bist_pipeline.core.errors import CircuitOpenError
from bist_pipeline.providers.pacing import breaker, gate
from bist_pipeline.providers.pacing.breaker import Circuit, family_limits, host_limits, refused_until
from bist_pipeline.providers.pacing.bucket import Bucket
from bist_pipeline.providers.pacing.contract import GOOD, HOST_FAULTS, Reply
from bist_pipeline.providers.pacing.gate import Rules, Traffic

NOON = datetime(2026, 8, 7, 9, 0, tzinfo=UTC)
BASE = 2.0
HOST = "https://query2.example"
RULES = Rules(Bucket.of_rate(0), places=4, base_seconds=BASE)


def traffic(now: datetime = NOON, **changes) -> Traffic:
    quiet = Traffic(now, now, None, 0, 0, Circuit("yahoo"), Circuit(f"yahoo {HOST}"))
    return replace(quiet, **changes)


def later(state: Traffic, seconds: float) -> Traffic:
    return replace(state, now=state.now + timedelta(seconds=seconds))


def send(state: Traffic, outcome, **reply) -> Traffic:
    """Let one request through, and have it answered a tenth of a second later."""
    wait, sent = gate.admit(state, RULES)
    assert wait == 0
    after = gate.settle(later(sent, 0.1), RULES, Reply(outcome, **reply), sent_at=state.now)
    return replace(after, sending=state.sending)


def cooled(state: Traffic) -> Traffic:
    """Move on to the end of the cool-down."""
    return replace(state, now=max(state.now, state.cooldown_until or state.now))


def throttled(times: int, state: Traffic | None = None) -> Traffic:
    state = state or traffic()
    for _ in range(times):
        state = send(cooled(state), "throttled", status=429)
    return state


def faulted(times: int, state: Traffic | None = None) -> Traffic:
    state = state or traffic()
    for _ in range(times):
        state = send(state, "timeout")
    return state


def test_nine_answers_429_cool_down_and_the_tenth_opens_the_circuit():
    nine = throttled(9)
    assert (nine.family.state, nine.throttles) == ("closed", 9)
    ten = throttled(10)
    assert ten.family.state == "open"
    with pytest.raises(CircuitOpenError, match=r"circuit open until \d\d:\d\d:\d\d \(Istanbul\): 10 answers 429 in a"):
        gate.admit(cooled(ten), RULES)


def test_the_message_says_the_time_in_istanbul_and_the_error_says_it_in_utc():
    opened = Circuit("yahoo", "open", 10, 1, NOON, NOON + timedelta(minutes=15), None, "10 answers 429 in a row")
    with pytest.raises(CircuitOpenError) as caught:
        gate.admit(traffic(family=opened), RULES)
    assert str(caught.value) == "circuit open until 12:15:00 (Istanbul): 10 answers 429 in a row"
    assert caught.value.until == NOON + timedelta(minutes=15)


def test_an_open_circuit_lets_nothing_through_until_its_time_and_then_one_probe():
    opened = throttled(10)
    until = opened.family.open_until
    assert until - opened.now == timedelta(seconds=450 * BASE)
    with pytest.raises(CircuitOpenError):
        gate.admit(replace(opened, now=until - timedelta(seconds=1)), RULES)
    wait, probing = gate.admit(replace(opened, now=until), RULES)
    assert (wait, probing.family.state) == (0, "half_open")
    wait, same = gate.admit(later(probing, 1), RULES)
    assert 0 < wait < 1, "the others wait for what the probe tells"
    assert same == later(probing, 1)


def test_a_probe_that_never_comes_back_is_replaced_by_another():
    opened = throttled(10)
    _, probing = gate.admit(replace(opened, now=opened.family.open_until), RULES)
    assert gate.admit(later(probing, 29.9), RULES)[0] > 0
    wait, again = gate.admit(later(probing, 30), RULES)
    assert wait == 0
    assert again.family.probe_until == probing.family.probe_until + timedelta(seconds=30)


@pytest.mark.parametrize("outcome", sorted(GOOD))
def test_a_good_answer_to_the_probe_closes_the_circuit_and_clears_the_counts(outcome):
    opened = throttled(10)
    closed = send(replace(opened, now=opened.family.open_until), outcome)
    assert closed.family == Circuit("yahoo")
    assert closed.throttles == 0


def test_each_further_trip_lasts_twice_as_long_up_to_two_hours():
    state, seconds = throttled(10), []
    for _ in range(6):
        seconds.append((state.family.open_until - state.family.opened_at).total_seconds())
        state = send(cooled(replace(state, now=state.family.open_until)), "throttled", status=429)
    assert seconds == [900, 1800, 3600, 7200, 7200, 7200]


def test_a_long_retry_after_keeps_the_circuit_open_as_long():
    state = send(cooled(throttled(9)), "throttled", status=429, retry_after_seconds=3000.0)
    assert state.family.open_until - state.now == timedelta(seconds=3000)


def test_a_timeout_of_the_probe_speaks_neither_for_nor_against_the_family():
    opened = throttled(10)
    state = send(replace(opened, now=opened.family.open_until), "timeout")
    assert (state.family.state, state.family.trips, state.host.failures) == ("half_open", 1, 1)
    assert gate.admit(state, RULES)[0] == 0


def test_an_answer_that_was_sent_for_before_the_circuit_opened_changes_it_no_more():
    opened = throttled(10)
    before = opened.now - timedelta(seconds=5)
    for outcome in ("answered", "throttled", "timeout"):
        after = gate.settle(later(opened, 1), RULES, Reply(outcome), sent_at=before)
        assert after.family == opened.family


def test_after_a_good_answer_the_next_429_counts_from_one():
    state = send(cooled(throttled(9)), "answered")
    again = throttled(1, state)
    assert (again.throttles, again.family.failures) == (1, 1)
    assert again.cooldown_until - again.now == timedelta(seconds=BASE)


@pytest.mark.parametrize("outcome", sorted(HOST_FAULTS))
def test_eight_faults_in_a_row_open_the_host_and_not_the_family(outcome):
    state = traffic()
    for _ in range(8):
        state = send(state, outcome, status=503, detail="Service Unavailable")
    assert (state.host.state, state.family) == ("open", Circuit("yahoo"))
    assert state.host.open_until - state.now == timedelta(seconds=30 * BASE)
    with pytest.raises(CircuitOpenError, match=rf"8 faults in a row at {HOST}, the last: .* 503: Service Unavailable"):
        gate.admit(state, RULES)
    assert gate.admit(replace(state, host=Circuit("yahoo https://query1.example")), RULES)[0] == 0


def test_the_host_reopens_for_twice_as_long_up_to_fifteen_minutes():
    state, seconds = faulted(8), []
    for _ in range(6):
        seconds.append((state.host.open_until - state.host.opened_at).total_seconds())
        state = send(replace(state, now=state.host.open_until), "connection")
    assert seconds == [60, 120, 240, 480, 900, 900]


@pytest.mark.parametrize("outcome", ["answered", "throttled"])
def test_a_host_that_answers_at_all_is_no_outage(outcome):
    assert send(faulted(7), outcome).host == Circuit(f"yahoo {HOST}")


def test_timeouts_between_answers_429_do_not_hide_them():
    state = traffic()
    for _ in range(9):
        state = faulted(1, cooled(throttled(1, state)))
    assert throttled(1, state).family.state == "open"


def test_a_fault_rate_of_a_quarter_practically_never_opens_a_host():
    """Ten first loads of 600 symbols; expected are 0.07 trips."""
    chance = random.Random(20260807)
    circuit, limits, trips = Circuit("yahoo h"), host_limits(BASE), 0
    for n in range(6000):
        now = NOON + timedelta(seconds=n)
        if chance.random() < 0.25:
            circuit = breaker.failed(circuit, limits, sent_at=now, now=now, reason="faults")
        else:
            circuit = breaker.succeeded(circuit, sent_at=now)
        if circuit.state == "open":
            circuit, trips = Circuit("yahoo h"), trips + 1
    assert trips == 0


def test_a_cool_down_holds_everything_back_until_its_end():
    state = send(traffic(), "throttled", status=429, retry_after_seconds=30.0)
    wait, same = gate.admit(later(state, 10), RULES)
    assert (wait, same) == (20, later(state, 10))
    assert gate.admit(later(state, 30), RULES)[0] == 0


def test_a_later_429_never_shortens_a_cool_down():
    state = send(traffic(), "throttled", status=429, retry_after_seconds=100.0)
    again = gate.settle(later(state, 1), RULES, Reply("throttled", status=429), sent_at=state.now)
    assert again.cooldown_until == state.cooldown_until


def test_a_full_house_makes_the_next_one_wait():
    wait, _ = gate.admit(traffic(sending=4), RULES)
    assert 0 < wait < 1
    assert gate.admit(traffic(sending=3), RULES)[0] == 0


def test_a_request_that_waits_is_no_probe():
    opened = throttled(10)
    due = replace(opened, now=opened.family.open_until, sending=4)
    wait, same = gate.admit(due, RULES)
    assert wait > 0
    assert same.family.state == "open"


def test_limits_scale_with_the_base():
    assert (family_limits(2.0).open_seconds, family_limits(0.02).open_seconds) == (900, 9)
    assert refused_until(Circuit("yahoo"), NOON) is None


@pytest.mark.parametrize("which", ["family", "host"])
def test_whoever_is_refused_learns_whether_another_host_may_be_asked(which):
    opened = Circuit("a circuit", "open", opened_at=NOON, open_until=NOON + timedelta(minutes=1))
    with pytest.raises(CircuitOpenError) as caught:
        gate.admit(traffic(**{which: opened}), RULES)
    assert caught.value.is_of_one_host == (which == "host")
