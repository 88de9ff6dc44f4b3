from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from bist_pipeline.core.clock import FixedClock, SystemClock
from bist_pipeline.defs import gap_sensor
from bist_pipeline.defs.assets.coverage import coverage
from bist_pipeline.defs.gap_sensor import fill_gaps, fill_gaps_job
from bist_pipeline.defs.partitions import SESSIONS
from bist_pipeline.defs.resources import PipelineResource
from bist_pipeline.pipeline.context import open_context
from bist_pipeline.pipeline.gaps import MOST_SYMBOLS, update_gaps
from bist_pipeline.settings import load_settings
from bist_pipeline_tests.defs.runs import record_run
from bist_pipeline_tests.desks import LAST, SINGLE, SYMBOLS


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
        definitions = dg.Definitions(
            jobs=[fill_gaps_job], sensors=[fill_gaps], resources={"pipeline": PipelineResource()}
        )
        context = dg.build_sensor_context(
            instance=disk_instance, definitions=definitions, sensor_name="fill_gaps", resources={}
        )
        data = fill_gaps.evaluate_tick(context)
        requests = list(data.run_requests or [])
        assert len(requests) <= 1
        return requests[0] if requests else data.skip_message

    return evaluate


def set_variables(monkeypatch, desk, url):
    for name, value in desk.variables(url).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def full(filled, filled_database, desk, monkeypatch):
    """Everything is derived and published; the archive ends years ago, so each symbol has a gap until now."""
    set_variables(monkeypatch, desk, filled)
    today = SESSIONS.get_last_partition_key()
    filled_database.run_alone(
        f"""INSERT INTO serving.publishes (publish_id, published_at, origin, run_id, first_session, last_session,
            signals, signals_superseded, events, events_superseded, symbols)
        SELECT coalesce(max(publish_id), 0) + 1, now(), 'backfill', 'test', '{LAST}', '{today}', 0, 0, 0, 0, 0
        FROM serving.publishes"""
    )
    with open_context(load_settings()) as context:
        update_gaps(context)


def symbols_of(request):
    return request.run_config["ops"]["fill_gaps_op"]["config"]["symbols"]


def test_before_anything_is_stored_it_waits(evaluate, empty_url, desk, monkeypatch):
    set_variables(monkeypatch, desk, empty_url)
    assert evaluate() == "nothing is stored yet: the first load comes first"


def test_while_the_kill_switch_is_set_it_requests_nothing(evaluate, full, monkeypatch, tmp_path):
    (tmp_path / "stop").write_text("auditors are here")
    monkeypatch.setenv("BIST_KILL_SWITCH", str(tmp_path / "stop"))
    assert "auditors are here" in evaluate()


def test_while_a_circuit_is_open_it_says_until_when(evaluate, full, filled_database):
    filled_database.run_alone(
        """INSERT INTO operations.circuits (circuit, state, failures, trips, opened_at, open_until, reason)
        VALUES ('yahoo', 'open', 5, 1, now(), now() + interval '15 minutes', '5 times 429')"""
    )
    assert evaluate().startswith("circuit open until ")


@pytest.mark.parametrize(("lane", "reason"), [("live", "is being refreshed"), ("history", "is under way")])
def test_while_another_run_is_on_its_way_it_waits(evaluate, full, disk_instance, lane, reason):
    record_run(disk_instance, dg.DagsterRunStatus.QUEUED, {"bist/lane": lane})
    assert reason in evaluate()


def test_while_stored_history_is_being_derived_it_waits(evaluate, full, filled_database):
    filled_database.run_alone("DELETE FROM serving.publishes")
    assert evaluate() == "stored history is still being derived: the first load comes first"


def test_it_requests_the_symbols_with_gaps_in_a_run_that_yields_to_others(evaluate, full):
    request = evaluate()
    assert symbols_of(request) == list(SYMBOLS)
    assert len(SYMBOLS) <= MOST_SYMBOLS
    assert (request.tags["bist/lane"], int(request.tags["dagster/priority"]) < 0) == ("history", True)


def test_gaps_that_nobody_could_be_asked_for_are_requested_once_an_hour(evaluate, full, monkeypatch):
    started = datetime.now(UTC).replace(minute=5) + timedelta(days=2)
    keys = []
    for minutes in (0, 50, 60, 110):
        at = FixedClock(started + timedelta(minutes=minutes))
        monkeypatch.setattr(gap_sensor, "exchange_clock", lambda settings, at=at: at)
        keys.append(evaluate().run_key)
    # Dagster starts one run a key: a circuit that was open costs an hour, not a day.
    assert keys[0] == keys[1] != keys[2] == keys[3]


def test_whom_the_first_load_asks_anyway_and_whom_no_file_is_of_are_left_out(evaluate, full, filled_database):
    filled_database.run_alone(f"UPDATE market.fetch_ledger SET version = 'older' WHERE symbol = '{SYMBOLS[0]}'")
    filled_database.run_alone(f"UPDATE market.gaps SET symbol = 'ZYXWV' WHERE symbol = '{SYMBOLS[1]}'")
    filled_database.run_alone(
        f"""INSERT INTO reference.stocks SELECT 'ZYXWV', name, sector, kind, in_xu030, in_xu050, in_xu100, origin, true
        FROM reference.stocks WHERE symbol = '{SYMBOLS[1]}'"""
    )
    assert symbols_of(evaluate()) == [SYMBOLS[2]]


def test_its_run_asks_and_says_what_is_still_open_and_a_day_passes_before_the_next(
    evaluate, full, instance, filled_database
):
    request = evaluate()
    definitions = dg.Definitions(jobs=[fill_gaps_job], resources={"pipeline": PipelineResource()})
    job = definitions.resolve_job_def("fill_gaps_job")
    result = job.execute_in_process(instance=instance, run_config=request.run_config, tags=request.tags)
    assert result.success
    told = [event for event in result.all_events if event.event_type == dg.DagsterEventType.STEP_OUTPUT]
    metadata = {name: value.value for name, value in told[0].step_output_data.metadata.items()}
    assert (metadata["asked"], metadata["answered"], metadata["closed"]) == (3, 3, 0)
    assert metadata["still_open"]
    assert {row.attempts for row in filled_database.rows("SELECT attempts FROM market.gaps")} == {1}
    assert evaluate() == "no gap is due: each was asked for, or there is none"
    filled_database.run_alone("UPDATE market.gaps SET asked_at = asked_at - interval '1 day'")
    assert symbols_of(evaluate()) == list(SYMBOLS)
    filled_database.run_alone("UPDATE market.gaps SET attempts = 3")
    assert evaluate() == "no gap is due: each was asked for, or there is none"


def materialized(instance, **options):
    assets: Any = [coverage]
    result = dg.materialize(assets, instance=instance, resources={"pipeline": PipelineResource()}, **options)
    assert result.success
    records = instance.fetch_materializations(dg.AssetKey(["market", "coverage"]), limit=1).records
    return {name: value.value for name, value in records[0].asset_materialization.metadata.items()}


def test_the_asset_counts_every_symbol_and_draws_them(instance, full):
    told = materialized(instance, partition_key=str(SINGLE))
    assert {name: count for name, count in told.items() if name.startswith("coverage_") and count} == {
        "coverage_traded": len(SYMBOLS)
    }
    assert told["dagster/partition_row_count"] == 0
    assert "base64" in told["coverage"]


def test_a_session_after_the_archives_end_lies_in_a_gap_of_each_symbol(instance, full):
    assert SystemClock().now().date() > LAST
    told = materialized(instance, partition_key=str(date(2022, 3, 15)))
    assert (told["dagster/partition_row_count"], told["coverage_provider_silent"]) == (len(SYMBOLS),) * 2
