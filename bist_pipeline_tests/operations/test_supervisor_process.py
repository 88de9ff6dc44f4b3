"""The supervisor as a process of its own: signals, its sudden death, and what the next one does about it."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from bist_pipeline.operations.processes import processes_of, wait_until
from bist_pipeline_tests.operations.children import (
    PATIENCE_SECONDS,
    REPOSITORY,
    announced,
    ends,
    is_running,
    process,
    read_pid,
    up,
)

SURVIVES = "survive_parent()"
OBSTINATE = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "a home"
    folder.mkdir()
    yield folder
    for left in processes_of(folder):
        left.kill()


def running(home, *bodies, **options):
    return process(
        up(home, *bodies), cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_stops_the_children_and_ends_the_supervisor_with_success(home, number):
    with running(home, announced(home, 0), announced(home, 1)) as supervisor:
        children = [read_pid(home / "ready0"), read_pid(home / "ready1")]
        os.kill(supervisor.pid, number)
        output, _ = supervisor.communicate(timeout=PATIENCE_SECONDS)

    assert supervisor.returncode == 0
    assert output.splitlines()[-3:] == ["child1: stopped", "child0: stopped", "killed []"]
    assert not any(map(is_running, children))


def test_a_second_interrupt_kills_at_once(home):
    note = f"signal.signal(signal.SIGTERM, lambda *_: write({str(home / 'asked')!r}, 1))"
    with running(home, announced(home, 0, before=note)) as supervisor:
        pid = read_pid(home / "ready0")
        os.kill(supervisor.pid, signal.SIGINT)
        read_pid(home / "asked")
        assert is_running(pid)
        os.kill(supervisor.pid, signal.SIGINT)
        output, _ = supervisor.communicate(timeout=PATIENCE_SECONDS)  # the child's own time to stop is 60 s

    assert supervisor.returncode == 0
    assert f"killed [{pid}]" in output


def test_an_interrupt_reaches_a_supervisor_that_a_shell_started_in_the_background(home):
    body = announced(home, 0, before=f"write({str(home / 'handler')!r}, signal.getsignal(signal.SIGINT).__name__)")
    shell = ["sh", "-c", '"$@" & echo $! > pid.draft; mv pid.draft pid; wait $!', "sh", *up(home, body)]
    with process(shell, cwd=home, environment={"PYTHONPATH": str(REPOSITORY)}, stdout=subprocess.DEVNULL) as started:
        pid = read_pid(home / "pid")
        child = read_pid(home / "ready0")
        os.kill(pid, signal.SIGINT)
        assert started.wait(PATIENCE_SECONDS) == 0

    assert not is_running(child)
    assert (home / "handler").read_text() == "default_int_handler"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_a_killed_supervisor_takes_its_children_along(home):
    with running(home, announced(home, 0), announced(home, 1)) as supervisor:
        children = [read_pid(home / "ready0"), read_pid(home / "ready1")]
        supervisor.kill()
        assert all(map(ends, children))


def test_the_next_supervisor_ends_what_a_killed_one_left_and_names_it(home):
    worker = f"write({str(home / 'worker')!r}, os.getpid()); forever()"
    bodies = [
        announced(home, 0, before=f"{SURVIVES}; {OBSTINATE}"),
        announced(home, 1, before=f"{SURVIVES}; in_new_session({worker!r})"),
    ]
    with running(home, *bodies) as supervisor:
        left = [read_pid(home / name) for name in ("ready0", "ready1", "worker")]
        supervisor.kill()
        supervisor.wait()
    assert all(map(is_running, left))
    (home / "ready0").unlink()

    with running(home, announced(home, 0)) as supervisor:
        assert read_pid(home / "ready0") not in left
        os.kill(supervisor.pid, signal.SIGTERM)
        output, _ = supervisor.communicate(timeout=30)

    assert {line for line in output.splitlines() if line.startswith("ended")} == {f"ended {pid}" for pid in left}
    assert not any(map(is_running, left))


def test_a_second_supervisor_is_refused_and_the_first_goes_on(home):
    with running(home, announced(home, 0)) as first:
        child = read_pid(home / "ready0")
        with running(home, announced(home, 1)) as second:
            _, message = second.communicate(timeout=PATIENCE_SECONDS)

        assert second.returncode == 1
        assert f"is in use by pid {first.pid} at http://127.0.0.1:3000 since 2" in message
        assert len(message.splitlines()) == 1
        assert is_running(child)
        assert not (home / "ready1").exists()


def test_two_homes_do_not_touch_each_other(home, tmp_path):
    other = tmp_path / "a home too"
    other.mkdir()
    with running(other, announced(other, 0)) as neighbour:
        theirs = read_pid(other / "ready0")
        with running(home, announced(home, 0)) as supervisor:
            read_pid(home / "ready0")
            os.kill(supervisor.pid, signal.SIGTERM)
            assert supervisor.wait(PATIENCE_SECONDS) == 0
        assert is_running(theirs)
        os.kill(neighbour.pid, signal.SIGTERM)
        assert neighbour.wait(PATIENCE_SECONDS) == 0


def test_a_supervisor_that_gives_up_ends_with_one_line_and_a_failure(home):
    with running(home, "sys.exit('no database')") as supervisor:
        _, message = supervisor.communicate(timeout=PATIENCE_SECONDS)

    assert supervisor.returncode == 1
    assert message.startswith("child0 ended with code 1 before it was ready: no database (log: ")
    assert len(message.splitlines()) == 1


def test_a_running_supervisor_has_no_zombies_after_a_child_died(home):
    with running(home, announced(home, 0)) as supervisor:
        first = read_pid(home / "ready0")
        assert supervisor.stdout is not None
        assert any(line.startswith("child0: ready") for line in supervisor.stdout)
        os.kill(first, signal.SIGKILL)
        assert wait_until(lambda: read_pid(home / "ready0") != first, PATIENCE_SECONDS)
        states = [child.status() for child in psutil.Process(supervisor.pid).children()]
        assert psutil.STATUS_ZOMBIE not in states
        os.kill(supervisor.pid, signal.SIGTERM)
        assert supervisor.wait(PATIENCE_SECONDS) == 0
