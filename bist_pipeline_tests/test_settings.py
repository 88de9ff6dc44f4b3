import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bist_pipeline.core.errors import SettingsError
from bist_pipeline.settings import (
    DEFAULT_HOME,
    HOME_FILE,
    SIMULATED_HOME,
    YAHOO_HOSTS,
    Settings,
    home_of_up,
    load_settings,
    remember,
)

# What a path may hold and the file can keep; NUL is in no path, surrogates are no text.
paths = st.text(st.characters(exclude_characters="\0\n\r", exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
    lambda text: "${" not in text
)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Return a home that the environment names, with nothing else set."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("BIST_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def refusal(**overrides):
    with pytest.raises(SettingsError) as caught:
        load_settings(**overrides)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_without_any_variable_the_home_lies_in_the_working_folder(home, monkeypatch, tmp_path):
    monkeypatch.delenv("BIST_HOME")
    settings = load_settings()
    assert settings.bist_home == tmp_path / ".bist"
    assert settings.bist_database_url is None
    assert settings.bist_universe == "packaged"
    assert settings.bist_providers == ("yahoo_chart", "yfinance")
    assert settings.bist_live_providers == ("yahoo_quote", "yahoo_spark", "yahoo_chart")
    assert not home.exists()


def test_an_override_wins_over_the_environment_and_that_over_the_file(home, monkeypatch):
    home.mkdir()
    (home / HOME_FILE).write_text("BIST_EXECUTOR=multiprocess\nCOLLECTOR_MAX_WORKERS=2\nBIST_ARCHIVE_BASIS=as_traded\n")
    monkeypatch.setenv("COLLECTOR_MAX_WORKERS", "3")
    monkeypatch.setenv("BIST_ARCHIVE_BASIS", "split_adjusted")
    settings = load_settings(bist_archive_basis="fully_adjusted", bist_executor=None)
    assert settings.bist_executor == "multiprocess"
    assert settings.collector_max_workers == 3
    assert settings.bist_archive_basis == "fully_adjusted"


def test_an_empty_variable_is_as_good_as_none(home, monkeypatch):
    for name in (
        "BIST_DATABASE_URL",
        "BIST_ARCHIVE_DIR",
        "BIST_PROVIDERS",
        "BIST_HOME",
        "YAHOO_HOSTS",
        "YF_USER_AGENTS",
    ):
        monkeypatch.setenv(name, "")
    settings = load_settings()
    assert settings.bist_database_url is None
    assert settings.bist_archive_dir is None
    assert settings.bist_providers == ("yahoo_chart", "yfinance")
    assert settings.yahoo_hosts == YAHOO_HOSTS
    assert settings.yf_user_agents == ()
    assert settings.bist_home.name == ".bist"


def test_paths_become_absolute(home, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    monkeypatch.setenv("BIST_ARCHIVE_DIR", "prices")
    monkeypatch.setenv("BIST_KILL_SWITCH", "~/stop")
    monkeypatch.setenv("BIST_UNIVERSE", "lists/mine.csv")
    monkeypatch.setenv("BIST_HOME", "there")
    settings = load_settings()
    assert settings.bist_archive_dir == tmp_path / "prices"
    assert settings.bist_kill_switch == tmp_path / "person" / "stop"
    assert settings.bist_universe == str(tmp_path / "lists" / "mine.csv")
    assert settings.bist_home == tmp_path / "there"
    assert settings.with_home(Path("elsewhere")).bist_home == tmp_path / "elsewhere"
    assert home != settings.bist_home


def test_providers_are_separated_by_commas(home, monkeypatch):
    monkeypatch.setenv("BIST_PROVIDERS", " archive , other,")
    assert load_settings().bist_providers == ("archive", "other")


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("BIST_EXECUTOR", "threads", "(legal: in_process, multiprocess)"),
        ("BIST_ARCHIVE_BASIS", "adjusted", "(legal: as_traded, split_adjusted, fully_adjusted)"),
        ("BIST_PROVIDERS", " , ", "name at least one provider"),
        ("COLLECTOR_MAX_WORKERS", "0", "greater than or equal to 1"),
        ("COLLECTOR_MAX_WORKERS", "many", "valid integer"),
        ("YAHOO_HOSTS", "query2.finance.yahoo.com", "is no base URL like https://query2.finance.yahoo.com"),
        ("YAHOO_HOSTS", "https://query2.finance.yahoo.com/v8", "is no base URL"),
        ("YAHOO_HOSTS", "https://query2.finance.yahoo.com?x=1", "is no base URL"),
        ("YAHOO_HOSTS", "ftp://127.0.0.1", "is no base URL"),
        ("YAHOO_HOSTS", "http://", "is no base URL"),
        ("YAHOO_HOSTS", "http://query2.finance.yahoo.com", "http is legal on loopback alone, use https"),
        ("YAHOO_HOSTS", "http://192.168.0.7:8000", "http is legal on loopback alone, use https"),
        ("YAHOO_HOSTS", "http://127.0.0.1.example.com", "http is legal on loopback alone, use https"),
        ("YAHOO_HOSTS", " , ", "name at least one base URL"),
        ("YAHOO_REQUESTS_PER_SECOND", "-1", "greater than or equal to 0"),
        ("YAHOO_REQUESTS_PER_SECOND", "11", "less than or equal to 10"),
        ("YAHOO_REQUESTS_PER_SECOND", "nan", "less than or equal to 10"),
        ("YAHOO_REQUESTS_PER_SECOND", "inf", "less than or equal to 10"),
        ("YF_MAX_RETRIES", "-1", "greater than or equal to 0"),
        ("YF_MAX_RETRIES", "11", "less than or equal to 10"),
        ("YF_MAX_RETRIES", "1.5", "valid integer"),
        ("YF_BACKOFF_BASE_SECONDS", "0", "greater than 0"),
        ("YF_BACKOFF_BASE_SECONDS", "61", "less than or equal to 60"),
        ("COLLECTOR_BATCH_SIZE", "0", "greater than or equal to 1"),
        ("COLLECTOR_BATCH_SIZE", "1001", "less than or equal to 1000"),
        ("BIST_HOME", "~nobody-of-this-name/x", "has no home directory"),
        ("BIST_ARCHIVE_DIR", "~nobody-of-this-name/x", "has no home directory"),
        ("BIST_UNIVERSE", "~nobody-of-this-name/x", "has no home directory"),
    ],
)
def test_an_illegal_value_is_refused_naming_the_variable_and_what_is_legal(home, monkeypatch, name, value, reason):
    monkeypatch.setenv(name, value)
    message = refusal()
    assert message.startswith(f"{name} = {value!r}: ")
    assert reason in message
    assert not home.exists()


LOOPBACK = "http://127.0.0.1:8000"


def test_hosts_are_base_urls_in_their_order(home, monkeypatch):
    monkeypatch.setenv("YAHOO_HOSTS", f" https://a.example/ ,{LOOPBACK}, ")
    assert load_settings().yahoo_hosts == ("https://a.example", LOOPBACK)


@pytest.mark.parametrize(
    ("hosts", "answer"),
    [
        (LOOPBACK, True),
        ("http://localhost:8000,https://[::1]:9", True),
        ("https://127.9.9.9", True),
        (f"{LOOPBACK},https://query2.finance.yahoo.com", False),
        ("https://localhost.example.com", False),
        (",".join(YAHOO_HOSTS), False),
    ],
)
def test_only_where_every_host_is_this_machine_it_asks_loopback(home, hosts, answer):
    assert load_settings(yahoo_hosts=hosts).asks_loopback is answer


def test_no_pacing_is_legal_for_loopback_alone(home, monkeypatch):
    monkeypatch.setenv("YAHOO_REQUESTS_PER_SECOND", "0")
    assert "YAHOO_REQUESTS_PER_SECOND = 0, no pacing, is legal for loopback hosts alone" in refusal()
    assert "for loopback hosts alone" in refusal(yahoo_hosts=f"{LOOPBACK},{YAHOO_HOSTS[0]}")
    assert load_settings(yahoo_hosts=LOOPBACK).yahoo_requests_per_second == 0


@pytest.mark.parametrize(
    ("text", "agents"),
    [
        ("Browser/1.0", ("Browser/1.0",)),
        ("'A/1 (X11; Linux, like Gecko)' | \"B/2\"", ("A/1 (X11; Linux, like Gecko)", "B/2")),
        ("\"A/1\"|'B/2'|C/3", ("A/1", "B/2", "C/3")),
        (" | '' |\"\"| ", ()),
        ("'it''s/1'", ("it''s/1",)),
    ],
)
def test_user_agents_are_separated_by_bars_and_lose_their_quotes(home, monkeypatch, text, agents):
    monkeypatch.setenv("YF_USER_AGENTS", text)
    assert load_settings().yf_user_agents == agents


def test_user_agents_survive_being_remembered(home):
    remember(load_settings(), {"YF_USER_AGENTS": "'A/1 (X11; \\ Linux)'|\"B/2\""})
    assert load_settings().yf_user_agents == ("A/1 (X11; \\ Linux)", "B/2")


def test_a_folder_of_files_alone_means_that_nothing_is_asked_of_yahoo(home, monkeypatch):
    monkeypatch.setenv("BIST_ARCHIVE_DIR", "prices")
    settings = load_settings()
    assert (settings.bist_providers, settings.bist_live_providers) == (("archive",), ())


def test_a_folder_of_files_beside_named_providers_changes_none_of_them(home, monkeypatch):
    monkeypatch.setenv("BIST_ARCHIVE_DIR", "prices")
    monkeypatch.setenv("BIST_PROVIDERS", "archive,yahoo_chart")
    monkeypatch.setenv("BIST_LIVE_PROVIDERS", "yahoo_quote")
    settings = load_settings()
    assert (settings.bist_providers, settings.bist_live_providers) == (("archive", "yahoo_chart"), ("yahoo_quote",))


def test_a_remembered_folder_of_files_means_the_same(home):
    remember(load_settings(), {"BIST_ARCHIVE_DIR": str(home / "prices")})
    settings = load_settings()
    assert (settings.bist_providers, settings.bist_live_providers) == (("archive",), ())


def test_there_may_be_no_live_provider(home, monkeypatch):
    monkeypatch.setenv("BIST_LIVE_PROVIDERS", " , ")
    assert load_settings().bist_live_providers == ()


def test_what_the_limits_allow_is_read(home, monkeypatch):
    told = {"YAHOO_REQUESTS_PER_SECOND": "0.5", "YF_MAX_RETRIES": "0", "YF_BACKOFF_BASE_SECONDS": "0.25"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    settings = load_settings(collector_batch_size=1)
    assert settings.yahoo_requests_per_second == 0.5
    assert (settings.yf_max_retries, settings.yf_backoff_base_seconds) == (0, 0.25)
    assert settings.collector_batch_size == 1


@pytest.mark.parametrize(
    ("started", "meant"),
    [
        ((), ".bist"),
        ((".bist-simulated",), ".bist-simulated"),
        ((".bist",), ".bist"),
        ((".bist", ".bist-simulated"), ".bist-simulated"),
        ((".bist-simulated", ".bist"), ".bist"),
    ],
)
def test_without_a_name_the_home_in_which_up_was_last_started_is_meant(home, monkeypatch, tmp_path, started, meant):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BIST_HOME")
    for second, name in enumerate(started):
        (tmp_path / name).mkdir()
        (tmp_path / name / "settings.env").touch()
        os.utime(tmp_path / name / "settings.env", (second, second))
    assert load_settings().bist_home == tmp_path / meant
    assert home != load_settings().bist_home


def test_a_home_that_was_filled_without_up_stays_the_one_that_is_meant(home, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BIST_HOME")
    for name in (".bist", ".bist-simulated"):
        (tmp_path / name).mkdir()
    (tmp_path / ".bist-simulated" / "settings.env").touch()
    assert load_settings().bist_home == tmp_path / ".bist"


def test_up_keeps_a_home_for_each_kind_of_market_unless_one_is_named(home, monkeypatch):
    assert home_of_up(simulated=True) == home_of_up(simulated=False) == home
    monkeypatch.delenv("BIST_HOME")
    assert home_of_up(simulated=True) == Path(SIMULATED_HOME)
    assert home_of_up(simulated=False) == Path(DEFAULT_HOME)


def test_every_illegal_value_is_named_at_once(home, monkeypatch):
    monkeypatch.setenv("BIST_EXECUTOR", "threads")
    monkeypatch.setenv("COLLECTOR_MAX_WORKERS", "many")
    assert refusal().count(" = ") == 2
    assert not home.exists()


def test_an_unknown_override_is_refused(home):
    assert refusal(bist_hmoe=home) == "no setting is called bist_hmoe"


def test_the_password_is_not_shown(home, monkeypatch):
    monkeypatch.setenv("BIST_DATABASE_URL", "postgresql://user:secret@host/database")
    settings = load_settings()
    assert "secret" not in repr(settings)
    assert settings.bist_database_url is not None
    assert "secret" in settings.bist_database_url.get_secret_value()
    assert "secret" not in refusal(bist_database_url=["secret"])
    assert settings.bist_home == home


def test_settings_cannot_be_changed(home):
    with pytest.raises(ValueError, match="frozen"):
        load_settings().bist_home = home


def test_what_was_remembered_holds_for_other_commands_until_replaced(home):
    remember(load_settings(), {"BIST_EXECUTOR": "multiprocess", "BIST_PROVIDERS": "archive,other"})
    assert load_settings().bist_executor == "multiprocess"
    remember(load_settings(), {"BIST_EXECUTOR": "in_process"})
    assert load_settings().bist_executor == "in_process"
    assert load_settings().bist_providers == ("archive", "other")
    assert [path.name for path in home.iterdir()] == [HOME_FILE]
    assert stat.S_ISREG((home / HOME_FILE).stat().st_mode)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(paths)
def test_any_path_can_be_remembered_twice_over(home, name):
    expected = home / name
    remember(load_settings(), {"BIST_KILL_SWITCH": str(expected)})
    remember(load_settings(), {"BIST_EXECUTOR": "multiprocess"})
    assert load_settings().bist_kill_switch == expected
    assert load_settings().bist_executor == "multiprocess"


@pytest.mark.parametrize("value", ["/a\nb", "/a\rb", "/${HOME}"])
def test_what_the_file_would_change_is_refused(home, value):
    with pytest.raises(SettingsError, match=r"BIST_KILL_SWITCH = .* cannot be remembered"):
        remember(load_settings(), {"BIST_KILL_SWITCH": value})
    assert not home.exists()


def test_the_file_of_a_home_cannot_name_another_home(home, monkeypatch, tmp_path):
    monkeypatch.delenv("BIST_HOME")
    default = tmp_path / ".bist"
    default.mkdir()
    (default / HOME_FILE).write_text(f"BIST_HOME={home}\nBIST_EXECUTOR=multiprocess\n")
    assert load_settings().bist_home == default
    assert load_settings().bist_executor == "multiprocess"


def test_an_unreadable_file_is_refused_by_its_path(home):
    home.mkdir()
    (home / HOME_FILE).write_bytes(b"BIST_UNIVERSE='\xde.csv'\n")
    assert refusal().startswith(f"{home / HOME_FILE} cannot be read: ")
