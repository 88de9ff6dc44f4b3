"""`bist-pipeline up --simulated` from an empty home to its second start, on a small market.

The tests are chapters of one story and run in their order, on one home. What the schedule does every five minutes is
asked for through the UI, since nobody wants to wait for it; a tick of its own that comes meanwhile does no harm.
"""

import io
import json
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import pandas as pd
import psutil
import pytest

from bist_pipeline.core.calendar import ISTANBUL, load_calendar
from bist_pipeline.core.clock import SystemClock
from bist_pipeline.defs.lanes import LIVE_TAGS
from bist_pipeline.storage.embedded.server import EmbeddedServer
from bist_pipeline_tests.end_to_end.site import Site, Up, wait_for
from bist_pipeline_tests.storage.embedded_homes import ask, temporary_home

pytestmark = pytest.mark.daemon

SYMBOLS = 12
MARKET = f"seed=7 symbols={SYMBOLS} first=2026-01-02"
LABEL = "SIMULATED market: no price here is real\n"

_LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}"""
_RUN = "query Run($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
_SCHEDULE = """
query Schedule($selector: ScheduleSelector!) {
  scheduleOrError(scheduleSelector: $selector) {
    ... on Schedule { cronSchedule executionTimezone scheduleState { status } futureTicks(limit: 2) {
      results { timestamp } } }
  }
}"""
_REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": "bist_pipeline.definitions"}


@dataclass(frozen=True, slots=True)
class Market:
    """What is traded at the start.

    Attributes:
        session: The last one that is over for the machine, so that its close can be brought about.
        opened: Late in its morning.
        settled: When its final bars are to be had.
    """

    session: date
    opened: datetime
    settled: datetime


@pytest.fixture(scope="module")
def market() -> Market:
    calendar, today = load_calendar(), SystemClock().now().date()
    over = calendar.sessions(today - timedelta(days=20), today - timedelta(days=1))[-1].astype(object)
    final = calendar.schedule(over, over)["final_at"].iloc[0].to_pydatetime()
    return Market(over, datetime.combine(over, time(11, 30), ISTANBUL), final + timedelta(minutes=20))


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("simulated")
    (folder / "empty").mkdir()
    with temporary_home() as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIST_SIMULATION", MARKET)  # for the first start alone: from then on the home remembers
        site = Site(home, folder / "empty", folder / "no archive", load_calendar().days[:0])
        yield site
    sys.stdout.write("\n" + "".join(f"{seconds:6.1f} s  {what}\n" for what, seconds in site.durations.items()))


@pytest.fixture(scope="module")
def up(site, market):
    with site.up("--simulated", "--now", market.opened.isoformat()) as up:
        yield up


def stored(site: Site, question: str) -> str:
    return ask(EmbeddedServer(site.home).url("bist"), question)


def signals(site: Site, session: date | None = None) -> pd.DataFrame:
    """What `signals` prints, which says each time that the market is invented."""
    result = site.run("signals", "--format", "csv", *(() if session is None else ("--date", str(session))))
    assert (result.returncode, result.stderr) == (0, LABEL)
    return pd.read_csv(io.StringIO(result.stdout))


def bars(site: Site, session: date) -> list[str]:
    """`is_final` and volume of each bar of a session, as `symbol final volume`, sorted."""
    told = stored(
        site,
        f"""SELECT string_agg(symbol || ' ' || is_final || ' ' || volume_shares, ',' ORDER BY symbol)
        FROM market.daily_prices WHERE session_date = '{session}'""",
    )
    return told.split(",")


def exchange_url(up: Up) -> str:
    return up.text.partition("SIMULATED exchange at ")[2].partition(": ")[0]


def told_by_exchange(up: Up, path: str = "", **content: str) -> dict:
    body = json.dumps(content).encode() if content else None
    with urllib.request.urlopen(f"{exchange_url(up)}/simulator{path}", body, timeout=10) as answer:
        return json.load(answer)


def test_an_empty_home_ends_with_signals_of_an_invented_market(site, up, market):
    with site.timed("up --simulated: empty home to a usable UI"):
        up.says("daemon: ready", 60)
    with site.timed("up --simulated: usable UI to a loaded history"):
        up.says("history is loaded", 60)
    found = signals(site)
    assert len(found) == SYMBOLS
    assert set(found["session_date"]) == {str(market.session)}
    assert not found["is_final"].any()
    assert f"{MARKET}; there it is {market.opened:%A %Y-%m-%d %H:%M}" in up.text
    assert "on this machine; nothing leaves it" in up.text
    assert list(site.folder.iterdir()) == []


def test_the_schedule_of_refreshes_runs_by_itself_every_five_minutes(up):
    selector = {**_REPOSITORY, "scheduleName": "refresh_current_session"}
    schedule = up.ask(_SCHEDULE, selector=selector)["scheduleOrError"]
    assert schedule["scheduleState"]["status"] == "RUNNING"
    first, second = (tick["timestamp"] for tick in schedule["futureTicks"]["results"])
    assert second - first == 300


def test_a_refresh_takes_quotes_forms_bars_and_publishes(site, up, market):
    later = market.opened + timedelta(minutes=20)
    before, requests = bars(site, market.session), told_by_exchange(up, "/now", now=later.isoformat())["requests"]
    selector = {**_REPOSITORY, "jobName": "refresh_session"}
    tags = [{"key": key, "value": value} for key, value in LIVE_TAGS.items()]
    tags.append({"key": "dagster/partition", "value": str(market.session)})
    params = {"selector": selector, "executionMetadata": {"tags": tags}}
    with site.timed("a refresh, from its request to its end"):
        launched = up.ask(_LAUNCH, params=params)["launchPipelineExecution"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        run = launched["run"]["runId"]
        ended = wait_for(
            "the refresh ends",
            lambda: (status := up.ask(_RUN, id=run)["runOrError"]["status"]) in {"SUCCESS", "FAILURE"} and status,
            60,
        )
    assert ended == "SUCCESS"
    assert stored(site, f"SELECT count(*) FROM market.quotes WHERE run_id = '{run}' AND state = 'trading'") == "12"
    assert stored(site, f"SELECT origin FROM serving.publishes WHERE run_id = '{run}'") == "live"
    after = bars(site, market.session)
    assert len(after) == SYMBOLS
    assert all(" false " in bar for bar in after)
    assert before != after
    assert told_by_exchange(up)["requests"] - requests <= 2 * 5  # the schedule may have come between
    assert "Newest refresh of a session in progress" in site.run("status").stdout


def test_after_the_close_its_bars_become_final_by_themselves(site, up, market):
    told_by_exchange(up, "/now", now=market.settled.isoformat())
    final = f"SELECT bool_and(is_final) FROM market.daily_prices WHERE session_date = '{market.session}'"
    served = f"SELECT last_final_session = '{market.session}' FROM serving.watermark"
    with site.timed("from the close to final bars that are served"):
        wait_for("final bars", lambda: stored(site, final) == stored(site, served) == "True", 60, lambda: up.text)
    found = signals(site)
    assert set(found["session_date"]) == {str(market.session)}
    assert found["is_final"].all()


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs: what the machine's first process has not buried yet does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_an_interrupt_ends_the_exchange_too(site, up):
    children = psutil.Process(up.process.pid).children(recursive=True)
    assert any("simulate" in " ".join(child.cmdline()) for child in children)
    with site.timed("up --simulated: Ctrl-C to the end of the last process"):
        assert up.interrupt() == 0
    assert site.processes() == []
    assert [child for child in children if is_alive(child)] == []
    assert "simulated exchange: stopped" in up.text
    assert up.text.strip().splitlines()[-1] == f"stopped; the data stays in {site.home}"
    # What is stored can be read without the exchange that it came from.
    assert len(signals(site)) == SYMBOLS


def test_the_second_start_has_the_same_market_and_does_not_go_back(site, market):
    before = signals(site)
    with site.timed("up: second start to its exchange"), site.up() as second:
        second.says("simulated exchange: ready", 60)
        assert f"{MARKET}; there it is " in second.text
        assert datetime.fromisoformat(told_by_exchange(second)["now"]) >= market.settled
        pd.testing.assert_frame_equal(signals(site, market.session), before)
        second.process.terminate()
        assert second.process.wait(60) == 0
    assert site.processes() == []
