"""What the commands print when all is well."""

import io
import json
import os
import shlex
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.calendar import load_calendar
from bist_pipeline_tests.cli.commands import contents, refusal, run, run_apart
from bist_pipeline_tests.desks import FIRST, LAST, SESSIONS, SINGLE, SYMBOLS, make_desk
from bist_pipeline_tests.storage.embedded_homes import temporary_home

CHECKOUT = Path(__file__).parents[2]
DAY = ("--date", str(SINGLE))
VIEWS = ("prices_v1", "indicators_v1", "pattern_events_v1", "signals_v1")


def served(database, day=LAST):
    return database.frame("SELECT * FROM serving.signals_v1 WHERE session_date = $1 ORDER BY score DESC, symbol", [day])


def test_signals_as_csv_hold_every_served_column(untouched):
    result = run("signals", "--format", "csv")
    assert result.exit_code == 0
    assert result.stderr == ""
    printed, expected = pd.read_csv(io.StringIO(result.stdout)), served(untouched)
    assert list(printed.columns) == list(expected.columns)
    assert printed["symbol"].tolist() == expected["symbol"].tolist()
    np.testing.assert_array_equal(printed["score"], expected["score"])
    assert printed["score"].is_monotonic_decreasing


def test_signals_as_json_are_a_line_each(untouched):
    lines = run("signals", *DAY, "--format", "json").stdout.splitlines()
    records = [json.loads(line) for line in lines]
    assert {record["symbol"] for record in records} == set(SYMBOLS)
    assert all(record["session_date"].startswith(str(SINGLE)) for record in records)
    assert all(-1 <= record["score"] <= 1 for record in records)


def test_signals_as_parquet_can_be_piped(untouched):
    printed = pd.read_parquet(io.BytesIO(run("signals", *DAY, "--format", "parquet").stdout_bytes))
    expected = served(untouched, SINGLE)
    assert list(printed.columns) == list(expected.columns)
    np.testing.assert_array_equal(printed["score"], expected["score"])


def test_signals_as_a_table_show_the_newest_session_best_first(untouched):
    shown = run("signals").stdout
    assert "no forecast" in shown
    assert str(LAST) in shown
    places = [shown.index(symbol) for symbol in served(untouched)["symbol"]]
    assert places == sorted(places)


@pytest.mark.parametrize("written", ["zzaab", "ZZAAB", "ZZAAB.IS", "ZZAAB.E"])
def test_a_symbol_may_be_written_as_anybody_writes_it(untouched, written):
    printed = pd.read_csv(io.StringIO(run("signals", "--symbol", written, "--format", "csv").stdout))
    assert printed["symbol"].tolist() == ["ZZAAB"]


def test_an_earlier_moment_sees_the_earlier_answer(unfilled, monkeypatch, tmp_path):
    own, last = make_desk(tmp_path / "own", sessions=80), ("--start", "2021-04-26", "--end", "2021-04-30")
    monkeypatch.setenv("BIST_UNIVERSE", str(own.universe))
    monkeypatch.setenv("BIST_ARCHIVE_DIR", str(own.archive))
    assert run("backfill", *last).exit_code == 0
    first = run("signals", "--format", "csv").stdout
    lines = (own.archive / "ZZAAA.csv").read_text().splitlines()
    (own.archive / "ZZAAA.csv").write_text("\n".join(lines[:-1]) + "\n")  # the last bar is taken back
    refused = run("backfill", *last)  # one of three symbols that fails is more than a fifth
    assert (refused.exit_code, "--accept-shorter ZZAAA" in refused.stderr) == (1, True)
    assert run("backfill", *last, "--accept-shorter", "zzaaa").exit_code == 0
    published = [row.published_at for row in unfilled.rows("SELECT published_at FROM serving.publishes ORDER BY 1")]
    assert len(published) == 2
    assert run("signals", "--format", "csv").stdout != first
    then = (published[1] - timedelta(milliseconds=1)).isoformat()
    assert run("signals", "--as-of", then, "--format", "csv").stdout == first
    before = (published[0] - timedelta(milliseconds=1)).isoformat()
    assert f"no signals yet as of {before}" in refusal(run("signals", "--as-of", before))


def test_status_counts_what_is_stored(untouched, tmp_path):
    shown = run("status").stdout
    assert f"home {tmp_path / 'home'}: up is not running" in shown
    assert f"served up to {LAST} (final), publish 1" in shown
    rows = untouched.rows("SELECT count(*) AS n FROM market.daily_prices")[0].n
    line = next(line for line in shown.splitlines() if "market.daily_prices" in line)
    assert str(rows) in line.replace(",", "")
    assert str(FIRST) in line
    assert str(LAST) in line


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE serving.signals SET is_final = false", f"served: {LAST} (forming), nothing final yet, publish 1 of "),
        ("UPDATE serving.signals SET superseded_by = 1", "no signal is served yet, publish 1 of "),
    ],
    ids=["forming", "none"],
)
def test_status_before_anything_is_final_says_what_is_served(filled, change, told):
    filled.run_alone(change)
    shown = run("status")
    assert shown.exit_code == 0, shown.output
    assert told in shown.stdout


def test_moments_are_printed_with_their_zone(untouched):
    assert "known_at (UTC)" in " ".join(run("signals").stdout.replace("┃", " ").split())
    assert "published_at (UTC)" in " ".join(run("status").stdout.replace("┃", " ").split())


def test_status_of_an_empty_database_says_that_nothing_is_published(unfilled):
    shown = run("status")
    assert shown.exit_code == 0
    assert "nothing is published yet" in shown.stdout


def test_status_of_a_database_that_is_not_migrated_says_what_to_do(unfilled):
    unfilled.run_alone("DROP TABLE analytics.chart_patterns CASCADE")
    unfilled.run_alone("COMMENT ON SCHEMA serving IS 'bist_pipeline 0123'")
    told = refusal(run("status"))
    assert told.endswith("is not migrated: any writing command (or `up`) migrates it")
    assert "SELECT" not in told


def test_what_is_missing_from_a_migrated_database_is_told_as_it_is(unfilled):
    unfilled.run_alone("DROP TABLE analytics.chart_patterns CASCADE")
    assert "analytics.chart_patterns" in refusal(run("status"))


def test_doctor_finds_a_healthy_desk_healthy(untouched):
    result = run("doctor")
    assert result.exit_code == 0, result.output
    for organ in ("versions", "disk", "calendar", "universe", "provider", "database", "clock"):
        assert organ in result.stdout
    assert "fault" not in result.stdout


def test_doctor_names_every_fault_and_what_to_do(untouched, monkeypatch, tmp_path):
    monkeypatch.setenv("BIST_ARCHIVE_DIR", str(tmp_path / "no archive"))
    monkeypatch.setenv("BIST_UNIVERSE", str(tmp_path / "none.csv"))
    result = run("doctor")
    assert result.exit_code == 1
    assert "at fault: universe, provider" in result.stderr
    assert "correct BIST_PROVIDERS, BIST_ARCHIVE_DIR" in " ".join(result.stdout.split())
    assert "correct BIST_UNIVERSE" in result.stdout


def test_doctor_examines_the_rest_when_the_database_is_away(untouched, monkeypatch):
    monkeypatch.setenv("BIST_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/bist")
    result = run("doctor")
    assert result.exit_code == 1
    assert "at fault: database" in result.stderr
    assert "versions" in result.stdout


def test_backfill_prints_what_it_did_and_a_second_time_that_nothing_changed(unfilled):
    days = ("--start", str(FIRST), "--end", str(LAST))
    first = run("backfill", *days)
    assert first.exit_code == 0, first.output
    assert "symbols: 3 answered (3 asked now), 0 failed, 0 without history" in first.stdout
    assert f"{SESSIONS * len(SYMBOLS):,} inserted" in first.stdout
    before = contents(unfilled)
    second = run("backfill", *days)
    assert "symbols: 3 answered (0 asked now)" in second.stdout
    assert "publish 2: 0 signals and 0 events added, 0 and 0 superseded" in second.stdout
    after = contents(unfilled)
    assert {name for name in after if after[name] != before[name]} == {"serving.publishes"}


def test_backfill_of_one_symbol_derives_that_one(unfilled):
    result = run("backfill", "--start", str(SINGLE), "--end", str(SINGLE), "--symbols", "zzaab")
    assert result.exit_code == 0, result.output
    assert [row.symbol for row in unfilled.rows("SELECT symbol FROM serving.signals_v1")] == ["ZZAAB"]


@pytest.mark.parametrize(("form", "read"), [("parquet", pd.read_parquet), ("csv", pd.read_csv)], ids=["parquet", "csv"])
def test_export_writes_a_folder_per_session(untouched, tmp_path, form, read):
    out = tmp_path / "out"
    result = run("export", "--out", str(out), "--format", form, "--start", "2022-01-03", "--end", str(LAST))
    assert result.exit_code == 0, result.output
    sessions = {f"session_date={day}" for day in map(str, load_calendar().sessions(pd.Timestamp("2022-01-03"), LAST))}
    for view in VIEWS:
        files = sorted((out / view).rglob(f"*.{form}"))
        rows = sum(len(read(file)) for file in files)
        counted = f"SELECT count(*) AS n FROM serving.{view} WHERE session_date >= '2022-01-03'"
        assert rows == untouched.rows(counted)[0].n > 0
        assert f"{out / view}: {rows:,} rows" in result.stdout
        assert {file.parent.name for file in files} <= sessions
    assert {path.name for path in (out / "prices_v1").iterdir()} == sessions


def test_exported_parquet_is_one_data_set_with_the_session_as_its_partition(untouched, tmp_path):
    assert run("export", "--out", str(tmp_path / "out")).exit_code == 0
    whole = pd.read_parquet(tmp_path / "out" / "prices_v1")
    assert len(whole) == untouched.rows("SELECT count(*) AS n FROM serving.prices_v1")[0].n
    assert whole["session_date"].astype(str).nunique() == len(list((tmp_path / "out" / "prices_v1").iterdir()))


def test_env_prints_exports_that_a_shell_understands_and_no_secret(untouched, monkeypatch, tmp_path, cli_desk):
    result = run("env")
    assert result.exit_code == 0, result.output
    assert os.environ["BIST_DATABASE_URL"] not in result.stdout
    exports = dict(shlex.split(line)[1].split("=", 1) for line in result.stdout.splitlines())
    assert exports == {
        "BIST_HOME": str(tmp_path / "home"),
        "DAGSTER_HOME": str(tmp_path / "home" / "dagster"),
        "DAGSTER_EVENT_BATCH_SIZE": "1000",
        "MALLOC_ARENA_MAX": "2",
        "BIST_ARCHIVE_DIR": str(cli_desk.archive),
        "BIST_ARCHIVE_BASIS": "fully_adjusted",
    }
    assert (tmp_path / "home" / "dagster" / "dagster.yaml").read_bytes() == (CHECKOUT / "dagster.yaml").read_bytes()


def test_env_leaves_an_instance_file_alone_that_a_person_changed(untouched, tmp_path):
    run("env")
    place = tmp_path / "home" / "dagster" / "dagster.yaml"
    place.write_text(place.read_text() + "# mine\n")
    assert run("env").exit_code == 0
    assert place.read_text().endswith("# mine\n")


def test_env_starts_the_embedded_server_and_stops_it_on_request(tmp_path):
    with temporary_home("a home") as home:
        env = {**os.environ, "PYTHONPATH": str(CHECKOUT), "BIST_HOME": str(home)}
        started = run_apart("env", cwd=tmp_path, env=env)
        assert started.returncode == 0, started.stderr
        shell = f"{started.stdout}\n{shlex.quote(sys.executable)} -c 'import dagster; dagster.DagsterInstance.get()'"
        in_shell = subprocess.run(["sh", "-c", shell], env=env, capture_output=True, text=True, check=False)
        assert in_shell.returncode == 0, in_shell.stderr
        assert "up is not running" in run_apart("status", cwd=tmp_path, env=env).stdout
        stopped = run_apart("env", "--stop", cwd=tmp_path, env=env)
        assert (stopped.returncode, stopped.stdout, stopped.stderr) == (0, "", "the embedded server is stopped\n")
        after = subprocess.run(["sh", "-c", shell], env=env, capture_output=True, text=True, check=False)
        assert after.returncode != 0
        assert after.stderr.strip().splitlines()[-1].startswith("bist-pipeline: no database runs in ")
