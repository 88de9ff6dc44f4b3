"""`bist-pipeline up` from an empty home to its third start: server, code server, webserver and daemon are real.

The tests are chapters of one story and run in their order, on one home.
"""

import io
import os
import signal
import sys
from datetime import timedelta

import pandas as pd
import psutil
import pytest

from bist_pipeline.storage.embedded.server import EmbeddedServer
from bist_pipeline_tests.defs.runs import DAILY
from bist_pipeline_tests.end_to_end.site import Site, recent_archive, wait_for
from bist_pipeline_tests.storage.embedded_homes import ask, temporary_home

pytestmark = pytest.mark.daemon

SYMBOLS, SESSIONS = 6, 120
BACKFILL_WEEKDAYS = 270  # more than one run takes

_LAUNCH = """
mutation Launch($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}"""
_BACKFILL = """
query Backfill($id: String!) {
  partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status error { message } } }
}"""
_RUNS = """
query Runs($tag: String!, $value: String!) {
  runsOrError(filter: {tags: [{key: $tag, value: $value}]}) { ... on Runs { results { runId status } } }
}"""
_CHECKS = """
query Checks($key: AssetKeyInput!) {
  assetNodeOrError(assetKey: $key) {
    ... on AssetNode {
      assetChecksOrError {
        ... on AssetChecks { checks { name blocking executionForLatestMaterialization { status } } }
      }
    }
  }
}"""
_MATERIALIZATIONS = """
query Told($key: AssetKeyInput!, $partition: String!) {
  assetOrError(assetKey: $key) {
    ... on Asset {
      assetMaterializations(partitions: [$partition], limit: 1) {
        metadataEntries { label ... on IntMetadataEntry { intValue } ... on TextMetadataEntry { text } }
      }
    }
  }
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """An empty home, an empty folder to stand in, and an archive that ends with the last session that is over."""
    folder = tmp_path_factory.mktemp("site")
    archive, sessions = recent_archive(folder / "archive", SYMBOLS, SESSIONS)
    (folder / "empty").mkdir()
    with temporary_home() as home:
        site = Site(home, folder / "empty", archive, sessions)
        yield site
    sys.stdout.write("\n" + "".join(f"{seconds:6.1f} s  {what}\n" for what, seconds in site.durations.items()))


@pytest.fixture(scope="module")
def up(site):
    with site.up("--archive", str(site.archive)) as up:
        yield up


def signals(site):
    result = site.run("signals", "--format", "csv")
    assert result.returncode == 0, result.stderr
    return pd.read_csv(io.StringIO(result.stdout))


def test_an_empty_home_ends_with_served_signals(site, up):
    with site.timed("up: empty home to a usable UI"):
        up.says("daemon: ready", 90)
    with site.timed("up: usable UI to a loaded history"):
        up.says("history is loaded", 120)
    found = signals(site)
    assert len(found) == SYMBOLS
    assert set(found["session_date"]) == {str(site.sessions[-1])}
    assert f"up runs as pid {up.process.pid} at http://127.0.0.1:{up.port}" in site.run("status").stdout
    assert list(site.folder.iterdir()) == []


def test_the_checks_of_the_first_load_are_recorded_and_passed(up):
    node = up.ask(_CHECKS, key={"path": ["market", "raw_prices"]})["assetNodeOrError"]
    checks = node["assetChecksOrError"]["checks"]
    assert {check["name"] for check in checks if check["blocking"]} == {"contract", "symbols_answering"}
    results = {check["name"]: (check["executionForLatestMaterialization"] or {}).get("status") for check in checks}
    assert len(results) >= 5
    assert results["contract"] == results["symbols_answering"] == "SUCCEEDED"
    assert set(results.values()) <= {"SUCCEEDED", "FAILED"}


def test_a_second_up_on_the_same_home_is_refused(site, up):
    with site.up("--archive", str(site.archive)) as second:
        assert second.process.wait(60) == 1
    told = second.text.strip().splitlines()
    assert len(told) == 1
    assert f"is in use by pid {up.process.pid} at http://127.0.0.1:{up.port} since" in told[0]
    assert up.process.poll() is None


def test_a_killed_child_is_started_again(site, up):
    killed = next(one for one in psutil.Process(up.process.pid).children() if "dagster-webserver" in str(one.cmdline()))
    with site.timed("up: a killed webserver is back"):
        killed.kill()
        up.says("webserver: was ended by SIGKILL", 30)
        wait_for("the webserver is ready again", lambda: up.text.count("webserver: ready") == 2, 60)
    assert up.ask("{ version }")["version"]


def test_a_backfill_from_the_ui_is_a_run_per_year(site, up):
    last = site.sessions[-1].astype(object)
    first = last - timedelta(days=BACKFILL_WEEKDAYS * 7 // 5)
    by_asset = [
        {"assetKey": {"path": name.split("/")}, "partitions": {"ranges": [{"start": str(first), "end": str(last)}]}}
        for name in DAILY
    ]
    before = {name: count(site, name) for name in ("analytics.indicators", "serving.signals_v1")}
    with site.timed(f"backfill of {BACKFILL_WEEKDAYS + 1} weekdays from the UI"):
        launched = up.ask(_LAUNCH, params={"partitionsByAssets": by_asset, "title": "two chunks"})
        launched = launched["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        backfill = launched["backfillId"]

        def state():
            return up.ask(_BACKFILL, id=backfill)["partitionBackfillOrError"]

        wait_for("the backfill ends", lambda: state()["status"] not in {"REQUESTED"}, 240, lambda: str(state()))
    assert state()["status"] == "COMPLETED_SUCCESS", state()
    runs = up.ask(_RUNS, tag="dagster/backfill", value=backfill)["runsOrError"]["results"]
    assert [run["status"] for run in runs] == ["SUCCESS", "SUCCESS"]
    # It derives what was derived already: nothing is added and nothing is lost.
    assert {name: count(site, name) for name in before} == before
    told = up.ask(_MATERIALIZATIONS, key={"path": ["analytics", "signals"]}, partition=str(last))
    entries = {entry["label"]: entry for entry in told["assetOrError"]["assetMaterializations"][0]["metadataEntries"]}
    assert entries["dagster/partition_row_count"]["intValue"] == SYMBOLS
    assert entries["rows_unchanged"]["intValue"] > 0


def count(site, table):
    return ask(EmbeddedServer(site.home).url("bist"), f"SELECT count(*) FROM {table}")


def test_an_interrupt_ends_everything_and_keeps_the_data(site, up):
    before = count(site, "serving.signals_v1")
    with site.timed("up: Ctrl-C to the end of the last process"):
        assert up.interrupt() == 0
    assert site.processes() == []
    assert "had to kill" not in up.text
    assert up.text.strip().splitlines()[-1] == f"stopped; the data stays in {site.home}"
    assert not site.is_taken()
    assert len(signals(site)) == SYMBOLS  # a short command starts the server for itself, and ends it
    assert site.processes() == []
    with site.timed("up: second start to a usable UI"), site.up() as second:
        second.says("daemon: ready", 60)
        assert count(site, "serving.signals_v1") == before
        second.says("history is loaded", 30)
        second.process.kill()
        second.process.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_killed_supervisor_leaves_nothing_or_the_next_start_ends_it(site):
    # The start before this one was killed with everything running.
    wait_for(
        "everything of the killed supervisor ends", lambda: not site.processes(), 60, lambda: str(site.processes())
    )
    with site.timed("up: third start to a usable UI, after a kill"), site.up() as third:
        third.says("daemon: ready", 60)
        third.says("history is loaded", 30)
        assert len(signals(site)) == SYMBOLS
        os.kill(third.process.pid, signal.SIGTERM)
        assert third.process.wait(60) == 0
    assert site.processes() == []
