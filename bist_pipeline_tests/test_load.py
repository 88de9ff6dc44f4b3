"""The code location in a fresh interpreter: no environment, no database, no network, no home.

Belongs here: what must hold before anything is started. Catches work at import and luck with the order of imports.
"""

import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import dagster as dg
import pytest

from bist_pipeline.definitions import build_definitions
from bist_pipeline.defs.assets.serving import PUBLISHED

CHECKOUT = Path(__file__).parents[1]
LOAD_SECONDS = 10

# Nobody but the import itself may speak: a socket of any kind is an error.
_ALONE = """
import socket

def refuse(*_, **__):
    raise OSError("no network in this test")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
import bist_pipeline.definitions as loaded
import dagster as dg
dg.Definitions.validate_loadable(loaded.defs)
graph = loaded.defs.resolve_asset_graph()
print(len(graph.get_all_asset_keys()), len(graph.asset_check_keys))
"""


def environment(**variables: str) -> dict[str, str]:
    """Nothing but what an interpreter needs to find the checkout."""
    return {"PYTHONPATH": str(CHECKOUT), **variables}


def run(argv, cwd, **variables):
    return subprocess.run(
        argv, cwd=cwd, env=environment(**variables), capture_output=True, text=True, check=False, timeout=120
    )


def dagster_program() -> str:
    return str(Path(sysconfig.get_path("scripts")) / "dagster")


def written(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_the_definitions_load_alone_in_an_empty_folder(tmp_path):
    began = time.monotonic()
    done = run([sys.executable, "-B", "-W", "error::ResourceWarning", "-c", _ALONE], tmp_path)
    elapsed = time.monotonic() - began
    assert done.returncode == 0, done.stderr
    assets, checks = map(int, done.stdout.split())
    assert assets >= 7
    assert checks >= 5
    assert written(tmp_path) == []
    assert elapsed < LOAD_SECONDS


def test_the_definitions_of_this_process_are_loadable():
    dg.Definitions.validate_loadable(build_definitions())


def test_a_variant_is_built_by_replacing_resources():
    fake = dg.ResourceDefinition.hardcoded_resource("fake")
    defs = build_definitions({"pipeline": fake})
    assert defs.resources is not None
    assert defs.resources["pipeline"] is fake
    assert PUBLISHED in defs.resolve_asset_graph().get_all_asset_keys()


@pytest.mark.parametrize(
    "how",
    [
        pytest.param(["-m", "bist_pipeline.definitions"], id="by the module's name"),
        pytest.param(["-w", str(CHECKOUT / "workspace.yaml")], id="by the checkout's workspace"),
    ],
)
def test_dagster_validates_the_definitions_with_no_database(tmp_path, how):
    home, cwd = tmp_path / "dagster home", tmp_path / "empty"
    home.mkdir()
    cwd.mkdir()
    done = run([dagster_program(), "definitions", "validate", *how], cwd, DAGSTER_HOME=str(home))
    assert done.returncode == 0, done.stderr
    assert "Validation successful" in done.stderr + done.stdout
    assert written(cwd) == []


@pytest.mark.parametrize(
    ("name", "value", "legal"),
    [
        ("BIST_EXECUTOR", "foo", "legal: in_process, multiprocess"),
        ("COLLECTOR_BATCH_SIZE", "0", "greater than or equal to 1"),
    ],
)
def test_a_typo_in_the_environment_is_one_clear_line(tmp_path, name, value, legal):
    done = run([sys.executable, "-c", "import bist_pipeline.definitions"], tmp_path, **{name: value})
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert f"{name} = {value!r}: " in last
    assert legal in last
    assert written(tmp_path) == []
