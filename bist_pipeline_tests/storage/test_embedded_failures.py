"""What cannot work is told in one line that names the cause and the place."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bist_pipeline.core.errors import EmbeddedServerError
from bist_pipeline.storage.embedded import binaries, locks
from bist_pipeline.storage.embedded.account import choose_account
from bist_pipeline.storage.embedded.diagnosis import one_line
from bist_pipeline.storage.embedded.layout import Layout
from bist_pipeline.storage.embedded.processes import leftovers
from bist_pipeline.storage.embedded.server import EmbeddedServer
from bist_pipeline_tests.storage.embedded_homes import IS_ROOT, ask, python, temporary_home

_START = (
    "import resource, sys; from pathlib import Path\n"
    "from bist_pipeline.storage.embedded.server import EmbeddedServer\n"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\n"
    "EmbeddedServer(Path(sys.argv[1])).start(die_with_parent=True)"
)


@pytest.fixture
def home():
    with temporary_home() as home:
        yield home


def _complaint(home: Path) -> str:
    with pytest.raises(EmbeddedServerError) as caught:
        EmbeddedServer(home).start(die_with_parent=True)
    assert "\n" not in str(caught.value)
    assert leftovers(Layout.of(home)) == []
    return str(caught.value)


def _made(home: Path) -> Path:
    server = EmbeddedServer(home)
    server.start(die_with_parent=True)
    server.stop()
    return home / "postgres" / "data"


def _write_for_ever(descriptor: int) -> None:
    while True:
        os.write(descriptor, bytes(4096))


def _fill(path: Path) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY)
    try:
        with pytest.raises(OSError, match="No space"):
            _write_for_ever(descriptor)
    finally:
        os.close(descriptor)


def test_a_half_made_data_directory_is_cleared_away(home):
    half_made = home / "postgres" / "data.new-killed"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18")
    _made(home)
    assert not half_made.exists()


def test_an_empty_data_directory_is_filled(home):
    (home / "postgres" / "data").mkdir(parents=True)
    _made(home)


def test_a_folder_that_is_no_data_directory_is_left_alone(home):
    data = home / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "thesis.txt").write_text("years of work")
    assert "PG_VERSION is missing" in _complaint(home)
    assert (data / "thesis.txt").exists()


def test_data_of_another_version_is_refused(home):
    (_made(home) / "PG_VERSION").write_text("14\n")
    assert "was made by PostgreSQL 14, the embedded one is 18" in _complaint(home)


@pytest.mark.parametrize("part", ["global/pg_control", "pg_wal", "base", "postgresql.conf"])
def test_a_broken_data_directory_is_one_line_and_names_the_file(home, part):
    victim = _made(home) / part
    shutil.rmtree(victim) if victim.is_dir() else victim.unlink()
    complaint = _complaint(home)
    assert part.rpartition("/")[2] in complaint
    assert "the data directory is damaged" in complaint or "a configuration file" in complaint


def test_what_was_repaired_starts(home):
    control = _made(home) / "global" / "pg_control"
    aside = control.rename(control.with_name("aside"))
    _complaint(home)
    aside.rename(control)
    server = EmbeddedServer(home)
    server.start(die_with_parent=True)
    assert ask(server.url("postgres"), "SELECT 1") == "1"


def test_a_first_start_on_a_small_disk_says_so_and_leaves_nothing_half_made(home):
    started = python(_START, str(home))
    complaint = started.communicate(timeout=60)[1].strip().splitlines()[-1]
    assert "EmbeddedServerError: cannot make the database" in complaint
    assert "the limit on the size of a file is too small" in complaint
    assert [path.name for path in (home / "postgres").iterdir() if path.name.startswith("data")] == []


@pytest.mark.skipif(not IS_ROOT or sys.platform != "linux", reason="only root on Linux can mount a small disk")
def test_a_full_disk_is_named_at_the_first_start_and_at_a_later_one(home):
    home.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=755", "tmpfs", home], check=False)
    if mounted.returncode:
        pytest.skip("mounting is not allowed in this container")
    try:
        assert "the disk is full" in _complaint(home)
        subprocess.run(["mount", "-o", "remount,size=200m", home], check=True)
        _made(home)
        used = shutil.disk_usage(home).used // 4096 * 4 + 4
        subprocess.run(["mount", "-o", f"remount,size={used}k", home], check=True)
        _fill(home / "filler")
        assert "the disk is full" in _complaint(home)
    finally:
        subprocess.run(["umount", home], check=True)


def test_a_home_that_is_a_file_is_one_line(tmp_path):
    (tmp_path / "home").touch()
    assert "home" in _complaint(tmp_path / "home")


def test_a_server_elsewhere_on_the_same_disk_is_not_doubled(home, monkeypatch):
    """The lock that the server's processes inherit is all that is seen of a server in another container."""
    monkeypatch.setattr("bist_pipeline.storage.embedded.server._LEFTOVER_SECONDS", 0.2)
    _made(home)
    layout = Layout.of(home)
    with locks.held(layout.server_lock, locks.fcntl.LOCK_EX, choose_account(layout), seconds=1):
        assert "another process has held" in _complaint(home)


def test_the_servers_own_processes_hold_the_lock(home):
    server = EmbeddedServer(home)
    server.start(die_with_parent=True)
    descriptor = os.open(home / "postgres" / "server.lock", os.O_RDWR)
    assert not locks.try_lock(descriptor, locks.fcntl.LOCK_EX)
    server.stop()
    assert locks.try_lock(descriptor, locks.fcntl.LOCK_EX)
    os.close(descriptor)


def test_a_missing_wheel_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EmbeddedServerError, match="install it, or set BIST_DATABASE_URL"):
        binaries.find_binaries()


def test_a_large_log_is_put_aside(home, monkeypatch):
    monkeypatch.setattr("bist_pipeline.storage.embedded.server._LOG_BYTES", 100)
    _made(home)
    _made(home)
    assert (home / "postgres" / "postgres.log.1").exists()


@pytest.mark.parametrize(
    ("output", "cause"),
    [
        ('FATAL:  could not write lock file "postmaster.pid": No space left on device', "the disk is full"),
        ('FATAL:  data directory "/d" has wrong ownership', "belongs to another account"),
        ("FATAL:  could not map anonymous shared memory: Cannot allocate memory\nHINT:  smaller", "not enough memory"),
        ("FATAL:  database files are incompatible with server\nDETAIL:  version 16", "another version"),
        ("PANIC:  could not locate a valid checkpoint record at 0/1", "damaged"),
        ("initdb: error: could not look up effective user ID 12345: user does not exist", "no entry in /etc/passwd"),
    ],
)
def test_a_known_cause_leads_the_line(output, cause):
    assert cause in one_line(output).partition("(")[0]


def test_an_unknown_cause_is_quoted_and_silence_is_named():
    assert one_line("a\nb\n\nc: strange\n") == "a | b | c: strange"
    assert one_line("") == "no output"
