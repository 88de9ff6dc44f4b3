"""Helpers for tests of the embedded server: homes, and other processes that use it.

Belongs here: what several `test_embedded*.py` need. Homes do not lie in pytest's `tmp_path`: its parent is closed to
other accounts, and pytest closes it again at every start, under the feet of a server that root lent an account.
"""

import os
import pwd
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from bist_pipeline.storage.embedded.server import EmbeddedServer

IS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not IS_ROOT, reason="only root can work as several accounts")
_PATIENCE_SECONDS = 60

_USER = """
import sys
from pathlib import Path
from bist_pipeline.storage.embedded.usage import use_server
options = {name: True for name in sys.argv[2:]}
with use_server(Path(sys.argv[1]), **options) as server:
    print(server.pid, server.url("postgres"), flush=True)
    sys.stdin.readline()
"""


@contextmanager
def temporary_home(name: str = "home") -> Iterator[Path]:
    """Yield a home that does not exist yet; stop its server and remove it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="bist-embedded-"))
    folder.chmod(0o755)
    try:
        yield folder / name
    finally:
        EmbeddedServer(folder / name).stop()
        shutil.rmtree(folder)


def ask(url: str, question: str) -> str:
    """Return the first value that a query answers, as text."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(question)
        row = cursor.fetchone()
        connection.commit()
    return str(row[0]) if row else ""


def execute(url: str, statement: str) -> None:
    """Run and commit one statement."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        connection.commit()


@dataclass(frozen=True, slots=True)
class Person:
    """Another account of this machine, with a Python that it may run.

    Attributes:
        uid: Its id.
        gid: Its group.
        interpreter: The Python.
        env: Where that Python finds its libraries and ours.
    """

    uid: int
    gid: int
    interpreter: str
    env: dict[str, str]

    @property
    def identity(self) -> dict[str, Any]:
        """What `subprocess` takes."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


@contextmanager
def other_people(count: int) -> Iterator[list[Person]]:
    """Yield accounts that are neither root's nor the ones that root lends to a server.

    Root's Python may lie where nobody else may read (pyenv in /root); then they get a copy of it.
    """
    entries = [entry for entry in pwd.getpwall() if entry.pw_uid != 0 and entry.pw_name not in ("postgres", "nobody")]
    with tempfile.TemporaryDirectory(prefix="bist-python-") as folder:
        Path(folder).chmod(0o755)
        people = [Person(entry.pw_uid, entry.pw_gid, sys.executable, {}) for entry in entries[:count]]
        if not all(_can_run(person) for person in people):
            interpreter, env = _copy_python(Path(folder))
            people = [Person(person.uid, person.gid, interpreter, env) for person in people]
        if not all(_can_run(person) for person in people):
            pytest.skip("no other account can read this checkout and its environment")
        yield people


def _can_run(person: Person) -> bool:
    try:
        answer = subprocess.run(
            [person.interpreter, "-c", "import bist_pipeline.storage.embedded.server"],
            env={**os.environ, **person.env},
            cwd="/",
            check=False,
            capture_output=True,
            **person.identity,
        )
    except PermissionError:
        return False
    return answer.returncode == 0


def _copy_python(folder: Path) -> tuple[str, dict[str, str]]:
    base, version = Path(sys.base_prefix), f"python{sys.version_info.major}.{sys.version_info.minor}"
    for name in ("bin", "lib"):
        (folder / name).mkdir()
    shutil.copy(base / "bin" / version, folder / "bin" / version)
    for library in (base / "lib").glob("libpython*"):
        shutil.copy(library, folder / "lib" / library.name)
    unneeded = shutil.ignore_patterns("test", "tests", "site-packages", "idlelib", "lib2to3", "config-*", "__pycache__")
    shutil.copytree(base / "lib" / version, folder / "lib" / version, ignore=unneeded)
    checkout = Path(__file__).resolve().parents[2]
    found = os.pathsep.join([str(checkout), sysconfig.get_path("purelib")])
    return str(folder / "bin" / version), {"PYTHONPATH": found, "LD_LIBRARY_PATH": str(folder / "lib")}


def python(
    code: str, *arguments: str, person: Person | None = None, env: dict[str, str] | None = None
) -> "subprocess.Popen[str]":
    """Start a Python process, as another account where one is named."""
    identity = {} if person is None else person.identity
    interpreter = sys.executable if person is None else person.interpreter
    return subprocess.Popen(
        [interpreter, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
        env={**os.environ, **(person.env if person else {}), **(env or {})},
        start_new_session=True,
        **identity,
    )


@dataclass(frozen=True, slots=True)
class User:
    """A process inside `use_server`."""

    process: "subprocess.Popen[str]"
    server_pid: int
    url: str

    def leave(self) -> None:
        """Let it leave the block; return when it has ended."""
        _, complaint = self.process.communicate("\n", timeout=_PATIENCE_SECONDS)
        assert self.process.returncode == 0, complaint

    def kill(self) -> None:
        """End it without a chance to tidy up."""
        self.process.kill()
        self.process.communicate(timeout=_PATIENCE_SECONDS)


def enter_all(processes: Sequence["subprocess.Popen[str]"]) -> list[User]:
    """Wait until each process is inside its block."""
    return [_entered(process) for process in processes]


def start_user(home: Path, *options: str, person: Person | None = None) -> User:
    """Start a process that uses the server, and wait until it is inside the block."""
    return _entered(launch_user(home, *options, person=person))


def launch_user(home: Path, *options: str, person: Person | None = None) -> "subprocess.Popen[str]":
    """Start a process that uses the server, without waiting."""
    return python(_USER, str(home), *options, person=person)


def _entered(process: "subprocess.Popen[str]") -> User:
    assert process.stdout is not None
    words = process.stdout.readline().split()
    if not words:
        _, complaint = process.communicate(timeout=_PATIENCE_SECONDS)
        raise AssertionError(complaint)
    return User(process, int(words[0]), words[1])
