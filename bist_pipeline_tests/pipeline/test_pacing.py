"""The pace on a real PostgreSQL: what several pacers, threads and processes may send together."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from bist_pipeline.core.errors import CircuitOpenError, DatabaseUnavailableError, DeadlineError
from bist_pipeline.pipeline.pacing import PostgresPacer, circuit_open, close_circuits, prune_requests, read_circuits
from bist_pipeline.providers.pacing.contract import Ask, Reply
from bist_pipeline.settings import Settings, load_settings
from bist_pipeline.storage.database import Database
from bist_pipeline.storage.url import DatabaseUrl

HOST, OTHER = "http://127.0.0.1:9001", "http://127.0.0.1:9002"
ASK = Ask("yahoo", HOST, "yahoo_chart", "chart", "THYAO")
GOOD, THROTTLED = Reply("answered", 200, 1000, 0.01), Reply("throttled", 429, 17, 0.01, detail="Too Many Requests")

# Sends so many requests with four threads through the commands' own path, and says when each began.
HAMMER = """
import random, sys, time
from concurrent.futures import ThreadPoolExecutor
from bist_pipeline.pipeline.context import open_database
from bist_pipeline.pipeline.pacing import PostgresPacer
from bist_pipeline.providers.pacing.contract import Ask, Reply
from bist_pipeline.settings import load_settings
# Twice what a person may set: the test is over sooner.
settings = load_settings().model_copy(update={"yahoo_requests_per_second": float(sys.argv[3])})
chance = random.Random(int(sys.argv[2]))
ask = Ask("yahoo", settings.yahoo_hosts[0], "yahoo_chart", "chart")
def send(pacer, seconds):
    lease = pacer.acquire(ask)
    began = time.perf_counter()
    time.sleep(seconds)
    pacer.release(lease, ask, Reply("answered", 200, 10, time.perf_counter() - began))
with open_database(settings) as database, ThreadPoolExecutor(4) as threads:
    pacer = PostgresPacer(database, settings, run_id=sys.argv[2])
    print("ready", flush=True)
    sys.stdin.readline()
    for done in [threads.submit(send, pacer, chance.uniform(0.02, 0.25)) for _ in range(int(sys.argv[1]))]:
        done.result()
"""
# Takes a lease and never gives it back.
HOLDER = """
import sys, time
from bist_pipeline.pipeline.context import open_database
from bist_pipeline.pipeline.pacing import PostgresPacer
from bist_pipeline.providers.pacing.contract import Ask
from bist_pipeline.settings import load_settings
settings = load_settings()
with open_database(settings) as database:
    seconds = float(sys.argv[1])
    pacer = PostgresPacer(database, settings, "holder", lease_seconds=seconds, probe_seconds=seconds)
    pacer.acquire(Ask("yahoo", settings.yahoo_hosts[0], "yahoo_chart", "chart"))
    print("taken", flush=True)
    time.sleep(600)
"""


def paced(settings: Settings, **changes) -> Settings:
    """The same database, with hosts on loopback and another pace."""
    assert settings.bist_database_url is not None
    values = {"yahoo_hosts": f"{HOST},{OTHER}", "yahoo_requests_per_second": 0.0, "yf_backoff_base_seconds": 0.05}
    return load_settings(
        bist_home=settings.bist_home,
        bist_database_url=settings.bist_database_url.get_secret_value(),
        **{**values, **changes},
    )


@pytest.fixture
def make(database: Database, settings: Settings) -> Callable[..., PostgresPacer]:
    """Makes pacers on one database, as several runs would."""

    def build(*, run_id: str = "run", lease_seconds: float = 60.0, probe_seconds: float = 30.0, **changes):
        limits = {"lease_seconds": lease_seconds, "probe_seconds": probe_seconds}
        return PostgresPacer(database, paced(settings, **changes), run_id, **limits)

    return build


def spawn(script: str, settings: Settings, *arguments: str) -> subprocess.Popen[str]:
    assert settings.bist_database_url is not None
    environment = {
        **os.environ,
        "BIST_HOME": str(settings.bist_home),
        "BIST_DATABASE_URL": settings.bist_database_url.get_secret_value(),
        "YAHOO_HOSTS": ",".join(settings.yahoo_hosts),
        "YAHOO_REQUESTS_PER_SECOND": str(settings.yahoo_requests_per_second),
        "YF_BACKOFF_BASE_SECONDS": str(settings.yf_backoff_base_seconds),
    }
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", script, *arguments], env=environment, text=True, **pipes)


def send(pacer: PostgresPacer, reply: Reply = GOOD, ask: Ask = ASK) -> float:
    """Send one request; return how long it was made to wait."""
    lease = pacer.acquire(ask)
    pacer.release(lease, ask, reply)
    return lease.waited_seconds


def requests(database: Database) -> list[dict]:
    with database.statements("reading what was sent") as statements:
        return statements.rows("SELECT * FROM operations.requests ORDER BY requested_at")


def until_open(database: Database, pacer: PostgresPacer, reply: Reply = THROTTLED) -> CircuitOpenError:
    """Have every request fail the same way until the circuit opens; the cool-downs between them are passed over."""
    for _ in range(30):
        try:
            send(pacer, reply)
            end_cool_down(database)
        except CircuitOpenError as error:
            return error
    raise AssertionError("the circuit never opened")


def end_cool_down(database: Database) -> None:
    with database.statements("ending the cool-down") as statements:
        statements.run("UPDATE operations.pace SET cooldown_until = NULL")


def expire_circuit(database: Database) -> None:
    """Let the time pass for which every circuit is open."""
    with database.statements("moving the circuits") as statements:
        statements.run("UPDATE operations.circuits SET open_until = clock_timestamp()")
    end_cool_down(database)


def hammer(settings: Settings, database: Database, count: int, rate: float) -> tuple[list[float], int]:
    """Let two processes of four threads send so many requests each.

    Returns:
        When each was sent, and how many were on their way at once.
    """
    told = paced(settings)
    with (
        spawn(HAMMER, told, str(count), "1", str(rate)) as first,
        spawn(HAMMER, told, str(count), "2", str(rate)) as other,
    ):
        for child in (first, other):
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        for child in (first, other):
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        assert (first.wait(60), other.wait(60)) == (0, 0)
    rows = requests(database)
    assert [row["run_id"] for row in rows].count("1") == count
    assert len(rows) == 2 * count
    sent = [row["requested_at"].timestamp() for row in rows]
    ends = [at + row["elapsed_seconds"] for at, row in zip(sent, rows, strict=True)]
    return sent, max(sum(begun <= at for begun in sent) - sum(ended < at for ended in ends) for at in sent)


def test_two_processes_of_four_threads_never_exceed_the_pace_in_any_window(database, settings):
    rate = 20.0
    sent, at_once = hammer(settings, database, 30, rate)
    excess = max(
        last - first + 1 - (4 + rate * (sent[last] - sent[first]))
        for first in range(len(sent))
        for last in range(first, len(sent))
    )
    seconds = sent[-1] - sent[0]
    sys.stdout.write(
        f"\n{len(sent)} requests in {seconds:.2f} s = {len(sent) / seconds:.1f}/s at a pace of {rate:g}/s, "
        f"excess over burst + rate·t {excess:.3f}, at most {at_once} at once\n"
    )
    assert excess <= 1e-3
    assert at_once <= 4


def test_two_processes_of_four_threads_without_a_pace_send_four_at_once_and_never_more(database, settings):
    sent, at_once = hammer(settings, database, 20, 0.0)
    sys.stdout.write(f"\n{len(sent)} requests in {sent[-1] - sent[0]:.2f} s, at most {at_once} at once\n")
    assert at_once == 4


def test_a_request_that_finds_every_place_taken_waits_for_one(make):
    pacer = make(collector_max_workers=2)
    first, _ = pacer.acquire(ASK), pacer.acquire(ASK)
    with pytest.raises(DeadlineError, match=r"yahoo_chart: no time left to ask .* for chart THYAO"):
        pacer.acquire(ASK, deadline=time.monotonic() + 0.1)
    timer = threading.Timer(0.2, pacer.release, (first, ASK, GOOD))
    timer.start()
    assert 0.1 < pacer.acquire(ASK).waited_seconds < 2
    timer.join()


def test_a_deadline_before_the_next_slot_refuses_at_once_and_sends_nothing(make, database):
    pacer = make(yahoo_requests_per_second=0.1)
    for _ in range(4):
        send(pacer)
    began = time.monotonic()
    with pytest.raises(DeadlineError, match=r"the next try is in (9|10)\.\d\d s, 5\.0 s are left"):
        pacer.acquire(ASK, deadline=time.monotonic() + 5.0)
    assert time.monotonic() - began < 1
    assert len(requests(database)) == 4


def test_after_the_deadline_nothing_is_sent_even_where_the_way_is_free(make, database):
    with pytest.raises(DeadlineError, match=r"0\.0 s are left"):
        make().acquire(ASK, deadline=time.monotonic() - 0.01)
    assert database.rows("SELECT count(*) FROM operations.leases")[0][0] == 0


def test_an_answer_429_holds_back_another_process(database_url, settings, make):
    send(make(), Reply("throttled", 429, retry_after_seconds=0.5))
    other = Database(database_url)
    waited = send(PostgresPacer(other, paced(settings), "other"), ask=Ask("yahoo", OTHER, "yfinance", "history"))
    other.close()
    assert 0.4 < waited < 2


def test_after_a_cool_down_there_is_no_burst(make, database):
    pacer = make(yahoo_requests_per_second=10.0)
    send(pacer, THROTTLED)
    until = database.rows("SELECT cooldown_until FROM operations.pace")[0][0]
    for _ in range(3):
        send(pacer)
    after = [(row["requested_at"] - until).total_seconds() for row in requests(database)[1:]]
    assert [seconds >= n * 0.1 for n, seconds in enumerate(after)] == [True] * 3


def test_when_every_answer_is_429_four_threads_send_at_most_twenty_requests(make, database):
    pacer, errors = make(yf_backoff_base_seconds=0.005), []

    def ask_for_ever() -> None:
        try:
            while True:
                send(pacer, THROTTLED)
        except CircuitOpenError as error:
            errors.append(str(error))

    with ThreadPoolExecutor(4) as threads:
        for _ in range(4):
            threads.submit(ask_for_ever)
    count = len(requests(database))
    sys.stdout.write(f"\n{count} requests with every answer 429; then: {errors[0]}\n")
    assert 10 <= count <= 20
    assert len(errors) == 4
    assert all("answers 429 in a row from yahoo" in error for error in errors)


def test_a_circuit_stays_open_for_a_new_pacer_and_for_a_schedule(make, database):
    error = until_open(database, make())
    with pytest.raises(CircuitOpenError) as caught:
        make(run_id="next").acquire(ASK)
    assert caught.value.until == error.until
    state = circuit_open(database)
    assert state is not None
    assert state.text == str(error)
    assert state.until == error.until
    assert (error.until - requests(database)[-1]["requested_at"]).total_seconds() == pytest.approx(450 * 0.05, abs=2)
    assert circuit_open(database, now=error.until) is None


def test_when_the_time_is_over_one_probe_alone_is_let_through(make, database):
    until_open(database, make())
    expire_circuit(database)
    assert circuit_open(database) is None
    pacer, leases, late = make(run_id="probe"), [], []

    def attempt() -> None:
        try:
            leases.append(pacer.acquire(ASK, deadline=time.monotonic() + 0.5))
        except DeadlineError as error:
            late.append(error)

    with ThreadPoolExecutor(6) as threads:
        for _ in range(6):
            threads.submit(attempt)
    assert (len(leases), len(late)) == (1, 5)
    state = circuit_open(database)
    assert state is not None
    assert state.text.endswith("; one request is probing it now")
    pacer.release(leases[0], ASK, GOOD)
    assert circuit_open(database) is None
    assert send(pacer) < 1


@pytest.mark.parametrize("outcome", ["answered", "throttled"])
def test_whoever_waits_for_the_probe_does_as_it_tells(make, database, outcome):
    until_open(database, make())
    expire_circuit(database)
    probe = make().acquire(ASK)
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(send, make(run_id="waiting"))
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.2)
        make().release(probe, ASK, Reply(outcome))
        failure = waiting.exception(timeout=30)
    assert (type(failure) is CircuitOpenError) == (outcome == "throttled")
    assert [row["run_id"] for row in requests(database)].count("waiting") == (outcome == "answered")


def test_a_probe_that_is_throttled_opens_the_circuit_for_twice_as_long(make, database):
    until_open(database, make())
    expire_circuit(database)
    send(make(), THROTTLED)
    circuit = read_circuits(database)["yahoo"]
    assert (circuit.state, circuit.trips) == ("open", 2)
    assert circuit.open_until - circuit.opened_at == timedelta(seconds=900 * 0.05)


def test_an_outage_of_one_host_leaves_the_other_and_the_family_open_to_all(make, database):
    pacer = make()
    error = until_open(database, pacer, Reply("connection", detail="Connection refused"))
    assert f"8 faults in a row at {HOST}, the last: connection: Connection refused" in str(error)
    assert len(requests(database)) == 8
    assert circuit_open(database) is None
    assert circuit_open(database, hosts=(HOST, OTHER)) is None
    state = circuit_open(database, hosts=(HOST,))
    assert state is not None
    assert state.circuit == f"yahoo {HOST}"
    assert send(pacer, ask=Ask("yahoo", OTHER, "yahoo_chart", "chart")) < 1


def test_a_killed_holder_of_a_lease_frees_its_place_and_its_probe(make, database, settings):
    until_open(database, make())
    expire_circuit(database)
    with spawn(HOLDER, paced(settings), "2") as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "taken\n"
        holder.send_signal(signal.SIGKILL)
        assert holder.wait(timeout=30) == -signal.SIGKILL
    pacer = make(collector_max_workers=1)
    state = circuit_open(database)
    assert state is not None, "the dead probe is still waited for"
    send(pacer)
    assert requests(database)[-1]["requested_at"] >= state.until
    assert circuit_open(database) is None


def test_an_answer_after_its_lease_expired_is_noted_all_the_same(make, database):
    slow = make(lease_seconds=0.05, collector_max_workers=1)
    lease = slow.acquire(ASK)
    send(make(collector_max_workers=1))
    slow.release(lease, ASK, Reply("answered", 200, 5, elapsed_seconds=0.2))
    assert len(requests(database)) == 2
    assert database.rows("SELECT count(*) FROM operations.leases")[0][0] == 0


def test_every_request_is_noted_with_what_became_of_it(make, database):
    pacer = make(run_id="noted")
    ask = Ask("yahoo", HOST, "yahoo_quote", "quote", "", attempt=3)
    lease = pacer.acquire(ask)
    pacer.release(lease, ask, Reply("bad_body", 200, 77, 0.25, detail="<html>\x00 \udcff\n  <b>sorry</b>" + "x" * 500))
    row = requests(database)[0]
    assert row.pop("requested_at") is not None
    assert row.pop("waited_seconds") == lease.waited_seconds
    detail = row.pop("detail")
    assert detail.startswith("<html> ? <b>sorry</b>xxx")
    assert len(detail) == 300
    assert row == {
        **{"request_key": lease.key, "family": "yahoo", "host": HOST, "provider": "yahoo_quote", "route": "quote"},
        **{"symbol": "", "attempt": 3, "outcome": "bad_body", "status": 200, "bytes": 77, "elapsed_seconds": 0.25},
        "run_id": "noted",
    }


def test_a_person_can_close_every_circuit(make, database):
    pacer = make()
    until_open(database, pacer)
    assert close_circuits(database) == 1
    assert circuit_open(database) is None
    assert send(pacer) < 0.5
    assert close_circuits(database) == 0


def test_old_requests_are_forgotten_and_recent_ones_kept(make, database):
    pacer = make()
    send(pacer)
    send(pacer)
    with database.statements("ageing one") as statements:
        statements.run(
            """UPDATE operations.requests SET requested_at = requested_at - interval '91 days'
            WHERE request_key = (SELECT min(request_key) FROM operations.requests)"""
        )
    assert prune_requests(database) == 1
    assert len(requests(database)) == 1


def test_a_database_that_is_down_is_a_storage_error(settings):
    nowhere = Database(DatabaseUrl.parse("postgresql://postgres@127.0.0.1:1/bist"))
    with pytest.raises(DatabaseUnavailableError, match="asking for leave to request from"):
        PostgresPacer(nowhere, paced(settings), "run").acquire(ASK)
    nowhere.close()


def test_leave_and_report_together_cost_a_few_milliseconds(make):
    pacer = make()
    send(pacer)
    began = time.perf_counter()
    for _ in range(200):
        send(pacer)
    cost = (time.perf_counter() - began) / 200 * 1000
    sys.stdout.write(f"\nacquire and release together: {cost:.2f} ms\n")
    assert cost < 60, "ten times the measured cost: something waits that should not"
