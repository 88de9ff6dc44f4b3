"""Everything that `up` starts, and in which order.

Belongs here: the three Dagster processes with their arguments and environment, and preparing what they need. Does not
belong here: how processes are kept running (`operations/supervisor`), or Dagster itself: its programs are started, not
imported.

Order: embedded PostgreSQL (unless one is configured), migrations, leftovers of a killed supervisor, Dagster's records
(runs whose worker is gone are failed), the simulated exchange where there is one, code server, webserver, daemon. It
ends in the order daemon, webserver, run workers, code server, exchange, PostgreSQL.
"""

import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from bist_pipeline.core.errors import BistError
from bist_pipeline.operations.ports import http_probe, socket_probe
from bist_pipeline.operations.processes import MARK, mark_value
from bist_pipeline.operations.supervisor.child import Child
from bist_pipeline.operations.supervisor.supervisor import RUN_WORKERS
from bist_pipeline.settings import Settings, inherited_environment

HOST = "127.0.0.1"
CODE_SERVER, WEBSERVER, DAEMON = "code server", "webserver", "daemon"
STOP_ORDER = (DAEMON, WEBSERVER, RUN_WORKERS, CODE_SERVER)

# A unix socket's path may have 107 bytes on Linux and 103 on macOS.
_LONGEST_SOCKET = 100


@dataclass(frozen=True, slots=True)
class Instance:
    """Dagster's home inside ours.

    Attributes:
        home: `DAGSTER_HOME`.
        workspace: The workspace file that names the running code server.
        socket: The code server's socket.
    """

    home: Path
    workspace: Path
    socket: Path


def dagster_home(settings: Settings) -> Path:
    """Where Dagster keeps its instance file and logs."""
    return settings.bist_home / "dagster"


def write_instance(settings: Settings) -> Path:
    """Write Dagster's instance file into the home, unless a person has changed it, and return `DAGSTER_HOME`."""
    home = dagster_home(settings)
    home.mkdir(parents=True, exist_ok=True)
    template = files("bist_pipeline.defs").joinpath("dagster.yaml").read_text(encoding="utf-8")
    place, last_written = home / "dagster.yaml", home / ".dagster.yaml.written"
    is_ours = not place.exists() or (last_written.exists() and place.read_text() == last_written.read_text())
    if is_ours:
        place.write_text(template, encoding="utf-8")
        last_written.write_text(template, encoding="utf-8")
    return home


@contextmanager
def instance(settings: Settings) -> Iterator[Instance]:
    """Prepare Dagster's home and a socket for the code server; the socket goes when the block ends."""
    home = write_instance(settings)
    folder = home if _fits(home / "code.sock") else Path(tempfile.mkdtemp(prefix="bist-"))
    socket = folder / "code.sock"
    socket.unlink(missing_ok=True)  # of a code server that was killed
    workspace = home / "workspace.yaml"
    workspace.write_text(
        f"# Written by `bist-pipeline up`.\nload_from:\n  - grpc_server:\n      socket: {socket}\n"
        "      location_name: bist_pipeline.definitions\n",
        encoding="utf-8",
    )
    try:
        yield Instance(home, workspace, socket)
    finally:
        socket.unlink(missing_ok=True)
        if folder != home:
            shutil.rmtree(folder, ignore_errors=True)


def _fits(path: Path) -> bool:
    text = str(path)
    return (
        len(text.encode()) <= _LONGEST_SOCKET and text.isascii() and not any(c.isspace() or c in ":#'\"%" for c in text)
    )


def environment(settings: Settings) -> dict[str, str]:
    """Variables that Dagster's processes need to find this home; none of them is a secret."""
    variables = {
        "BIST_HOME": str(settings.bist_home),
        "DAGSTER_HOME": str(dagster_home(settings)),
        # Materialisations of a range run are written in batches instead of one by one.
        "DAGSTER_EVENT_BATCH_SIZE": "1000",
        # Else glibc keeps memory back for every thread that ever was: see `operations/memory.py`.
        "MALLOC_ARENA_MAX": "2",
    }
    if settings.bist_simulation:
        # They win over whatever the person's shell says of another home.
        variables |= {
            "YAHOO_HOSTS": ",".join(settings.yahoo_hosts),
            "YAHOO_REQUESTS_PER_SECOND": str(settings.yahoo_requests_per_second),
            "BIST_UNIVERSE": settings.bist_universe,
            "BIST_PROVIDERS": ",".join(settings.bist_providers),
            "BIST_LIVE_PROVIDERS": ",".join(settings.bist_live_providers),
        }
    if settings.bist_archive_dir is not None:
        variables["BIST_ARCHIVE_DIR"] = str(settings.bist_archive_dir)
        variables["BIST_ARCHIVE_BASIS"] = settings.bist_archive_basis
    return variables


def children(settings: Settings, made: Instance, port: int) -> list[Child]:
    """The three processes, in the order of their start."""
    variables = environment(settings)
    logs = settings.bist_home / "logs"
    workspace = ["-w", str(made.workspace)]
    code = [program("dagster"), "api", "grpc", "--socket", str(made.socket), "-m", "bist_pipeline.definitions"]
    web = [program("dagster-webserver"), "-h", HOST, "-p", str(port), *workspace]
    return [
        Child(CODE_SERVER, tuple(code), logs / "code_server.log", variables, ready=lambda: socket_probe(made.socket)),
        Child(
            WEBSERVER,
            tuple(web),
            logs / "webserver.log",
            variables,
            ready=lambda: http_probe(f"{address(port)}/server_info"),
            stop_signal=signal.SIGINT,
        ),
        Child(DAEMON, (program("dagster-daemon"), "run", *workspace), logs / "daemon.log", variables),
    ]


def address(port: int) -> str:
    """Where the UI is."""
    return f"http://{HOST}:{port}"


def program(name: str) -> str:
    """Path of a program that was installed beside this Python.

    Raises:
        BistError: It is not there.
    """
    for folder in (Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))):
        if (folder / name).exists():
            return str(folder / name)
    raise BistError(f"{name} is not installed beside {sys.executable}: install the project again")


def prepare_instance(settings: Settings) -> str:
    """Make Dagster's tables and fail runs whose worker is gone; return what was done, for a person.

    A process of its own, since Dagster is imported in `defs` alone.

    Raises:
        BistError: It failed; the message holds its last line.
    """
    done = subprocess.run(
        [sys.executable, "-m", "bist_pipeline.defs.prepare"],
        env=inherited_environment() | environment(settings) | {MARK: mark_value(settings.bist_home)},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in (done.stdout if done.returncode == 0 else done.stderr).splitlines() if line.strip()]
    if done.returncode != 0:
        raise BistError(f"Dagster's records cannot be prepared: {lines[-1] if lines else done.returncode}")
    return lines[-1] if lines else ""
