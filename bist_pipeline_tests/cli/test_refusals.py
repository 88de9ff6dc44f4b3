"""Nonsense gives one clear line and a non-zero exit, and changes nothing."""

import os
import socket
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bist_pipeline_tests.cli.commands import contents, refusal, run, run_apart
from bist_pipeline_tests.desks import SYMBOLS, make_desk
from bist_pipeline_tests.end_to_end.site import free_port
from bist_pipeline_tests.storage.external_server import external_server

WEEK = ("--start", "2022-01-03", "--end", "2022-01-07")
CHECKOUT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("signals", "--symbol", "NOSUCH"), "not in the universe"),
        (("signals", "--symbol", "ZZAAA,NOSUCH"), "NOSUCH"),
        (("signals", "--symbol", "no symbol at all!"), "no symbol at all!"),
        (("signals", "--date", "2009-12-31"), "2010-01-04"),
        (("signals", "--date", "2030-01-02"), "2030-01-02"),
        (("signals", "--date", "yesterday"), "'yesterday' is no date; write it as 2026-08-07"),
        (("signals", "--date", "2022-02-30"), "'2022-02-30' is no date"),
        (("signals", "--date", "2021-04-23"), "the exchange was closed"),
        (("signals", "--date", "2022-01-08"), "the exchange was closed"),
        (("signals", "--as-of", "2022-01-03T10:00"), "has no time zone; write it as 2026-08-07T18:30+03:00"),
        (("signals", "--as-of", "noon"), "'noon' is no timestamp"),
        (("signals", "--as-of", "2020-01-01T00:00+03:00"), "no signals yet as of 2020-01-01T00:00:00+03:00"),
        (("signals", "--format", "xml"), "'xml' is not one of 'table', 'csv', 'json', 'parquet'"),
        (("backfill", "--start", "2022-01-07", "--end", "2022-01-03"), "2022-01-07"),
        (("backfill", "--start", "2009-06-01", "--end", "2022-01-03"), "2010-01-04"),
        (("backfill", "--start", "2022-01-03", "--end", "2040-01-02"), "2040-01-02"),
        (("backfill", "--start", "2022-01-03", "--end", "soon"), "'soon' is no date"),
        (("backfill", "--start", "2022-01-03"), "Missing option '--end'"),
        (("backfill", *WEEK, "--symbols", "NOSUCH"), "not in the universe"),
        (("export", "--out", "{tmp}/out", "--start", "2022-01-07", "--end", "2022-01-03"), "2022-01-07"),
        (("export", "--out", "{tmp}/out", "--start", "2001-01-01"), "2010-01-04"),
        (("export",), "Missing option '--out'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_nonsense_is_refused_in_one_line_and_changes_nothing(untouched, tmp_path, arguments, reason):
    before = contents(untouched)
    told = refusal(run(*(argument.replace("{tmp}", str(tmp_path)) for argument in arguments)))
    assert reason in told
    assert contents(untouched) == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, "is not a folder"),
        (lambda path: path.write_text("Date,Close\n"), "is not a folder"),
        (lambda path: path.mkdir(), "holds no data file named after a symbol"),
        (lambda path: (path.mkdir(), (path / "notes.pdf").write_text("x")), "holds no data file named after a symbol"),
    ],
    ids=["missing", "a file", "empty", "without a data file"],
)
@pytest.mark.parametrize("command", ["backfill", "up"])
def test_an_archive_that_is_none_is_refused(untouched, tmp_path, make, reason, command):
    make(tmp_path / "prices")
    before = contents(untouched)
    more = WEEK if command == "backfill" else ()
    told = refusal(run(command, "--archive", str(tmp_path / "prices"), *more))
    assert f"BIST_ARCHIVE_DIR = {tmp_path / 'prices'} {reason}" in told
    assert "bist-pipeline up --archive DIR" in told
    assert contents(untouched) == before
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("code\nZZAAA\n", "no single column `symbol`"),
        ("symbol\n", "names no symbol"),
        ("symbol\nZZAAA\nZZAAA\n", "line 3: ZZAAA is already on line 2"),
        ("symbol,in_xu030\nZZAAA,perhaps\n", "in_xu030 = 'perhaps'"),
        (None, "cannot be read"),
    ],
)
def test_a_broken_universe_is_refused_by_file_and_line(untouched, monkeypatch, tmp_path, text, reason):
    path = tmp_path / "mine.csv"
    if text is not None:
        path.write_text(text)
    monkeypatch.setenv("BIST_UNIVERSE", str(path))
    before = contents(untouched)
    told = refusal(run("backfill", *WEEK))
    assert f"universe {path}" in told
    assert reason in told
    assert contents(untouched) == before


def test_a_text_in_a_price_column_fails_that_symbol_by_name_and_no_other(unfilled, tmp_path, monkeypatch):
    desk = make_desk(tmp_path / "own", symbols=10, sessions=30)
    spoilt = desk.archive / "ZZAAC.csv"
    lines = spoilt.read_text().splitlines()
    lines[5] = lines[5].replace(lines[5].split(",")[4], "dear")
    spoilt.write_text("\n".join(lines) + "\n")
    days = ("--start", "2021-01-04", "--end", "2021-02-10")
    monkeypatch.setenv("BIST_UNIVERSE", str(desk.universe))
    result = run("backfill", "--archive", str(desk.archive), *days)
    told = [line for line in result.stderr.splitlines() if line.startswith("bist-pipeline: ")]
    assert result.exit_code == 1
    assert len(told) == 1
    assert "1 of 10 symbols failed: ZZAAC" in told[0]
    assert "ZZAAC.csv" in told[0]
    assert "line 6" in told[0]
    assert "'dear'" in told[0]
    served = unfilled.rows("SELECT count(DISTINCT symbol) AS n FROM serving.prices_v1")[0].n
    assert served == 9


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://root@localhost/bist", "got the scheme 'mysql'"),
        ("postgresql://user:secret@localhost", "the database's name is missing"),
        ("secret place", "what was given is no URL"),
        ("postgresql://user:secret@127.0.0.1:1/bist", "is the database running?"),
        ("postgresql://user:secret@no-such-host.invalid/bist", "no-such-host.invalid"),
    ],
)
@pytest.mark.parametrize("command", [("status",), ("signals",), ("backfill", *WEEK), ("env",), ("up",)], ids=" ".join)
def test_a_wrong_database_address_is_refused_without_showing_the_password(
    untouched, monkeypatch, tmp_path, url, reason, command
):
    monkeypatch.setenv("BIST_DATABASE_URL", url)
    told = refusal(run(*command))
    assert reason in told
    assert "secret" not in told


def test_a_wrong_password_is_refused_in_one_line(monkeypatch):
    with external_server() as server:
        parts = urlsplit(server.url)
        monkeypatch.setenv("BIST_DATABASE_URL", f"postgresql://postgres:guess@127.0.0.1:{parts.port}/postgres")
        told = refusal(run("status"))
        assert "password" in told
        assert "BIST_DATABASE_URL" in told
        assert "guess" not in told
        monkeypatch.setenv("BIST_DATABASE_URL", server.url.replace("/postgres", "/nosuch"))
        assert "nosuch" in refusal(run("status"))


@pytest.mark.parametrize(
    ("name", "value", "legal"),
    [
        ("BIST_EXECUTOR", "foo", "legal: in_process, multiprocess"),
        ("BIST_ARCHIVE_BASIS", "raw", "legal: as_traded, split_adjusted, fully_adjusted"),
        ("COLLECTOR_BATCH_SIZE", "-1", "greater than or equal to 1"),
        ("BIST_PROVIDERS", "bloomberg", "legal: archive"),
    ],
)
@pytest.mark.parametrize("command", [("up",), ("backfill", *WEEK)], ids=" ".join)
def test_a_typo_in_the_environment_is_refused_with_what_is_legal(untouched, monkeypatch, name, value, legal, command):
    monkeypatch.setenv(name, value)
    told = refusal(run(*command))
    assert name in told
    assert value in told
    assert legal in told


AUGUST = "2026-08-05T11:30+03:00"


@pytest.fixture
def nothing_starts(monkeypatch, tmp_path_factory):
    """Whatever a test fails to refuse, the kill switch ends: none of them may start a live `up`."""
    switch = tmp_path_factory.mktemp("switch") / "stop"
    switch.write_text("a test failed to refuse this\n")
    monkeypatch.setenv("BIST_KILL_SWITCH", str(switch))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--simulated", "--archive", "prices"), "--simulated and --archive exclude each other"),
        (
            ("--archive", "prices", "--now", AUGUST),
            "--now sets the clock of a simulated exchange: it needs --simulated",
        ),
        (("--now", AUGUST), "--now sets the clock of a simulated exchange: it needs --simulated"),
        (("--simulated", "--now", "2026-08-05T11:30"), "has no time zone; write it as 2026-08-07T18:30+03:00"),
        (("--simulated", "--now", "noon"), "'noon' is no timestamp"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_up_refuses_two_markets_at_once_and_a_clock_without_its_exchange(nothing_starts, tmp_path, arguments, reason):
    assert reason in refusal(run("up", *arguments))
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("option", ["--archive", "--now"])
def test_without_a_named_home_up_alone_means_the_live_one(nothing_starts, monkeypatch, tmp_path, option):
    monkeypatch.delenv("BIST_HOME")
    monkeypatch.chdir(tmp_path)
    remembered(tmp_path / ".bist-simulated")
    if option == "--now":
        assert "it needs --simulated" in refusal(run("up", "--now", AUGUST))
    else:
        # Nobody minds the simulated market beside it: only the kill switch is in the way.
        assert "a test failed to refuse this" in refusal(run("up", "--archive", "prices"))
    assert [path.name for path in tmp_path.iterdir()] == [".bist-simulated"]


def remembered(home, told="seed=7 symbols=12 first=2026-01-02"):
    home.mkdir()
    (home / "settings.env").write_text(f"BIST_SIMULATION='{told}'\n")


def test_an_archive_is_refused_in_a_simulated_home(nothing_starts, tmp_path):
    remembered(tmp_path / "home")
    told = refusal(run("up", "--archive", str(tmp_path)))
    assert told == f"{tmp_path / 'home'} holds a SIMULATED market: take another BIST_HOME for the archive"


@pytest.mark.parametrize(
    ("at", "reason"),
    [("2999-01-01T12:00+03:00", "lies in the future"), ("2009-08-05T12:00+03:00", "2010-01-04")],
    ids=["in the future", "before the calendar"],
)
def test_up_refuses_a_time_at_which_nothing_is_traded(empty_url, monkeypatch, at, reason):
    monkeypatch.setenv("BIST_DATABASE_URL", empty_url.libpq)
    assert reason in refusal(run("up", "--simulated", "--now", at, "--port", str(free_port())))


def test_up_refuses_to_simulate_where_real_prices_are(filled, monkeypatch):
    before = contents(filled)
    told = refusal(run("up", "--simulated", "--port", str(free_port())))
    assert "holds a real market" in told
    assert "set BIST_HOME or BIST_DATABASE_URL to another place" in told
    assert contents(filled) == before


def test_up_refuses_a_market_that_it_cannot_read(empty_url, monkeypatch):
    monkeypatch.setenv("BIST_DATABASE_URL", empty_url.libpq)
    monkeypatch.setenv("BIST_SIMULATION", "seed=7")
    told = refusal(run("up", "--simulated", "--port", str(free_port())))
    assert told.startswith("BIST_SIMULATION = 'seed=7': expected `seed=7 symbols=150 first=2023-11-01`")


def test_up_refuses_a_port_in_use_and_names_its_holder(untouched):
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = refusal(run("up", "--port", str(port)))
    assert told.startswith(f"port {port} on 127.0.0.1 is in use (by pid {os.getpid()} ")
    assert told.endswith("choose another with --port N")


@pytest.mark.parametrize("port", ["0", "65536", "web"])
def test_up_refuses_what_is_no_port(untouched, port):
    assert "--port" in refusal(run("up", "--port", port))


@pytest.mark.parametrize("command", [("up",), ("backfill", *WEEK)], ids=" ".join)
def test_the_kill_switch_stops_what_writes(untouched, monkeypatch, tmp_path, command):
    (tmp_path / "stop").write_text("auditors are here\n")
    monkeypatch.setenv("BIST_KILL_SWITCH", str(tmp_path / "stop"))
    before = contents(untouched)
    told = refusal(run(*command))
    assert told == f"kill switch {tmp_path / 'stop'} is set: auditors are here; remove the file to resume"
    assert contents(untouched) == before


@pytest.mark.parametrize("command", [("signals",), ("status",)], ids=" ".join)
def test_the_kill_switch_lets_people_read(untouched, monkeypatch, tmp_path, command):
    (tmp_path / "stop").touch()
    monkeypatch.setenv("BIST_KILL_SWITCH", str(tmp_path / "stop"))
    assert run(*command).exit_code == 0


def test_before_the_first_backfill_it_is_said_what_to_do(unfilled, tmp_path):
    assert "no signals yet: `bist-pipeline status`" in refusal(run("signals"))
    assert "`bist-pipeline backfill` first" in refusal(run("export", "--out", str(tmp_path / "out")))
    assert not (tmp_path / "out").exists()


def test_export_refuses_a_file_as_its_folder(untouched, tmp_path):
    (tmp_path / "out").write_text("mine")
    assert "out" in refusal(run("export", "--out", str(tmp_path / "out")))
    assert (tmp_path / "out").read_text() == "mine"


def test_a_refusal_ends_the_process_with_code_one_and_keeps_stdout_clean(untouched, tmp_path):
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    done = run_apart("signals", "--symbol", "NOSUCH", "--format", "csv", cwd=tmp_path, env=env)
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert run_apart("signals", "--date", "x", cwd=tmp_path, env=env).returncode == 2
    assert SYMBOLS[0] in run_apart("signals", cwd=tmp_path, env=env).stdout
