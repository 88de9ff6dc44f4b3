"""What `up` starts: files, arguments and environment. That it runs is tested with the daemon."""

import sys
import tempfile

import pytest
import yaml

from bist_pipeline.core.errors import BistError
from bist_pipeline.pipeline import up
from bist_pipeline.pipeline.up import children, dagster_home, environment, instance, program, write_instance
from bist_pipeline.settings import load_settings


@pytest.fixture
def local(tmp_path):
    return load_settings(bist_home=tmp_path / "home")


def test_the_socket_lies_in_the_home_where_its_path_is_short_enough():
    with tempfile.TemporaryDirectory(prefix="bist-") as folder:
        settings = load_settings(bist_home=folder)
        with instance(settings) as made:
            assert made.socket == dagster_home(settings) / "code.sock"
            made.socket.touch()
        assert not made.socket.exists()


@pytest.mark.parametrize("name", ["x" * 120, "with a space", "ağaç", "a#b", "it's", "a%20b"])
def test_the_socket_lies_elsewhere_where_the_home_is_long_or_its_name_odd(tmp_path, name):
    settings = load_settings(bist_home=tmp_path / name)
    with instance(settings) as made:
        assert dagster_home(settings) not in made.socket.parents
        assert len(str(made.socket)) <= 100
        assert made.socket.parent.is_dir()
        assert made.workspace.parent == dagster_home(settings)
    assert not made.socket.parent.exists()


def test_the_workspace_names_the_socket(local):
    with instance(local) as made:
        server = yaml.safe_load(made.workspace.read_text())["load_from"][0]["grpc_server"]
    assert server == {"socket": str(made.socket), "location_name": "bist_pipeline.definitions"}


def test_a_socket_that_a_killed_server_left_is_removed(local):
    with instance(local) as made:
        left = made.socket
    left.parent.mkdir(parents=True, exist_ok=True)
    left.touch()
    with instance(local) as made:
        assert not made.socket.exists()


def test_the_instance_file_is_written_and_follows_the_packages_own(local):
    place = write_instance(local) / "dagster.yaml"
    ours = place.read_text()
    assert yaml.safe_load(ours)
    place.write_text("# of an older version\n")
    (place.parent / ".dagster.yaml.written").write_text("# of an older version\n")
    write_instance(local)
    assert place.read_text() == ours


def test_an_instance_file_that_a_person_changed_is_left_alone(local):
    place = write_instance(local) / "dagster.yaml"
    place.write_text(place.read_text() + "\n# mine\n")
    before = place.read_text()
    write_instance(local)
    assert place.read_text() == before


def test_an_instance_file_that_a_person_brought_is_left_alone(local):
    home = dagster_home(local)
    home.mkdir(parents=True)
    (home / "dagster.yaml").write_text("# mine\n")
    write_instance(local)
    assert (home / "dagster.yaml").read_text() == "# mine\n"


def test_no_secret_is_in_the_environment_or_the_arguments(tmp_path):
    settings = load_settings(
        bist_home=tmp_path / "home",
        bist_database_url="postgresql://desk:hush-hush@db.example/bist",
        bist_archive_dir=tmp_path / "archive",
        bist_archive_basis="as_traded",
    )
    variables = environment(settings)
    with instance(settings) as made:
        started = children(settings, made, 3333)
    assert "hush-hush" not in repr((variables, started))
    assert "BIST_DATABASE_URL" not in variables
    assert variables["BIST_ARCHIVE_DIR"] == str(tmp_path / "archive")
    assert variables["BIST_ARCHIVE_BASIS"] == "as_traded"
    assert variables["BIST_HOME"] == str(tmp_path / "home")
    assert variables["DAGSTER_HOME"] == str(tmp_path / "home" / "dagster")


def test_without_an_archive_none_is_named(local):
    assert not {name for name in environment(local) if name.startswith("BIST_ARCHIVE")}


def test_on_a_simulated_market_its_exchange_wins_over_the_persons_shell(tmp_path):
    settings = load_settings(
        bist_home=tmp_path / "home",
        bist_simulation="seed=7 symbols=3 first=2026-01-02",
        yahoo_hosts="http://127.0.0.1:4711",
        yahoo_requests_per_second=0,
        bist_universe=str(tmp_path / "universe.csv"),
    )
    told = load_settings(
        **{k.lower(): v for k, v in environment(settings).items() if k.startswith(("BIST_", "YAHOO_"))}
    )
    for name in ("bist_home", "yahoo_hosts", "yahoo_requests_per_second", "bist_universe", "bist_providers"):
        assert getattr(told, name) == getattr(settings, name)
    assert told.bist_live_providers == settings.bist_live_providers


def test_every_process_gives_the_memory_of_its_threads_back(local):
    assert environment(local)["MALLOC_ARENA_MAX"] == "2"


def test_on_the_live_market_the_persons_shell_decides(local):
    assert {name for name in environment(local) if name.startswith(("BIST_", "YAHOO_"))} == {"BIST_HOME"}


def test_three_processes_start_in_order_with_logs_in_the_home(local):
    with instance(local) as made:
        started = children(local, made, 4321)
    assert [child.name for child in started] == [up.CODE_SERVER, up.WEBSERVER, up.DAEMON]
    assert {child.log.parent for child in started} == {local.bist_home / "logs"}
    web = started[1].argv
    assert web[web.index("-p") + 1] == "4321"
    assert web[web.index("-h") + 1] == "127.0.0.1"
    assert set(up.STOP_ORDER) >= {child.name for child in started}


def test_a_program_that_is_not_installed_is_one_line():
    assert program("dagster").endswith("dagster")
    with pytest.raises(BistError, match=f"dagster-nonsense is not installed beside {sys.executable}"):
        program("dagster-nonsense")
