"""Dagster's own programs beside ours: what works after `eval "$(bist-pipeline env)"`, and what is said without it."""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from bist_pipeline.storage.embedded.server import EmbeddedServer
from bist_pipeline_tests.end_to_end.site import CHECKOUT, PROGRAM, Site, free_port, recent_archive, wait_for
from bist_pipeline_tests.storage.embedded_homes import ask, temporary_home

pytestmark = pytest.mark.daemon


@pytest.fixture
def shell(tmp_path):
    """Run a script as a person would, with our programs and Dagster's on the path."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "bist-pipeline").write_text(f'#!/bin/sh\nexec {shlex.join(PROGRAM)} "$@"\n')
    (programs / "bist-pipeline").chmod(0o755)
    path = os.pathsep.join([str(programs), sysconfig.get_path("scripts"), os.environ["PATH"]])

    def shell(script, cwd, **variables):
        env = {**os.environ, "PATH": path, "PYTHONPATH": str(CHECKOUT), **variables}
        return subprocess.run(
            ["sh", "-ec", script], cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=200
        )

    return shell


@pytest.fixture
def checkout(tmp_path, monkeypatch) -> Path:
    """What of a checkout `dagster` reads, in a folder where nobody has started anything."""
    monkeypatch.delenv("BIST_HOME")
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in ("dagster.yaml", "workspace.yaml", "pyproject.toml"):
        shutil.copy(CHECKOUT / name, folder)
    return folder


@pytest.mark.parametrize(
    "command", ["dagster dev -p {port}", "dagster asset materialize --select '*' -m bist_pipeline.definitions"]
)
def test_in_a_fresh_checkout_dagster_says_what_to_type(shell, checkout, command):
    # Where DAGSTER_HOME is unset `dagster dev` reads the checkout's instance file; the others are told where it is.
    variables = {} if "dev" in command else {"DAGSTER_HOME": str(checkout)}
    done = shell(command.format(port=free_port()), checkout, **variables)
    assert done.returncode != 0
    told = [line for line in done.stderr.splitlines() if line.startswith("bist-pipeline: ")]
    assert len(set(told)) == 1
    assert "Type `bist-pipeline up` for everything" in told[0]
    assert 'eval "$(bist-pipeline env)"' in told[0]
    assert "Traceback" not in done.stderr
    assert not (checkout / ".bist").exists()


JOBS = ["derive_sessions", "fill_gaps_job", "refresh_session", "restate_job"]
SENSORS = ["fill_gaps", "first_load", "restate_dirty"]


def test_after_env_dagster_materializes_a_partition_and_serves_its_ui(shell, checkout, tmp_path):
    archive, sessions = recent_archive(tmp_path / "archive", symbols=3, sessions=60)
    partition, switch = str(sessions[-1]), tmp_path / "stop"
    chosen = f"--select 'key:\"market/raw_prices\"+' --partition {partition} -m bist_pipeline.definitions"
    with temporary_home() as home:
        variables = {"BIST_HOME": str(home), "BIST_ARCHIVE_DIR": str(archive), "BIST_KILL_SWITCH": str(switch)}
        done = shell(f'eval "$(bist-pipeline env)"; dagster asset materialize {chosen}', checkout, **variables)
        assert done.returncode == 0, done.stderr[-3000:]
        served = f"SELECT count(*) FROM serving.prices_v1 WHERE session_date = '{partition}'"
        assert ask(EmbeddedServer(home).url("bist"), served) == "3"
        recorded = "SELECT count(*) FROM runs WHERE status = 'SUCCESS'"
        assert ask(EmbeddedServer(home).url("dagster"), recorded) == "1"

        switch.write_text("no first load while the UI is looked at")
        port = free_port()
        # Interrupted as by Ctrl-C, as soon as the UI has loaded the code location.
        script = f"""
            eval "$(bist-pipeline env)"
            {sys.executable} -m bist_pipeline_tests.end_to_end.dev {port}
        """
        done = shell(script, checkout, **variables)
        assert done.returncode == 0, done.stderr[-3000:]
        assert done.stdout.splitlines()[-1] == f"{JOBS} {SENSORS}"

        assert shell("bist-pipeline env --stop", checkout, **variables).returncode == 0
        wait_for("the server ends", lambda: not EmbeddedServer(home).is_running(), 10)
        assert Site(home, checkout, archive, sessions).processes() == []
