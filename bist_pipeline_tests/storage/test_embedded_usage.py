"""Sharing one server: the first one in starts it, the last one out stops it, whoever is killed in between."""

import sys
from pathlib import Path

import psutil
import pytest

from bist_pipeline.core.errors import EmbeddedServerError
from bist_pipeline.storage.embedded.layout import Layout
from bist_pipeline.storage.embedded.processes import leftovers
from bist_pipeline.storage.embedded.server import EmbeddedServer
from bist_pipeline.storage.embedded.usage import use_server
from bist_pipeline_tests.storage.embedded_homes import ask, enter_all, launch_user, start_user, temporary_home


@pytest.fixture(scope="module")
def shared_home():
    with temporary_home() as home:
        yield home


@pytest.fixture
def home(shared_home):
    """A home that was used before, its server stopped: a restart takes a tenth of a first start."""
    yield shared_home
    EmbeddedServer(shared_home).stop()


@pytest.fixture
def new_home():
    with temporary_home() as home:
        yield home


def test_one_user_finds_a_server_and_leaves_none(home):
    with use_server(home) as server:
        assert ask(server.url("postgres"), "SELECT 1") == "1"
    assert leftovers(Layout.of(home)) == []


def test_an_error_in_the_block_stays_itself_and_the_server_is_stopped(home):
    with pytest.raises(FileNotFoundError), use_server(home):
        (home / "missing").read_text()
    assert not EmbeddedServer(home).is_running()


def test_users_in_one_process_count_too(home):
    with use_server(home) as outer:
        with use_server(home) as inner:
            assert inner.pid == outer.pid
        assert outer.is_running()
    assert not outer.is_running()


def test_first_starts_at_the_same_time_end_in_one_server(new_home):
    users = enter_all([launch_user(new_home) for _ in range(3)])
    assert len({user.server_pid for user in users}) == 1
    for user in users:
        user.leave()
    assert not EmbeddedServer(new_home).is_running()


def test_only_the_last_one_out_stops_it(home):
    first, second = start_user(home), start_user(home)
    first.leave()
    assert EmbeddedServer(home).pid == second.server_pid
    third = start_user(home)
    second.leave()
    assert EmbeddedServer(home).pid == third.server_pid == first.server_pid
    third.leave()
    assert not EmbeddedServer(home).is_running()


def test_all_who_leave_at_once_leave_no_server(home):
    users = enter_all([launch_user(home) for _ in range(3)])
    for user in users:
        assert user.process.stdin is not None
        user.process.stdin.write("\n")
        user.process.stdin.flush()
    for user in users:
        user.leave()
    assert not EmbeddedServer(home).is_running()


def test_who_comes_while_the_last_one_leaves_gets_a_server_that_lives(home):
    for _ in range(3):
        leaving = start_user(home)
        coming = launch_user(home)
        leaving.leave()
        (user,) = enter_all([coming])
        assert ask(user.url, "SELECT 1") == "1"
        user.leave()


def test_the_server_of_a_killed_user_is_taken_over_and_stopped_by_the_next(home):
    killed = start_user(home)
    killed.kill()
    assert EmbeddedServer(home).pid == killed.server_pid
    with use_server(home) as server:
        assert server.pid == killed.server_pid
    assert not EmbeddedServer(home).is_running()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_short_command_never_stops_a_supervisors_server(home):
    supervisor = start_user(home, "die_with_parent")
    with use_server(home) as server:
        assert server.pid == supervisor.server_pid
    assert psutil.pid_exists(supervisor.server_pid)
    supervisor.leave()
    assert not EmbeddedServer(home).is_running()


def test_a_kept_server_outlives_its_users_until_it_is_stopped(home):
    with use_server(home, keep_running=True) as server:
        pid = server.pid
    with use_server(home):
        pass
    assert EmbeddedServer(home).pid == pid
    EmbeddedServer(home).stop()
    assert not EmbeddedServer(home).is_running()
    with use_server(home):
        pass
    assert not EmbeddedServer(home).is_running()


def test_a_mark_of_an_earlier_server_keeps_no_later_one(home):
    with use_server(home, keep_running=True) as server:
        psutil.Process(server.pid).kill()
    with use_server(home) as server:
        assert not server.is_kept
    assert not EmbeddedServer(home).is_running()


def test_what_does_not_run_cannot_be_kept(home: Path):
    with pytest.raises(EmbeddedServerError, match="start it before"):
        EmbeddedServer(home).keep()
