import os
from datetime import date, timedelta
from itertools import pairwise

import dagster as dg
import pytest

from bist_pipeline.core.clock import FixedClock, SystemClock
from bist_pipeline.definitions import defs
from bist_pipeline.defs import sensors
from bist_pipeline.defs.partitions import SESSIONS
from bist_pipeline.defs.sensors import MOST_ATTEMPTS, first_load
from bist_pipeline.pipeline.context import ACTIONS_FILE
from bist_pipeline.pipeline.span import CHUNK_WEEKDAYS
from bist_pipeline.settings import load_settings
from bist_pipeline_tests.defs.runs import record_run, report
from bist_pipeline_tests.desks import FIRST, LAST, make_desk

START, END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


@pytest.fixture
def disk_instance(tmp_path):
    """A sensor's context asks for an instance that others could open too."""
    (tmp_path / "records").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "records")) as instance:
        yield instance


@pytest.fixture
def evaluate(disk_instance):
    """Ask the sensor once; returns its request, or the reason of its skip."""

    def evaluate():
        context = dg.build_sensor_context(
            instance=disk_instance, definitions=defs, sensor_name="first_load", resources={}
        )
        data = first_load.evaluate_tick(context)
        requests = list(data.run_requests or [])
        assert len(requests) <= 1
        return requests[0] if requests else data.skip_message

    return evaluate


@pytest.fixture
def launch(disk_instance):
    """Record a run as the daemon would make it of a request, in a state."""
    return lambda request, status: record_run(disk_instance, status, request.tags)


def set_variables(monkeypatch, desk, url):
    for name, value in desk.variables(url).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def empty(empty_url, desk, monkeypatch):
    set_variables(monkeypatch, desk, empty_url)


@pytest.fixture
def full(filled, filled_database, desk, monkeypatch):
    """Everything that the archive holds is published, and so is the year of today, of which it holds nothing."""
    set_variables(monkeypatch, desk, filled)
    publish(filled_database, LAST, date.fromisoformat(str(SESSIONS.get_last_partition_key())))


def unpublish(database):
    with database.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM serving.publishes")


def publish(database, first, last):
    with database.transaction() as connection:
        connection.exec_driver_sql(
            f"""INSERT INTO serving.publishes (publish_id, published_at, origin, run_id, first_session, last_session,
                signals, signals_superseded, events, events_superseded, symbols)
            SELECT coalesce(max(publish_id), 0) + 1, now(), 'backfill', 'test', '{first}', '{last}', 0, 0, 0, 0, 0
            FROM serving.publishes"""
        )


def span_of(request):
    return date.fromisoformat(request.tags[START]), date.fromisoformat(request.tags[END])


def test_without_an_archive_it_says_what_to_type(evaluate, empty, monkeypatch):
    monkeypatch.setenv("BIST_PROVIDERS", "archive")
    monkeypatch.delenv("BIST_ARCHIVE_DIR")
    assert evaluate().startswith("BIST_ARCHIVE_DIR is not set: ")


def test_without_a_database_it_says_so(evaluate, empty, monkeypatch):
    monkeypatch.setenv("BIST_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    reason = evaluate()
    assert "is the database running?" in reason
    assert len(reason.splitlines()) == 1


def test_with_a_typo_in_the_environment_it_names_the_variable(evaluate, empty, monkeypatch):
    monkeypatch.setenv("COLLECTOR_MAX_WORKERS", "many")
    assert evaluate().startswith("COLLECTOR_MAX_WORKERS = 'many': ")


def test_while_the_kill_switch_is_set_it_requests_nothing(evaluate, empty, monkeypatch, tmp_path):
    (tmp_path / "stop").write_text("auditors are here")
    monkeypatch.setenv("BIST_KILL_SWITCH", str(tmp_path / "stop"))
    assert "auditors are here" in evaluate()


def test_while_a_circuit_is_open_it_says_until_when(evaluate, full, filled_database):
    filled_database.run_alone(
        """INSERT INTO operations.circuits (circuit, state, failures, trips, opened_at, open_until, reason)
        VALUES ('yahoo', 'open', 5, 1, now(), now() + interval '15 minutes', '5 times 429')"""
    )
    assert evaluate().startswith("circuit open until ")


def test_an_empty_database_is_filled_from_today_backwards(evaluate, empty):
    first, last = span_of(evaluate())
    assert last == date.fromisoformat(str(SESSIONS.get_last_partition_key()))
    assert first.weekday() == 0
    assert (last - first).days < CHUNK_WEEKDAYS // 5 * 7


def test_it_requests_a_run_of_its_own_lane_that_yields_to_others(evaluate, empty):
    request = evaluate()
    assert request.tags["bist/lane"] == "history"
    assert int(request.tags["dagster/priority"]) < 0
    assert request.run_key


@pytest.mark.parametrize(
    "status", [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
)
def test_while_one_run_is_on_its_way_it_waits(evaluate, empty, launch, status):
    launch(evaluate(), status)
    reason = evaluate()
    assert "is under way" in reason


def test_once_everything_is_derived_it_says_so(evaluate, full):
    assert evaluate() == "all stored history is derived"


def test_what_the_desk_changes_in_its_files_is_taken_in_once_and_its_withdrawal_too(
    evaluate, full, launch, disk_instance, tmp_path
):
    place = load_settings().bist_home / ACTIONS_FILE
    place.parent.mkdir(exist_ok=True)
    keys = []

    def taken_in(status=dg.DagsterEventType.RUN_SUCCESS):
        request = evaluate()
        assert isinstance(request, dg.RunRequest), request
        keys.append(request.run_key)
        report(disk_instance, launch(request, dg.DagsterRunStatus.STARTED), status)

    try:
        place.write_text("symbol,ex_date,kind,amount_try\nZZAAA,2021-02-01,dividend,0.5\n")
        taken_in(dg.DagsterEventType.RUN_FAILURE)
        taken_in()
        assert evaluate() == "all stored history is derived"
        place.write_text("symbol,ex_date,kind,amount_try\n")
        taken_in()
        place.unlink()
        taken_in()
        assert evaluate() == "all stored history is derived"
        assert len(set(keys)) == len(keys)
    finally:
        place.unlink(missing_ok=True)


def test_what_is_stored_is_derived_newest_first_one_at_a_time(evaluate, full, launch, disk_instance, filled_database):
    unpublish(filled_database)
    spans = []
    while isinstance(request := evaluate(), dg.RunRequest):
        spans.append(span_of(request))
        run = launch(request, dg.DagsterRunStatus.STARTED)
        assert "is under way" in evaluate()
        report(disk_instance, run, dg.DagsterEventType.RUN_SUCCESS)
        publish(filled_database, *span_of(request))
    assert request == "all stored history is derived"
    assert spans == sorted(spans, reverse=True)
    assert spans[-1][0] <= FIRST <= spans[-1][1]
    # The first is today's, the others are those that have bars: each ends on the Friday before the next one's Monday.
    assert all(newer[0] - older[1] == timedelta(days=3) for newer, older in pairwise(spans[1:]))


def test_a_chunk_that_keeps_failing_is_given_up_and_the_next_one_goes_on(evaluate, full, launch, filled_database):
    unpublish(filled_database)
    keys, spans = [], []
    while isinstance(request := evaluate(), dg.RunRequest):
        keys.append(request.run_key)
        spans.append(span_of(request))
        launch(request, dg.DagsterRunStatus.FAILURE)
    assert len(set(keys)) == len(keys)  # a key is never launched twice, even if its run failed
    assert {spans.count(span) for span in spans} == {MOST_ATTEMPTS}
    assert request.startswith(f"gave up after {MOST_ATTEMPTS} runs each on ")
    assert "backfill by hand" in request
    assert all(str(first) in request for first, _ in spans)


def test_a_changed_file_is_fetched_again_while_its_runs_fail_ever_more_seldom_and_never_given_up(
    evaluate, full, filled, launch, monkeypatch, tmp_path, desk
):
    def in_time(minutes):
        at = SystemClock().now() + timedelta(minutes=minutes)
        monkeypatch.setattr(sensors, "SystemClock", lambda: FixedClock(at))

    changed = make_desk(tmp_path / "changed")
    for path in desk.archive.iterdir():
        stat = path.stat()
        os.utime(changed.archive / path.name, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    set_variables(monkeypatch, changed, filled)
    assert evaluate() == "all stored history is derived"
    os.utime(changed.archive / "ZZAAA.csv")
    for _ in range(MOST_ATTEMPTS):
        request = evaluate()
        assert span_of(request)[1] == date.fromisoformat(str(SESSIONS.get_last_partition_key()))
        launch(request, dg.DagsterRunStatus.FAILURE)
    # Each run is recorded by the machine's clock, so that each pause is counted from now.
    for minutes in (15, 30, 60, 60):
        in_time(minutes - 1)
        told = evaluate()
        assert "1 symbols could not be fetched (ZZAAA, …); asked again at" in told
        assert told.endswith("all stored history is derived")
        in_time(minutes + 1)
        launch(evaluate(), dg.DagsterRunStatus.FAILURE)
