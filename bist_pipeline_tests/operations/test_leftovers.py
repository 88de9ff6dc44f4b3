import json
import os
import subprocess
import sys

import psutil
import pytest

from bist_pipeline.core.errors import HomeBusyError
from bist_pipeline.operations.leftovers import RECORD_FILE, ChildRecord, end_leftovers, record_children
from bist_pipeline.operations.processes import MARK, mark_value, processes_of
from bist_pipeline_tests.operations.children import (
    FOREVER,
    PATIENCE_SECONDS,
    REPOSITORY,
    STUBBORN,
    is_running,
    process,
    read_pid,
    script,
)


def marked(home, body=FOREVER, **options):
    return process(script(body), {MARK: mark_value(home)}, **options)


def record(home, pid, created=None):
    created = psutil.Process(pid).create_time() if created is None else created
    record_children(home, [ChildRecord("web", pid, created)])


def test_marked_processes_are_ended_in_whatever_session_they_are(tmp_path):
    with marked(tmp_path) as one, marked(tmp_path, start_new_session=True) as two:
        ended = end_leftovers(tmp_path)

        assert {(e.pid, e.killed) for e in ended} == {(one.pid, False), (two.pid, False)}
        assert all("forever()" in e.command or sys.executable in e.command for e in ended)
        assert not is_running(one.pid)
        assert not is_running(two.pid)


def test_a_leftover_that_ignores_the_request_is_killed(tmp_path):
    ready = tmp_path / "ready"
    with marked(tmp_path, STUBBORN.format(ready=str(ready))) as mule:
        read_pid(ready)
        assert [(e.pid, e.killed) for e in end_leftovers(tmp_path, 0.2)] == [(mule.pid, True)]


def test_a_home_is_recognised_under_another_name(tmp_path):
    home, link = tmp_path / "home", tmp_path / "link"
    home.mkdir()
    link.symlink_to(home)
    with marked(link) as left:
        assert [e.pid for e in end_leftovers(home)] == [left.pid]


def test_a_recorded_child_without_the_mark_is_ended_with_its_descendants(tmp_path):
    inner = f"write({str(tmp_path / 'below')!r}, os.getpid()); forever()"
    body = f"in_new_session({inner!r}); forever()"
    with process(script(body)) as left:
        below = read_pid(tmp_path / "below")
        record(tmp_path, left.pid)

        assert {e.pid for e in end_leftovers(tmp_path)} == {left.pid, below}
        assert not (tmp_path / RECORD_FILE).exists()


def test_a_process_that_took_over_a_recorded_number_is_left_alone(tmp_path):
    with process(script(FOREVER)) as stranger:
        record(tmp_path, stranger.pid, created=psutil.Process(stranger.pid).create_time() - 60)
        assert end_leftovers(tmp_path) == ()
        assert is_running(stranger.pid)


def test_processes_of_other_homes_and_of_no_home_are_left_alone(tmp_path):
    home, other = tmp_path / "home", tmp_path / "home2"
    home.mkdir()
    with marked(other) as theirs, process(script(FOREVER)) as stranger, marked(home) as left:
        assert [e.pid for e in end_leftovers(home)] == [left.pid]
        assert is_running(theirs.pid)
        assert is_running(stranger.pid)


def test_a_descendant_that_belongs_to_another_home_is_left_alone(tmp_path):
    home, other, pid = tmp_path / "home", tmp_path / "other", tmp_path / "pid"
    home.mkdir()
    inner = f"write({str(pid)!r}, os.getpid()); forever()"
    with marked(
        home, f"in_new_session({inner!r}, env={{**os.environ, {MARK!r}: {mark_value(other)!r}}}); forever()"
    ) as left:
        theirs = read_pid(pid)
        assert [e.pid for e in end_leftovers(home)] == [left.pid]
        assert is_running(theirs)
        os.kill(theirs, 9)


def test_the_caller_and_its_ancestors_are_spared_even_when_they_carry_the_mark(tmp_path):
    caller = """
import sys
from pathlib import Path
from bist_pipeline.operations.leftovers import end_leftovers
sys.stdout.write(str([e.pid for e in end_leftovers(Path(sys.argv[1]))]))
"""
    # The shell stays above the caller: it has something to do afterwards.
    command = ["sh", "-c", '"$@"; echo " survived"', "sh", sys.executable, "-c", caller, str(tmp_path)]
    with marked(tmp_path) as left:
        done = subprocess.run(
            command,
            cwd=REPOSITORY,
            env={**os.environ, MARK: mark_value(tmp_path)},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=True,
        )
        assert done.stdout == f"[{left.pid}] survived\n"


def test_the_children_of_a_supervisor_that_runs_are_no_leftovers(tmp_path):
    holder = """
import sys, time
from pathlib import Path
from bist_pipeline.operations.home_lock import HomeLock
with HomeLock(Path(sys.argv[1])).held("http://127.0.0.1:1"):
    sys.stdout.write("held\\n"); sys.stdout.flush()
    sys.stdin.read()
"""
    argv = [sys.executable, "-c", holder, str(tmp_path)]
    pipe = subprocess.PIPE
    with marked(tmp_path) as theirs, process(argv, cwd=REPOSITORY, stdin=pipe, stdout=pipe) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"held\n"
        with pytest.raises(HomeBusyError, match=f"in use by pid {running.pid}"):
            end_leftovers(tmp_path)
        assert is_running(theirs.pid)
        assert running.stdin is not None
        running.stdin.close()


@pytest.mark.parametrize("text", ["", "{", "{}", "[1]", '[{"pid": "x", "created": 1}]', "null"])
def test_a_damaged_record_does_not_hide_marked_processes(tmp_path, text):
    (tmp_path / RECORD_FILE).write_text(text)
    with marked(tmp_path) as left:
        assert [e.pid for e in end_leftovers(tmp_path)] == [left.pid]


def test_a_home_without_a_past_has_no_leftovers(tmp_path):
    assert end_leftovers(tmp_path / "new") == ()


def test_the_record_is_plain_json_with_pid_and_creation_time(tmp_path):
    record(tmp_path, os.getpid())

    [entry] = json.loads((tmp_path / RECORD_FILE).read_text())
    assert entry["pid"] == os.getpid()
    assert entry["created"] == psutil.Process().create_time()


def test_the_caller_is_not_found_by_its_own_record(tmp_path):
    assert processes_of(tmp_path, also=[psutil.Process()]) == []
