"""Dagster's records, found without a variable."""

import shutil
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from bist_pipeline.definitions import defs
from bist_pipeline.defs.dagster_storage import BistDagsterStorage
from bist_pipeline.defs.executor import executor
from bist_pipeline.pipeline import dagster_records
from bist_pipeline.pipeline.dagster_records import RECORDS, failed_runs, prepare_records
from bist_pipeline.settings import load_settings
from bist_pipeline.storage.database import Database
from bist_pipeline_tests.defs.runs import record_run, report

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = tmp_path / "dagster"
    folder.mkdir()
    shutil.copy(CHECKOUT / "dagster.yaml", folder)
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    return folder


def refusal():
    with pytest.raises(SystemExit) as caught:
        BistDagsterStorage.from_config_value(None, {})
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_with_no_server_running_one_line_says_what_to_type(tmp_path):
    message = refusal()
    assert message.startswith(f"bist-pipeline: no database runs in {tmp_path / 'home'}. Type `bist-pipeline up`")
    assert 'eval "$(bist-pipeline env)"' in message
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://root@localhost/bist", "got the scheme 'mysql'"),
        ("postgresql://nobody@127.0.0.1:1/bist", "is the database running?"),
    ],
)
def test_a_wrong_address_is_one_line_too(monkeypatch, url, reason):
    monkeypatch.setenv("BIST_DATABASE_URL", url)
    message = refusal()
    assert message.startswith("bist-pipeline: ")
    assert reason in message


def test_an_address_in_the_environment_is_used_and_its_tables_are_made(home, database_url, monkeypatch):
    monkeypatch.setenv("BIST_DATABASE_URL", database_url.libpq)
    prepare_records(database_url)
    with dg.DagsterInstance.get() as instance:
        run = instance.create_run_for_job(job_def=defs.resolve_job_def("derive_sessions"))
    with dg.DagsterInstance.get() as again:
        assert again.get_run_by_id(run.run_id) is not None
    database = Database(database_url.with_database(RECORDS))
    try:
        assert database.rows("SELECT count(*) AS n FROM runs WHERE run_id = :id", {"id": run.run_id})[0].n == 1
        assert database.rows("SHOW synchronous_commit")[0][0] == "off"
    finally:
        database.close()


def failed(job="derive_sessions"):
    """How many runs of a job are said to have failed; other tests on this server have their runs here too."""
    told = failed_runs(load_settings(), timedelta(days=1)).set_index("job")["runs"]
    return int(told.get(job, 0))


def test_runs_that_failed_in_the_last_day_are_told_without_dagster(home, database_url, monkeypatch):
    monkeypatch.setenv("BIST_DATABASE_URL", database_url.libpq)
    prepare_records(database_url)
    with dg.DagsterInstance.get() as instance:
        before, runs = failed(), []
        for what in (dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.RUN_SUCCESS):
            runs.append(record_run(instance, dg.DagsterRunStatus.STARTED))
            report(instance, runs[-1], what)
    assert failed() == before + 2
    newest = failed_runs(load_settings(), timedelta(days=1))["last_failed"].max()
    assert abs(newest - pd.Timestamp.now("UTC")) < pd.Timedelta(minutes=5)
    database = Database(database_url.with_database(RECORDS))
    database.run_alone(f"UPDATE runs SET end_time = end_time - 90000 WHERE run_id = '{runs[0].run_id}'")
    database.close()
    assert failed() == before + 1


def test_records_that_cannot_be_read_are_not_taken_for_none_that_failed(home, database_url, monkeypatch):
    monkeypatch.setenv("BIST_DATABASE_URL", database_url.libpq)
    prepare_records(database_url)
    with dg.DagsterInstance.get():
        pass  # its tables are made
    monkeypatch.setattr(dagster_records, "_FAILED", "SELECT another_column FROM runs WHERE $1 > 0")
    (told,) = failed_runs(load_settings(), timedelta(days=1))["job"]
    assert told.startswith("cannot be read: ")
    assert "another_column" in told


def test_without_records_of_dagster_no_run_has_failed(database_url, monkeypatch):
    monkeypatch.setenv("BIST_DATABASE_URL", database_url.with_database("no_such_place").libpq)
    assert failed_runs(load_settings(), timedelta(days=1)).empty


def test_the_instance_file_holds_what_the_design_asks_for(home, database_url, monkeypatch):
    monkeypatch.setenv("BIST_DATABASE_URL", database_url.libpq)
    prepare_records(database_url)
    with dg.DagsterInstance.get() as instance:
        reference = instance.get_ref().storage_data
        assert reference is not None
        assert reference.class_name == BistDagsterStorage.__name__
        assert instance.run_monitoring_enabled
        assert instance.run_monitoring_start_timeout_seconds == 900
        assert instance.run_retries_max_retries == 1
        assert not instance.telemetry_enabled
        limits = instance.get_concurrency_config().run_queue_config
        assert limits is not None
        assert limits.max_concurrent_runs == 4
        assert [limit["key"] for limit in limits.tag_concurrency_limits] == ["bist/lane", "dagster/backfill"]


def test_each_executor_that_the_settings_allow_builds(monkeypatch):
    assert executor("in_process") is dg.in_process_executor
    chosen = executor("multiprocess")
    assert chosen.name == "multiprocess"
    defs_of_it = dg.Definitions(assets=defs.assets, resources=defs.resources, executor=chosen)
    dg.Definitions.validate_loadable(defs_of_it)
