"""`simulate` as a process of its own, and what it refuses."""

import json
import os
import re
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from bist_pipeline.core.clock import SystemClock
from bist_pipeline.core.universe import load_universe
from bist_pipeline_tests.cli.commands import refusal, run
from bist_pipeline_tests.end_to_end.site import CHECKOUT, PROGRAM, free_port

SMALL = ("--symbols", "3", "--first", "2026-07-01")
AUGUST = "2026-08-05T12:00+03:00"


@dataclass(frozen=True, slots=True)
class Simulated:
    """A running exchange.

    Attributes:
        process: Its process; stdout is a pipe.
        told: What it said at its start.
    """

    process: "subprocess.Popen[str]"
    told: str

    @property
    def url(self) -> str:
        found = re.search(r"export YAHOO_HOSTS=(\S+)", self.told)
        assert found, self.told
        return found[1]

    def ask(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return answer.read()

    def end(self, number: int) -> tuple[int, str]:
        """Send a signal; return exit code and last words."""
        self.process.send_signal(number)
        assert self.process.stdout is not None
        last = self.process.stdout.read()
        return self.process.wait(10), last


@contextmanager
def simulated(folder, *options: str) -> Iterator[Simulated]:
    with subprocess.Popen(
        [*PROGRAM, "simulate", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        told = ""
        try:
            while line := process.stdout.readline():
                told += line
                if line.startswith("Ctrl-C"):
                    break
            yield Simulated(process, told)
        finally:
            if process.poll() is None:
                process.kill()


def test_its_clock_runs_behind_the_machines_on_the_port_that_was_asked_for_until_ctrl_c(tmp_path):
    behind, port = timedelta(days=9, hours=5), free_port()
    options = ("--port", str(port), "--behind", str(behind.total_seconds()), "--universe", "universe.csv")
    with simulated(tmp_path, *SMALL, *options) as running:
        assert running.told.startswith(f"SIMULATED exchange at http://127.0.0.1:{port}: invented prices, 3 symbols")
        about = json.loads(running.ask("/simulator"))
        apart = SystemClock().now() - datetime.fromisoformat(about["now"])
        assert abs(apart - behind) < timedelta(seconds=5)
        assert (tmp_path / "universe.csv").read_bytes() == running.ask("/simulator/universe.csv")
        assert len(load_universe(str(tmp_path / "universe.csv"))) == 3
        assert running.end(signal.SIGINT) == (0, "simulated exchange ended\n")
    assert [path.name for path in tmp_path.iterdir()] == ["universe.csv"]


def test_it_starts_at_the_time_that_was_asked_for_and_says_which_faults_it_plays(tmp_path):
    with simulated(tmp_path, *SMALL, "--now", AUGUST, "--fault", "503:1", "--fault", "nulls:0.5") as running:
        assert "its time is 2026-08-05 12:00:0" in running.told
        assert "faults: 503:1, nulls:0.5" in running.told
        with pytest.raises(urllib.error.HTTPError) as caught:
            running.ask("/v8/finance/chart/ZZAAA.IS")
        assert caught.value.code == 503
        caught.value.close()
        assert running.end(signal.SIGTERM) == (0, "simulated exchange ended\n")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--now", AUGUST, "--behind", "60"), "--now and --behind both set the clock: give one"),
        (("--behind", "soon"), "'soon' is not a valid float"),
        (("--behind", "nan"), "--behind nan: expected"),
        (("--behind", "1e300"), "--behind 1e+300: expected"),
        (("--symbols", "0"), "--symbols"),
        (("--symbols", "6000"), "--symbols"),
        (("--first", "1999-13-01"), "'1999-13-01' is no date"),
        (("--fault", "418:0.5"), "'418'; legal: 429, 500"),
        (("--fault", "429"), "write KIND:PROBABILITY as in 429:0.3"),
        (("--fault", "429:2"), "probability 2.0; legal: 0 to 1"),
        (("--fault", "429:nan"), "probability nan; legal: 0 to 1"),
        (("--first", "2026-08-06", "--now", AUGUST, "--universe", "none/u.csv"), "--universe none/u.csv cannot be"),
        (("--now", AUGUST, "--log", "none/log.jsonl"), "none/log.jsonl"),
        (("--first", "1999-01-04"), "2010-01-04"),
        (("--first", "2999-01-04"), "2999-01-04"),
        (("--data", "none", "--basis", "as_traded"), "none"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_nonsense_is_refused_in_one_line(tmp_path, monkeypatch, options, reason):
    monkeypatch.chdir(tmp_path)
    assert reason in refusal(run("simulate", *options))
    assert list(tmp_path.iterdir()) == []


def test_a_port_in_use_is_refused_in_one_line():
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = refusal(run("simulate", *SMALL, "--port", str(port)))
    assert told.startswith(f"port {port} cannot be listened on: ")
    assert told.endswith("choose another with --port")
