"""The sensor that restates: when it asks for a run, why it does not, and what the run does."""

import dagster as dg
import pytest

from bist_pipeline.defs.executor import executor
from bist_pipeline.defs.lanes import HISTORY_TAGS, LIVE_TAGS
from bist_pipeline.defs.resources import PipelineResource
from bist_pipeline.defs.restate_sensor import restate_dirty, restate_job
from bist_pipeline.defs.sensors import MOST_ATTEMPTS
from bist_pipeline_tests.defs.runs import record_run
from bist_pipeline_tests.desks import LAST


@pytest.fixture(scope="module")
def definitions():
    """The job and the sensor, as the code location has them beside the rest."""
    return dg.Definitions(
        jobs=[restate_job],
        sensors=[restate_dirty],
        resources={"pipeline": PipelineResource()},
        executor=executor("in_process"),
    )


@pytest.fixture
def disk_instance(tmp_path):
    """A sensor's context asks for an instance that others could open too."""
    (tmp_path / "records").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "records")) as instance:
        yield instance


@pytest.fixture
def evaluate(disk_instance, definitions):
    """Ask the sensor once; returns its request, or the reason of its skip."""

    def evaluate():
        context = dg.build_sensor_context(
            instance=disk_instance, definitions=definitions, sensor_name="restate_dirty", resources={}
        )
        data = restate_dirty.evaluate_tick(context)
        requests = list(data.run_requests or [])
        assert len(requests) <= 1
        return requests[0] if requests else data.skip_message

    return evaluate


@pytest.fixture
def full(filled, filled_database, desk, monkeypatch):
    """Everything that the archive holds is derived."""
    for name, value in desk.variables(filled).items():
        monkeypatch.setenv(name, value)
    return filled_database


@pytest.fixture
def dirty(full):
    """One symbol's past has changed."""
    spoil(full, "a test")
    return full


def spoil(database, because):
    with database.transaction() as connection:
        connection.exec_driver_sql(
            f"UPDATE market.fetch_ledger SET dirty_from = '2022-03-01', dirty_because = '{because}' "
            "WHERE symbol = 'ZZAAB'"
        )
        connection.exec_driver_sql(
            "UPDATE analytics.indicators SET sma_5 = 1 WHERE symbol = 'ZZAAB' AND session_date >= '2022-03-01'"
        )


def test_where_nothing_is_dirty_it_says_so(evaluate, full):
    assert evaluate() == "nothing is to be restated"


def test_in_an_empty_database_nothing_is_to_be_restated(evaluate, desk, empty_url, monkeypatch):
    for name, value in desk.variables(empty_url).items():
        monkeypatch.setenv(name, value)
    assert evaluate() == "nothing is to be restated"


def test_a_dirty_symbol_is_a_run_of_the_history_lane(evaluate, dirty):
    request = evaluate()
    assert HISTORY_TAGS.items() <= request.tags.items()
    assert "dagster/asset_partition_range_start" not in request.tags
    assert request.run_key == evaluate().run_key


def test_while_the_kill_switch_is_set_it_requests_nothing(evaluate, dirty, monkeypatch, tmp_path):
    (tmp_path / "stop").write_text("auditors are here")
    monkeypatch.setenv("BIST_KILL_SWITCH", str(tmp_path / "stop"))
    assert "auditors are here" in evaluate()


def test_without_a_database_it_says_so_in_one_line(evaluate, dirty, monkeypatch):
    monkeypatch.setenv("BIST_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    reason = evaluate()
    assert "is the database running?" in reason
    assert len(reason.splitlines()) == 1


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        (HISTORY_TAGS, "a run of the history lane is on its way"),
        (LIVE_TAGS, "the session in progress is being refreshed"),
    ],
)
@pytest.mark.parametrize("status", [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTED])
def test_while_another_run_writes_the_same_tables_it_waits(evaluate, dirty, disk_instance, tags, reason, status):
    record_run(disk_instance, status, tags)
    assert evaluate() == reason


def test_a_state_of_dirt_is_given_up_after_some_runs_and_another_is_tried_anew(evaluate, dirty, disk_instance):
    keys = []
    while isinstance(request := evaluate(), dg.RunRequest):
        keys.append(request.run_key)
        record_run(disk_instance, dg.DagsterRunStatus.FAILURE, request.tags)
    assert len(set(keys)) == len(keys) == MOST_ATTEMPTS
    assert request.startswith(f"gave up after {MOST_ATTEMPTS} runs on 1 symbols (ZZAAB, …)")
    assert "bist-pipeline restate" in request
    spoil(dirty, "another reason")
    assert evaluate().run_key not in keys


def test_the_run_restates_and_says_what_and_there_is_no_event_per_partition(
    evaluate, dirty, disk_instance, definitions
):
    request = evaluate()
    job = definitions.resolve_job_def("restate_job")
    result = job.execute_in_process(instance=disk_instance, tags=request.tags)
    assert result.success
    told = result.all_node_events
    metadata = next(event for event in told if event.is_successful_output).step_output_data.metadata
    assert (metadata["symbols"].value, metadata["symbols_left"].value) == (1, 0)
    assert metadata["elapsed_seconds"].value >= 0
    shown = metadata["restated"].records[0].data
    assert (shown["symbol"], shown["first"], shown["last"]) == ("ZZAAB", "2022-03-01", str(LAST))
    assert shown["because"] == "a test"
    assert not [event for event in result.all_events if event.is_step_materialization]
    assert evaluate() == "nothing is to be restated"
    row = dirty.rows("SELECT * FROM market.restatements")[0]
    assert (row.symbol, row.run_id) == ("ZZAAB", result.run_id)


def test_the_job_and_its_sensor_say_what_they_are_for():
    assert restate_job.description
    assert restate_dirty.description
    assert restate_dirty.default_status == dg.DefaultSensorStatus.RUNNING
    assert int(restate_job.tags["dagster/max_runtime"]) > 0
