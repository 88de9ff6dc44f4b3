"""Small real processes for the supervision tests, and the supervisor program that is itself killed.

Belongs here: scripts and the helpers that start them. Does not belong here: expectations.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from bist_pipeline.operations.processes import is_alive, wait_until
from bist_pipeline.operations.supervisor.child import Child

PATIENCE_SECONDS = 15.0

# `-S` skips site-packages: the scripts need the standard library alone and start twice as fast.
PYTHON = (sys.executable, "-S", "-c")

PRELUDE = """
import ctypes, os, pathlib, signal, subprocess, sys, time

def write(path, text):
    draft = pathlib.Path(str(path) + ".draft")
    draft.write_text(str(text))
    draft.replace(path)

def append(path, text):
    with open(path, "a") as file:
        file.write(text + "\\n")

def forever():
    while True:
        signal.pause()

def on_term(path, text):
    def note(*_):
        append(path, text)
        os._exit(0)
    signal.signal(signal.SIGTERM, note)

def survive_parent():
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, 0)

def in_new_session(code, **options):
    return subprocess.Popen([sys.executable, "-S", "-c", PRELUDE + code], start_new_session=True, **options)
"""

FOREVER = "forever()"
STUBBORN = "signal.signal(signal.SIGTERM, signal.SIG_IGN); write({ready!r}, os.getpid()); forever()"


def script(body: str) -> tuple[str, ...]:
    """Return the command line that runs `body` after the helpers above."""
    return (*PYTHON, f"PRELUDE = {PRELUDE!r}\nexec(PRELUDE)\n{body}")


def child(folder: Path, name: str, body: str, **options) -> Child:
    return Child(name=name, argv=script(body), log=folder / "logs" / f"{name}.log", **options)


def read_pid(path: Path) -> int:
    assert wait_until(path.exists, PATIENCE_SECONDS), f"{path} was not written"
    return int(path.read_text())


def is_running(pid: int) -> bool:
    try:
        return is_alive(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return False


def ends(pid: int) -> bool:
    """Wait for a process to end."""
    return wait_until(lambda: not is_running(pid), PATIENCE_SECONDS)


@contextmanager
def process(argv, environment: Mapping[str, str] | None = None, **options) -> Iterator[subprocess.Popen]:
    """Run a process for the duration of a block and leave nothing of it."""
    inherited = {} if environment is None else {"env": {**os.environ, **environment}}
    started = subprocess.Popen(argv, **inherited, **options)
    try:
        yield started
    finally:
        started.kill()
        started.wait()
        for stream in (started.stdout, started.stderr):
            if stream is not None:
                stream.close()


UP = """
import sys
from pathlib import Path
from bist_pipeline_tests.operations.children import child
from bist_pipeline.core.errors import BistError
from bist_pipeline.operations.home_lock import HomeLock
from bist_pipeline.operations.leftovers import end_leftovers
from bist_pipeline.operations.supervisor.stop_request import stop_on_signals
from bist_pipeline.operations.supervisor.supervisor import Supervisor

home = Path(sys.argv[1])
try:
    with stop_on_signals() as request, HomeLock(home).held("http://127.0.0.1:3000"):
        for one in end_leftovers(home, 1.0):
            sys.stdout.write(f"ended {one.pid}\\n")
        bodies = sys.argv[2:]
        children = [
            child(home, f"child{n}", body, ready=(home / f"ready{n}").exists, stop_timeout_seconds=60)
            for n, body in enumerate(bodies)
        ]
        killed = Supervisor(children, home, lambda event: print(event, flush=True)).run(request)
        sys.stdout.write(f"killed {[one.pid for one in killed]}\\n")
except BistError as error:
    sys.exit(str(error))
"""

REPOSITORY = Path(__file__).parents[2]


def up(home: Path, *bodies: str) -> tuple[str, ...]:
    """Return the command line of a supervisor over `bodies`; child n is ready once `home/ready<n>` exists."""
    return (sys.executable, "-c", UP, str(home), *bodies)


def announced(home: Path, number: int, then: str = FOREVER, before: str = "") -> str:
    """Return a body that writes its pid to `home/ready<number>` and goes on with `then`."""
    return f"{before}\nwrite({str(home / f'ready{number}')!r}, os.getpid())\n{then}"
