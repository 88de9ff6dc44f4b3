"""Running commands as a person types them.

Belongs here: the runner, and what every refusal has in common. Most run in this process, which is faster; what is about
processes (exit codes, pipes, terminals) runs in one of its own.
"""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner, Result

from bist_pipeline.cli import main
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.storage.database import Database

WRONG_USAGE = 2


def run(*arguments: str) -> Result:
    """Run one command in this process."""
    return CliRunner().invoke(main, list(arguments), prog_name="bist-pipeline")


def run_apart(
    *arguments: str, cwd: Path, env: Mapping[str, str], seconds: float = 60
) -> "subprocess.CompletedProcess[str]":
    """Run one command in a process of its own."""
    program = [sys.executable, "-c", "from bist_pipeline.cli import main; main(prog_name='bist-pipeline')"]
    return subprocess.run(
        [*program, *arguments], cwd=cwd, env=dict(env), capture_output=True, text=True, check=False, timeout=seconds
    )


def refusal(result: Result) -> str:
    """Return the one line that says why a command refused; exit code 1, or 2 for wrong usage."""
    assert result.exit_code in {1, WRONG_USAGE}, result.output
    assert "Traceback" not in result.stderr
    lines = result.stderr.strip().splitlines()
    if result.exit_code == WRONG_USAGE:
        assert lines[0].startswith("Usage: bist-pipeline")
        assert lines[-1].startswith("Error: ")
        return lines[-1].removeprefix("Error: ")
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("bist-pipeline: ")
    return lines[0].removeprefix("bist-pipeline: ")


def contents(database: Database) -> dict[str, str]:
    """A digest of every table, stamps included: equal before and after means that nothing was written."""
    digest = "SELECT coalesce(md5(string_agg(t::text, '' ORDER BY t::text)), '') FROM"
    return {one.name: database.rows(f"{digest} {one.name} AS t")[0][0] for one in contracts().all()}
