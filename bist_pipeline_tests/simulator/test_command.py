"""`bist-pipeline simulate` as a process."""

import json
import re
import signal
import subprocess
import sys
import urllib.request

import pytest
from click.testing import CliRunner

from bist_pipeline.cli.simulate import command
from bist_pipeline.simulator.errors import SimulatorError

RUN = "from bist_pipeline.cli.simulate import command; command()"


def test_it_prints_its_address_serves_and_ends_on_request(tmp_path):
    options = ["--symbols", "3", "--now", "2026-08-05T12:00+03:00", "--first", "2026-07-01", "--log", "log.jsonl"]
    with subprocess.Popen(
        [sys.executable, "-u", "-c", RUN, *options, "--fault", "404:1"], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    ) as process:
        assert process.stdout is not None
        told = []
        while not (told and told[-1].startswith("Ctrl-C")):
            told.append(process.stdout.readline())
        text = "".join(told)
        url = re.search(r"export YAHOO_HOSTS=(http://127\.0\.0\.1:\d+)", text)
        assert url
        with urllib.request.urlopen(f"{url[1]}/simulator") as answer:
            assert json.load(answer)["symbols"] == 3
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == "simulated exchange ended\n"
        assert process.wait(10) == 0
    assert text.startswith("SIMULATED exchange at http://127.0.0.1:")
    assert "2026-08-05 12:00:0" in text
    assert "export BIST_UNIVERSE=simulated_universe.csv" in text
    assert (tmp_path / "log.jsonl").exists()


@pytest.mark.parametrize(
    "options",
    [
        ["--data", "x"],
        ["--basis", "as_traded"],
        ["--data", "x", "--basis", "as_traded", "--symbols", "3"],
        ["--now", "2026-08-05T12:00"],
        ["--port", "70000"],
        ["--basis", "raw"],
    ],
)
def test_wrong_usage_is_refused(options):
    done = CliRunner().invoke(command, options)
    assert done.exit_code == 2, done.output


def test_a_fault_that_does_not_exist_is_refused():
    done = CliRunner().invoke(command, ["--fault", "418:0.5"])
    assert isinstance(done.exception, SimulatorError)
    assert "legal" in str(done.exception)
