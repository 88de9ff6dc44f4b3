"""The token bucket, the cool-down and the waits, without a database."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bist_pipeline.providers.pacing.backoff import cooldown_seconds, retry_seconds
from bist_pipeline.providers.pacing.bucket import BURST, Bucket

START = datetime(2026, 8, 7, 7, 0, tzinfo=UTC)
RATES = st.floats(0.01, 10)
# When each request is asked for, after the one before; some at the same moment, some after a long pause.
GAPS = st.lists(st.one_of(st.just(0.0), st.floats(0, 0.2), st.floats(0, 30)), min_size=1, max_size=80)


def sent_times(bucket: Bucket, asked: list[datetime]) -> list[datetime]:
    """Send as a pacer does: ask, wait until the told moment, ask again, and only then take the place."""
    next_at, clock, sent = START, START, []
    for at in asked:
        clock = max(clock, at)
        send_at, _ = bucket.reserve(clock, next_at)
        clock = max(clock, send_at)
        again, next_at = bucket.reserve(clock, next_at)
        assert again == clock, "the told moment must be good for sending"
        sent.append(clock)
    return sent


def moments(gaps: list[float]) -> list[datetime]:
    total, out = START, []
    for gap in gaps:
        total += timedelta(seconds=gap)
        out.append(total)
    return out


@given(rate=RATES, gaps=GAPS, burst=st.integers(1, 6))
def test_no_window_ever_holds_more_than_the_burst_and_the_rate_allow(rate, gaps, burst):
    sent = sent_times(Bucket.of_rate(rate, burst=burst), moments(gaps))
    for first in range(len(sent)):
        for last in range(first, len(sent)):
            window = (sent[last] - sent[first]).total_seconds()
            assert last - first + 1 <= burst + rate * window + 1e-6


@given(rate=RATES, gaps=GAPS)
def test_a_request_never_waits_longer_than_the_rate_asks_for(rate, gaps):
    """Held back from its predecessors' last by one spacing at most: the bucket is no slower than it says."""
    asked = moments(gaps)
    bucket = Bucket.of_rate(rate)
    sent = sent_times(bucket, asked)
    for n, at in enumerate(sent[1:], start=1):
        assert at <= max(asked[n], sent[n - 1] + bucket.spacing)


def test_after_a_pause_the_burst_goes_at_once_and_the_next_one_waits_for_the_rate():
    sent = sent_times(Bucket.of_rate(2.0), [START] * (BURST + 2))
    assert [(at - START).total_seconds() for at in sent] == [0, 0, 0, 0, 0.5, 1.0]


def test_after_a_cool_down_requests_come_back_evenly_without_a_burst():
    bucket = Bucket.of_rate(2.0)
    next_at, times = bucket.resume(START), []
    clock = START
    for _ in range(3):
        clock, next_at = bucket.reserve(clock, next_at)
        times.append((clock - START).total_seconds())
    assert times == [0, 0.5, 1.0]


def test_no_rate_is_no_wait():
    bucket = Bucket.of_rate(0.0)
    assert bucket.reserve(START, START + timedelta(days=1)) == (START, START)
    assert bucket.resume(START) == START


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=400)])
def test_a_clock_that_was_set_back_costs_no_more_than_one_full_bucket(ahead):
    send_at, _ = Bucket.of_rate(1.0).reserve(START, START + ahead)
    assert send_at - START == timedelta(seconds=1)


@pytest.mark.parametrize(
    ("throttles", "retry_after", "seconds"),
    [
        (1, None, 2),
        (2, None, 2),
        (3, None, 4),
        (5, None, 8),
        (9, None, 32),
        (12, None, 64),
        (13, None, 120),
        (900, None, 120),
        (1, 0.0, 2),
        (1, 1.0, 2),
        (1, 60.0, 60),
        (13, 60.0, 120),
        (1, 1800.0, 1800),
        (1, 1e9, 7200),
        (1, -5.0, 2),
    ],
)
def test_the_cool_down_doubles_is_bounded_and_honours_what_the_provider_asks(throttles, retry_after, seconds):
    assert cooldown_seconds(throttles, 2.0, retry_after) == seconds


@given(attempt=st.integers(1, 2000), base=st.floats(0.001, 60), seed=st.integers(0, 99))
def test_a_wait_before_a_further_try_is_jittered_and_bounded(attempt, base, seed):
    wait = retry_seconds(attempt, base, random.Random(seed))
    assert 0 <= wait <= min(base * 2.0 ** min(attempt - 1, 40), 60 * base)


def test_waits_of_several_clients_differ():
    chance = random.Random(1)
    assert len({retry_seconds(3, 2.0, chance) for _ in range(20)}) == 20


def test_the_ten_that_open_the_circuit_come_inside_the_deadline_of_a_refresh():
    assert sum(cooldown_seconds(number, 2.0) for number in range(1, 10)) == 92
