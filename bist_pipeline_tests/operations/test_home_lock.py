import os
import re
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from bist_pipeline.core.clock import FixedClock
from bist_pipeline.core.errors import HomeBusyError
from bist_pipeline.operations import home_lock
from bist_pipeline.operations.errors import SupervisionError
from bist_pipeline.operations.home_lock import LOCK_FILE, HomeLock, Instance, running_instance
from bist_pipeline_tests.operations.children import REPOSITORY, process

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ADDRESS = "http://127.0.0.1:3000"

HOLDER = """
import sys
from pathlib import Path
from bist_pipeline.operations.home_lock import HomeLock
HomeLock(Path(sys.argv[1])).acquire("http://127.0.0.1:4000")
sys.stdout.write("held\\n"); sys.stdout.flush()
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    argv = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with process(argv, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == b"held\n"
        yield started
        assert started.stdin is not None
        started.stdin.close()


def test_a_held_home_says_who_runs_on_it(tmp_path):
    with HomeLock(tmp_path, FixedClock(NOON)).held(ADDRESS):
        assert running_instance(tmp_path) == Instance(os.getpid(), ADDRESS, NOON)


def test_a_free_home_has_no_instance(tmp_path):
    assert running_instance(tmp_path) is None
    assert running_instance(tmp_path / "absent") is None


def test_the_home_is_made_when_it_does_not_exist(tmp_path):
    with HomeLock(tmp_path / "new" / "home").held(ADDRESS):
        assert running_instance(tmp_path / "new" / "home") is not None


def test_a_second_holder_is_refused_in_one_line_with_pid_address_and_time(tmp_path, holder):
    with pytest.raises(HomeBusyError) as refused:
        HomeLock(tmp_path).acquire(ADDRESS)

    message = str(refused.value)
    assert message.startswith(f"{tmp_path} is in use by pid {holder.pid} at http://127.0.0.1:4000 since ")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d .*", message.partition("since ")[2])


def test_the_death_of_the_holder_frees_the_home(tmp_path, holder):
    holder.kill()
    holder.wait()

    assert running_instance(tmp_path) is None
    with HomeLock(tmp_path).held(ADDRESS):
        instance = running_instance(tmp_path)
        assert instance is not None
        assert instance.pid == os.getpid()


def test_the_lock_excludes_within_one_process_and_is_free_after_release(tmp_path):
    lock = HomeLock(tmp_path)
    lock.acquire(ADDRESS)
    with pytest.raises(HomeBusyError):
        HomeLock(tmp_path).acquire(ADDRESS)

    lock.release()
    lock.release()

    assert running_instance(tmp_path) is None
    with HomeLock(tmp_path).held(ADDRESS):
        pass


def test_looking_at_the_home_does_not_free_it(tmp_path, holder):
    for _ in range(3):
        instance = running_instance(tmp_path)
        assert instance is not None
        assert instance.pid == holder.pid
    with pytest.raises(HomeBusyError):
        HomeLock(tmp_path).acquire(ADDRESS)


def test_a_shorter_entry_replaces_a_longer_one_completely(tmp_path):
    (tmp_path / LOCK_FILE).write_text("x" * 1000)
    with HomeLock(tmp_path).held("a"):
        instance = running_instance(tmp_path)
        assert instance is not None
        assert instance.address == "a"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"pid": 1, "address": "a", "started": "noon"}'])
def test_a_holder_that_does_not_say_who_it_is_still_holds(tmp_path, holder, text, monkeypatch):
    monkeypatch.setattr(home_lock, "_PATIENCE_SECONDS", 0.05)
    (tmp_path / LOCK_FILE).write_text(text)
    with pytest.raises(HomeBusyError, match="in use by another process"):
        HomeLock(tmp_path).acquire(ADDRESS)
    with pytest.raises(HomeBusyError, match="does not say who"):
        running_instance(tmp_path)


def test_a_home_that_cannot_be_written_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SupervisionError, match="choose another BIST_HOME"):
        HomeLock(tmp_path / "file").acquire(ADDRESS)
