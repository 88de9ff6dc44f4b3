"""The embedded server: starting, stopping, recovering, whatever the path and whatever was left behind."""

import os
import signal
import sys
import threading
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import unquote

import psutil
import psycopg2
import pytest
from adbc_driver_postgresql import dbapi
from sqlalchemy import create_engine, text

from bist_pipeline.core.errors import EmbeddedServerError
from bist_pipeline.storage.embedded import processes
from bist_pipeline.storage.embedded.configuration import SETTINGS
from bist_pipeline.storage.embedded.layout import Layout
from bist_pipeline.storage.embedded.processes import is_alive, leftovers
from bist_pipeline.storage.embedded.server import EmbeddedServer
from bist_pipeline.storage.embedded.waiting import wait_until
from bist_pipeline_tests.storage.embedded_homes import ask, execute, python, temporary_home
from bist_pipeline_tests.storage.external_server import external_server

_AWKWARD_NAMES = (
    "with a space",
    "ışık-ğüş",
    "100%25",
    'it\'s "quoted"',
    "$HOME `id` \\ ,;&?=#",
    "long-" + "x" * 145,
)


@pytest.fixture(scope="module")
def server():
    with temporary_home() as home:
        server = EmbeddedServer(home)
        server.start(die_with_parent=True)
        yield server


@pytest.fixture(scope="module")
def shared_home():
    with temporary_home() as home:
        yield home


@pytest.fixture
def home(shared_home):
    """A home that was used before, its server stopped: a restart takes a tenth of a first start."""
    yield shared_home
    EmbeddedServer(shared_home).stop()


@pytest.fixture
def new_home():
    with temporary_home() as home:
        yield home


def _none_left(home: Path) -> bool:
    return leftovers(Layout.of(home)) == []


def test_it_runs_after_the_start_and_names_its_process(server):
    assert server.is_running()
    assert psutil.Process(server.pid).name() == "postgres"


def test_it_is_postgresql_18_in_utf8_with_the_builtin_locale(server):
    url = server.url("postgres")
    assert ask(url, "SHOW server_version").startswith("18.")
    question = "SELECT concat_ws(' ', encoding, datlocprovider, datlocale) FROM pg_database WHERE datname = 'postgres'"
    assert ask(url, question) == "6 b C.UTF-8"


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_each_setting_has_its_value_and_a_reason(server, setting):
    assert ask(server.url("postgres"), f"SHOW {setting.name}") == setting.value
    assert setting.reason


def test_it_opens_no_port(server):
    assert not [one for one in _connections(psutil.Process(server.pid)) if one.status == psutil.CONN_LISTEN]
    for child in psutil.Process(server.pid).children():
        with suppress(psutil.NoSuchProcess):  # a connection's process ends with its connection
            assert not [one for one in _connections(child) if one.status == psutil.CONN_LISTEN]


def _connections(process):
    return process.net_connections("inet")


def test_it_inherits_nothing_of_the_environment(server):
    assert psutil.Process(server.pid).environ() == {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def test_a_terminals_interrupt_does_not_reach_it(server):
    assert os.getsid(server.pid) == server.pid


def test_only_its_owner_reaches_data_and_socket(server):
    socket_directory = Path(unquote(server.url("x").split("host=")[1].split("&")[0]))
    root = server.log.parent
    assert {path.stat().st_mode & 0o777 for path in (root, root / "data", socket_directory)} == {0o700}


def test_psycopg2_sqlalchemy_and_adbc_all_take_the_url(server):
    url = server.url("postgres")
    assert ask(url, "SELECT current_database()") == "postgres"
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg2:"))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT current_user")).scalar() == "postgres"
    engine.dispose()
    with dbapi.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 7::int")
        assert cursor.fetchone() == (7,)


@pytest.mark.parametrize("variable", ["PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGDATA"])
def test_no_variable_of_the_user_diverts_the_url(server, monkeypatch, variable):
    monkeypatch.setenv(variable, "6543")
    assert ask(server.url("postgres"), "SELECT current_user || current_database()") == "postgrespostgres"


@pytest.mark.parametrize("name", ["dagster", 'Büyük "Veri" %s'])
def test_a_database_is_made_once_in_utf8(server, name):
    server.ensure_database(name)
    server.ensure_database(name)
    assert ask(server.url(name), "SHOW server_encoding") == "UTF8"


def test_a_database_that_cannot_be_made_is_one_line(new_home):
    with pytest.raises(EmbeddedServerError, match=r"^cannot create the database x .*[^\n]$"):
        EmbeddedServer(new_home).ensure_database("x")


def test_starting_twice_attaches(server):
    pid = server.pid
    again = EmbeddedServer(server.log.parent.parent)
    again.start(die_with_parent=False)
    assert (again.pid, again.url("x")) == (pid, server.url("x"))


def test_two_ways_to_one_home_meet_in_one_server(server, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(server.log.parent.parent)
    assert EmbeddedServer(link).pid == server.pid


def test_a_thread_that_started_it_may_end(home):
    server = EmbeddedServer(home)
    thread = threading.Thread(target=server.start, kwargs={"die_with_parent": True})
    thread.start()
    thread.join()
    assert not wait_until(lambda: not server.is_running(), 0.5)
    assert ask(server.url("postgres"), "SELECT 1") == "1"


def test_an_object_alone_touches_nothing(new_home):
    server = EmbeddedServer(new_home)
    assert not server.is_running()
    assert server.pid is None
    assert server.url("x")
    server.stop()
    assert not new_home.exists()


def test_a_restart_keeps_the_data_and_a_second_stop_does_nothing(home):
    server = EmbeddedServer(home)
    server.start(die_with_parent=True)
    first = server.pid
    execute(server.url("postgres"), "CREATE TABLE kept AS SELECT 42 AS answer")
    server.stop()
    server.stop()
    assert not server.is_running()
    assert _none_left(home)
    server.start(die_with_parent=True)
    assert server.pid != first
    assert ask(server.url("postgres"), "SELECT answer FROM kept") == "42"


@pytest.mark.parametrize("name", _AWKWARD_NAMES, ids=lambda name: name[:12].strip())
def test_any_path_will_do(name):
    with temporary_home(name) as home:
        server = EmbeddedServer(home)
        server.start(die_with_parent=True)
        assert Path(ask(server.url("postgres"), "SHOW data_directory")) == Layout.of(home).data
        where = Path(ask(server.url("postgres"), "SHOW unix_socket_directories"))
        server.stop()
        assert not where.exists()


@pytest.mark.parametrize("whose", ["nobody's", "ours", "garbage", "a zombie's"])
def test_a_stale_pid_file_does_not_hinder_a_start(home, whose):
    server = EmbeddedServer(home)
    server.start(die_with_parent=True)
    content = (Layout.of(home).data / "postmaster.pid").read_text().splitlines()
    server.stop()
    ended = python("pass")
    assert wait_until(lambda: psutil.Process(ended.pid).status() == psutil.STATUS_ZOMBIE, 30)
    pid = {"nobody's": "4000000", "ours": str(os.getpid()), "garbage": "x", "a zombie's": str(ended.pid)}[whose]
    (Layout.of(home).data / "postmaster.pid").write_text("\n".join([pid, *content[1:]]))
    (home / "postgres" / "run").mkdir(exist_ok=True)
    (home / "postgres" / "run" / ".s.PGSQL.5432.lock").write_text("\n".join([pid, *content[1:]]))
    assert not server.is_running()
    server.start(die_with_parent=True)
    assert ask(server.url("postgres"), "SELECT 1") == "1"
    ended.communicate()


def test_it_recovers_after_its_main_process_was_killed(home):
    server = EmbeddedServer(home)
    server.start(die_with_parent=True)
    execute(server.url("postgres"), "CREATE TABLE survivor AS SELECT 42 AS answer")
    psutil.Process(server.pid).kill()
    server.start(die_with_parent=True)
    assert ask(server.url("postgres"), "SELECT answer FROM survivor") == "42"
    assert len({process.ppid() for process in leftovers(Layout.of(home)) if process.pid != server.pid}) == 1


def test_a_child_that_outlives_its_main_process_is_ended_first(home, monkeypatch):
    monkeypatch.setattr("bist_pipeline.storage.embedded.server._LEFTOVER_SECONDS", 0.3)
    server = EmbeddedServer(home)
    server.start(die_with_parent=True)
    with closing(psycopg2.connect(server.url("postgres"))) as connection:
        backend = psutil.Process(connection.info.backend_pid)
        backend.suspend()  # it will not notice that its parent is gone
        psutil.Process(server.pid).kill()
        server.start(die_with_parent=True)
        assert not is_alive(backend)
    assert ask(server.url("postgres"), "SELECT 1") == "1"


def test_a_server_that_does_not_react_is_ended_by_force(home, monkeypatch):
    monkeypatch.setattr(processes, "_KILL_SECONDS", 0.5)
    server = EmbeddedServer(home)
    server.start(die_with_parent=True)
    psutil.Process(server.pid).suspend()
    server.stop(timeout=0.2)
    assert not server.is_running()
    assert _none_left(home)


def test_a_server_that_does_not_answer_is_named(home, monkeypatch):
    server = EmbeddedServer(home)
    server.start(die_with_parent=True)
    process = psutil.Process(server.pid)
    process.suspend()
    monkeypatch.setattr("bist_pipeline.storage.embedded.server._QUIET_SECONDS", 0.1)
    monkeypatch.setattr("bist_pipeline.storage.embedded.connections._CONNECT_SECONDS", 1)
    with pytest.raises(EmbeddedServerError, match=rf"does not answer \(process {process.pid}\)[^\n]*$"):
        server.start(die_with_parent=True)
    process.resume()
    monkeypatch.undo()
    server.start(die_with_parent=True)
    assert server.pid == process.pid


def test_a_server_whose_socket_was_cleared_away_is_started_anew(home):
    server = EmbeddedServer(home)
    server.start(die_with_parent=True)
    first = server.pid
    for entry in (home / "postgres" / "run").iterdir():
        entry.unlink()
    server.start(die_with_parent=True)
    assert server.pid != first
    assert ask(server.url("postgres"), "SELECT 1") == "1"


def test_a_full_server_counts_as_running(home, monkeypatch):
    monkeypatch.setattr(
        "bist_pipeline.storage.embedded.server.server_arguments",
        lambda layout, sockets: (
            "-D",
            str(layout.data),
            "-c",
            "max_connections=5",
            "-c",
            f"unix_socket_directories={sockets}",
            "-c",
            "listen_addresses=",
            "-c",
            "superuser_reserved_connections=1",
            "-c",
            "max_wal_senders=0",
        ),
    )
    server = EmbeddedServer(home)
    server.start(die_with_parent=True)
    connections = [psycopg2.connect(server.url("postgres")) for _ in range(5)]
    EmbeddedServer(home).start(die_with_parent=True)
    for connection in connections:
        connection.close()


def test_a_home_that_was_moved_while_it_ran_is_served_again(home):
    server = EmbeddedServer(home)
    server.start(die_with_parent=True)
    moved = home.with_name("moved")
    home.rename(moved)
    there = EmbeddedServer(moved)
    there.start(die_with_parent=True)
    assert ask(there.url("postgres"), "SELECT 1") == "1"
    there.stop()
    assert _none_left(moved)
    moved.rename(home)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_it_ends_with_a_supervisor_that_was_killed(home):
    code = (
        "import sys; from pathlib import Path; from bist_pipeline.storage.embedded.server import EmbeddedServer\n"
        "server = EmbeddedServer(Path(sys.argv[1])); server.start(die_with_parent=True)\n"
        "print(server.pid, flush=True); sys.stdin.readline()"
    )
    supervisor = python(code, str(home))
    assert supervisor.stdout is not None
    assert int(supervisor.stdout.readline()) == EmbeddedServer(home).pid
    supervisor.send_signal(signal.SIGKILL)
    supervisor.communicate()
    assert wait_until(lambda: _none_left(home), 30)
    assert "fast shutdown" in EmbeddedServer(home).log.read_text()


def test_an_external_server_wants_its_password():
    with external_server("max_connections=20") as external:
        assert ask(external.url, "SHOW max_connections") == "20"
        wrong = f"postgresql://postgres:wrong@127.0.0.1:{external.port}/postgres"
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            psycopg2.connect(wrong)
