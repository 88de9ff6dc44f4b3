"""The five-minute schedule against a real database and a simulated exchange: its requests, and why it skips."""

from datetime import UTC, date, datetime, time

import dagster as dg
import pytest

from bist_pipeline.definitions import build_definitions
from bist_pipeline.defs.schedules import MARKET_HOURS, ROUND_THE_CLOCK, refresh_schedule
from bist_pipeline.pipeline.pacing import circuit_open
from bist_pipeline.settings import load_settings
from bist_pipeline.simulator.market import invent_market
from bist_pipeline.storage.database import Database
from bist_pipeline_tests.defs.runs import key_of, record_run, report
from bist_pipeline_tests.desks import fresh_database
from bist_pipeline_tests.pipeline.exchanges import (
    asking,
    load,
    moment,
    play_faults,
    sessions_between,
    standing,
)
from bist_pipeline_tests.pipeline.sites import Sites

DAYS = sessions_between(date(2026, 2, 2), date(2026, 3, 6))
EVE, DAY = DAYS[-2], DAYS[-1]  # a Friday
MIDDAY = time(12, 30)
SCHEDULED = datetime(2026, 3, 6, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def running():
    with standing(invent_market(symbols=5, first=DAYS[0], last=DAY), moment(EVE)) as running:
        yield running


@pytest.fixture(scope="module")
def loaded(server, running, tmp_path_factory):
    """Histories up to the session before."""
    sites = Sites(server, tmp_path_factory.mktemp("sites"), "migrated_template")
    context = asking(sites, running)
    load(context, EVE, EVE)
    context.database.close()
    yield context
    sites.close()


@pytest.fixture
def database(server, loaded, running, monkeypatch):
    """A copy of it, with the environment of a desk that asks the exchange."""
    running.clock.set(moment(DAY, MIDDAY))
    with fresh_database(server, loaded.database.url.database) as url:
        set_variables(monkeypatch, loaded, running, url)
        opened = Database(url)
        yield opened
        opened.close()
    play_faults(running, {})


def set_variables(monkeypatch, loaded, running, url):
    variables = {
        "BIST_DATABASE_URL": url.libpq,
        "BIST_UNIVERSE": loaded.settings.bist_universe,
        "BIST_PROVIDERS": "yahoo_chart",
        "YAHOO_HOSTS": running.url,
        "YAHOO_REQUESTS_PER_SECOND": "0",
        "YF_BACKOFF_BASE_SECONDS": "0.01",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def disk_instance(tmp_path):
    (tmp_path / "records").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "records")) as instance:
        yield instance


@pytest.fixture
def evaluate(disk_instance):
    """Let the schedule tick once; returns its request, or the reason of its skip."""

    def evaluate():
        defs = build_definitions()
        schedule = defs.resolve_schedule_def("refresh_current_session")
        context = dg.build_schedule_context(
            instance=disk_instance, scheduled_execution_time=SCHEDULED, repository_def=defs.get_repository_def()
        )
        data = schedule.evaluate_tick(context)
        requests = list(data.run_requests or [])
        assert len(requests) <= 1
        return requests[0] if requests else data.skip_message

    return evaluate


def test_while_the_market_is_open_it_requests_the_session_in_progress_on_the_live_lane(evaluate, database):
    request = evaluate()
    assert request.partition_key == str(DAY)
    assert request.run_key == f"refresh:{SCHEDULED.isoformat()}"
    assert request.tags["bist/lane"] == "live"
    assert int(request.tags["dagster/priority"]) > 0
    assert int(request.tags["dagster/max_runtime"]) < 300
    assert request.tags["dagster/partition"] == str(DAY)


def test_evaluating_a_tick_asks_yahoos_routes_nothing(evaluate, database, running):
    before = len(running.requests)
    evaluate()
    assert len(running.requests) == before


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        (moment(DAY, time(9, 0)), "2026-03-06 10:15"),
        (moment(DAY, time(10, 10)), "2026-03-06 10:15"),
        (moment(DAY, time(18, 30)), "2026-03-09 10:15"),
        (moment(date(2026, 3, 7), MIDDAY), "2026-03-09 10:15"),
        (moment(date(2026, 3, 19), time(14, 0)), "2026-03-23 10:15"),  # the eve of the feast ends at noon
    ],
)
def test_while_the_market_is_closed_it_says_when_the_next_quotes_come(evaluate, database, running, now, opens):
    running.clock.set(now)
    assert evaluate() == f"the market is closed: the first quotes of the next session come {opens}"


def test_while_a_circuit_is_open_it_says_until_when(evaluate, database):
    database.run_alone(
        """INSERT INTO operations.circuits (circuit, state, failures, trips, opened_at, open_until, reason)
        VALUES ('yahoo', 'open', 5, 1, now(), now() + interval '15 minutes', '5 times 429')"""
    )
    shut = circuit_open(database)
    assert shut is not None
    assert evaluate() == shut.text
    assert "circuit open until" in shut.text
    # From then on one probe is let through: the tick is requested.
    database.run_alone("UPDATE operations.circuits SET open_until = now() - interval '1 second'")
    assert isinstance(evaluate(), dg.RunRequest)


def test_while_the_kill_switch_is_set_it_says_who_set_it(evaluate, database, monkeypatch, tmp_path):
    (tmp_path / "stop").write_text("auditors are here")
    monkeypatch.setenv("BIST_KILL_SWITCH", str(tmp_path / "stop"))
    assert "auditors are here" in evaluate()


@pytest.mark.parametrize(
    "status", [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
)
def test_while_the_refresh_before_is_unfinished_it_waits_for_it(evaluate, database, disk_instance, status):
    run = record_run(disk_instance, status, evaluate().tags)
    assert evaluate().startswith(f"the refresh before this one ({run.run_id[:8]}) still runs")
    report(disk_instance, run, dg.DagsterEventType.RUN_FAILURE)
    assert isinstance(evaluate(), dg.RunRequest)


def test_a_backfill_on_the_history_lane_is_not_in_its_way(evaluate, database, disk_instance):
    record_run(disk_instance, dg.DagsterRunStatus.STARTED, {"bist/lane": "history"})
    assert isinstance(evaluate(), dg.RunRequest)


def test_without_a_history_it_waits_for_the_first_load(evaluate, database):
    database.run_alone("UPDATE market.fetch_ledger SET first_session = NULL")
    assert evaluate() == "no symbol has a history yet: the first load comes before the first refresh"


def test_without_a_live_provider_it_names_the_variable(evaluate, database, monkeypatch, tmp_path):
    monkeypatch.setenv("BIST_ARCHIVE_DIR", str(tmp_path))
    monkeypatch.delenv("BIST_PROVIDERS")
    assert evaluate() == "no live provider is configured (BIST_LIVE_PROVIDERS)"


def test_without_a_database_or_an_exchange_it_says_so_in_one_line(evaluate, database, monkeypatch):
    monkeypatch.setenv("YAHOO_HOSTS", "http://127.0.0.1:1")
    assert len(evaluate().splitlines()) == 1
    monkeypatch.setenv("BIST_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert len(evaluate().splitlines()) == 1


@pytest.mark.parametrize(
    ("hosts", "cron"), [("http://127.0.0.1:1", ROUND_THE_CLOCK), ("https://query2.finance.yahoo.com", MARKET_HOURS)]
)
def test_a_simulated_exchange_keeps_its_own_hours(hosts, cron):
    schedule = refresh_schedule(load_settings(yahoo_hosts=(hosts,)))
    assert schedule.cron_schedule == cron
    assert schedule.execution_timezone == "Europe/Istanbul"
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING


def count_of(database, table, where):
    return database.rows(f"SELECT count(*) AS n FROM {table} WHERE {where}")[0].n


def test_the_requested_run_refreshes_the_session_and_leaves_history_alone(evaluate, database, disk_instance, running):
    request = evaluate()
    before = len(running.requests)
    job = build_definitions().resolve_job_def("refresh_session")
    result = job.execute_in_process(instance=disk_instance, partition_key=request.partition_key, tags=request.tags)
    assert result.success
    assert 0 < len(running.requests) - before <= 5
    rows = database.rows(
        "SELECT origin, count(*) AS n FROM serving.signals_v1 WHERE session_date = :d GROUP BY 1", {"d": DAY}
    )
    assert [row.origin for row in rows] == ["live"]
    materialized = {event.asset_key for event in result.get_asset_materialization_events()}
    assert key_of("market/quotes") in materialized
    assert key_of("market/raw_prices") not in materialized
    told = result.asset_materializations_for_node("market__quotes")[0].metadata
    assert told["requests_asked"].value == len(running.requests) - before
    assert told["quotes_trading"].value == count_of(database, "market.quotes", "state = 'trading'") > 3
    assert told["market"].value == "SIMULATED"
