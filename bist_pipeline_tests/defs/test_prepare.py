import dagster as dg
import pytest

from bist_pipeline.defs.prepare import main
from bist_pipeline_tests.defs.runs import record_run

CUT_OFF = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
LEFT_ALONE = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A Dagster home of files: what is prepared is whatever instance `DAGSTER_HOME` names."""
    (tmp_path / "dagster").mkdir()
    (tmp_path / "dagster" / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    return tmp_path / "dagster"


def record(status):
    with dg.DagsterInstance.get() as instance:
        return record_run(instance, status).run_id


def status_of(run_id):
    with dg.DagsterInstance.get() as instance:
        run = instance.get_run_by_id(run_id)
        assert run is not None
        return run.status


def test_runs_whose_worker_is_gone_are_failed_and_all_others_are_left_alone(home, capsys):
    cut_off = [record(status) for status in CUT_OFF]
    others = [record(status) for status in LEFT_ALONE]
    main()
    assert [status_of(run) for run in cut_off] == [dg.DagsterRunStatus.FAILURE] * len(cut_off)
    assert [status_of(run) for run in others] == LEFT_ALONE
    assert capsys.readouterr().out == "3 interrupted runs were marked as failed\n"


def test_a_second_time_there_is_nothing_to_do_and_nothing_is_said(home, capsys):
    record(dg.DagsterRunStatus.STARTED)
    main()
    capsys.readouterr()
    main()
    assert capsys.readouterr().out == ""
