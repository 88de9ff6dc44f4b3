"""The supervisor's parts that need no processes: restarts, sentences, logs, signals."""

import os
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bist_pipeline.operations.supervisor import spawn
from bist_pipeline.operations.supervisor.child import RestartPolicy
from bist_pipeline.operations.supervisor.events import Died, GaveUp, Ready, Restarted, Started, Stopped, describe_exit
from bist_pipeline.operations.supervisor.stop_request import StopRequest, stop_on_signals


def test_the_pause_doubles_from_half_a_second_to_ten():
    pauses = [RestartPolicy().delay_seconds(deaths) for deaths in range(1, 8)]
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


@given(st.integers(1, 10_000))
def test_the_pause_never_shrinks_and_never_exceeds_the_longest(deaths):
    policy = RestartPolicy()
    assert policy.delay_seconds(deaths) <= policy.delay_seconds(deaths + 1) <= policy.longest_delay_seconds


@given(st.lists(st.floats(0, 1000)), st.floats(0, 1000))
def test_only_deaths_inside_the_window_count(deaths_at, now):
    counted = RestartPolicy().recent(deaths_at, now)
    assert counted == [at for at in deaths_at if now - at < 120.0]


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (Started("web", 7), "web: started as pid 7"),
        (Ready("web", 7, 2.54), "web: ready after 2.5 s"),
        (Died("web", 7, 1, "boom", 0.5), "web: ended with code 1 (boom); starting it again in 0.5 s"),
        (Died("web", 7, -9, "", None), "web: was ended by SIGKILL (it logged nothing)"),
        (Restarted("web", 8, 2), "web: started again as pid 8 (restart 2)"),
        (GaveUp("web", 5, 120.0), "web: died 5 times within 120 s, giving up"),
        (Stopped("web", 8, 0, killed=False), "web: stopped"),
        (Stopped("web", 8, -9, killed=True), "web: stopped, had to be killed"),
    ],
)
def test_each_event_is_a_sentence(event, sentence):
    assert str(event) == sentence


def test_a_signal_without_a_name_is_told_by_number():
    assert describe_exit(-200) == "was ended by signal 200"


def test_a_large_log_is_moved_aside_and_the_one_moved_before_is_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(spawn, "LOG_LIMIT_BYTES", 10)
    log, old = tmp_path / "logs" / "web.log", tmp_path / "logs" / "web.log.1"

    spawn.rotate(log)
    log.write_text("0123456789")
    spawn.rotate(log)
    assert log.exists()
    assert not old.exists()

    old.write_text("older")
    log.write_text("0123456789a")
    spawn.rotate(log)
    assert not log.exists()
    assert old.read_text() == "0123456789a"


def test_the_limit_of_a_log_is_ten_megabytes(tmp_path):
    log = tmp_path / "web.log"
    log.touch()
    os.truncate(log, 10_000_001)
    spawn.rotate(log)
    assert (tmp_path / "web.log.1").stat().st_size == 10_000_001


@pytest.mark.parametrize(
    ("since", "count", "lines"),
    [(0, 5, ["old", "new", "last"]), (4, 5, ["new", "last"]), (4, 1, ["last"]), (999, 5, ["old", "new", "last"])],
    ids=["all", "since a start", "the last", "log was moved meanwhile"],
)
def test_the_last_lines_are_those_of_the_start_in_question(tmp_path, since, count, lines):
    log = tmp_path / "web.log"
    log.write_text("old\nnew\n\n  \nlast\n")
    assert spawn.last_lines(log, since, count) == lines


def test_the_last_lines_lose_their_colours_and_keep_a_readable_length(tmp_path):
    log = tmp_path / "web.log"
    log.write_text("\x1b[32m12:00\x1b[0m - \x1b[1;31mERROR\x1b[0m - no database\n" + "x" * 1000)
    assert spawn.last_lines(log, 0, 2) == ["12:00 - ERROR - no database", "x" * 300]


def test_the_last_lines_of_a_huge_log_or_of_none_are_read_from_its_end(tmp_path):
    log = tmp_path / "web.log"
    assert spawn.last_lines(log, 0, 3) == []
    log.write_bytes(b"\xff" * 50_000 + b"\nend\n")
    assert spawn.last_lines(log, 0, 1) == ["end"]


def test_asking_is_never_urgent_and_insisting_is_the_second_time():
    request = StopRequest()
    assert (request.is_asked(), request.is_urgent()) == (False, False)
    request.insist()
    assert (request.is_asked(), request.is_urgent()) == (True, False)
    request.ask()
    assert not request.is_urgent()
    request.insist()
    assert request.is_urgent()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
@pytest.mark.parametrize("before", [signal.SIG_DFL, signal.SIG_IGN], ids=["default", "ignored"])
def test_signals_become_the_request_and_the_handlers_come_back(number, before):
    own = signal.signal(number, before)
    try:
        with stop_on_signals() as request:
            signal.raise_signal(number)
            heard = request.is_asked()
            if heard:
                signal.raise_signal(number)
            hastened = request.is_urgent()
        assert signal.getsignal(number) == before
    finally:
        signal.signal(number, own)

    # `nohup` ignores SIGHUP and means it; a shell's `&` ignores SIGINT and does not.
    assert heard == (number != signal.SIGHUP or before != signal.SIG_IGN)
    assert hastened == (number != signal.SIGHUP)


def test_the_handlers_come_back_when_the_block_fails():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyError), stop_on_signals():
        raise KeyError
    assert signal.getsignal(signal.SIGTERM) == before
