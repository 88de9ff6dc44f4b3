"""A database that is killed under `up` comes back by itself."""

import os
import signal

import pytest

from bist_pipeline.pipeline.watchdog import kept_running
from bist_pipeline.storage.embedded.server import EmbeddedServer
from bist_pipeline.storage.embedded.waiting import wait_until
from bist_pipeline_tests.storage.embedded_homes import temporary_home


@pytest.fixture
def running():
    with temporary_home() as home:
        server = EmbeddedServer(home)
        server.start(die_with_parent=True)
        yield server


def test_a_killed_server_is_started_again_and_told_of(running):
    told, killed = [], running.pid
    with kept_running(running, told.append):
        os.kill(killed, signal.SIGKILL)
        assert wait_until(lambda: bool(told), 30)
        assert running.pid not in {None, killed}
    assert told == [f"PostgreSQL was gone; started again as pid {running.pid}"]


def test_a_server_that_is_stopped_after_the_block_stays_stopped(running):
    told = []
    with kept_running(running, told.append):
        pass
    running.stop()
    assert not running.is_running()
    assert told == []
