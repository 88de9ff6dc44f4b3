import dagster as dg
import pytest

from bist_pipeline.defs.partitions import CHUNKS, SESSIONS
from bist_pipeline.settings import load_settings, remember
from bist_pipeline_tests.defs.graph import SNAPSHOT, described, unchosen

defs = unchosen()
GRAPH = defs.resolve_asset_graph()
NODES = sorted(GRAPH.asset_nodes, key=lambda node: node.key)


def name_of(node):
    return node.key.to_user_string()


def test_the_graph_is_the_one_that_was_agreed_on():
    """If the change is wanted: `python -m bist_pipeline_tests.defs.graph`, and read the difference."""
    assert described(defs) == SNAPSHOT.read_text(encoding="utf-8")


def test_what_a_home_remembers_and_the_variables_of_the_caller_leave_the_snapshot_alone(tmp_path, monkeypatch):
    simulated = {"YAHOO_HOSTS": "http://127.0.0.1:4711", "YAHOO_REQUESTS_PER_SECOND": "0"}
    remember(load_settings(bist_home=tmp_path / ".bist-simulated"), simulated)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BIST_HOME")
    monkeypatch.setenv("BIST_EXECUTOR", "multiprocess")
    assert load_settings().asks_loopback  # this is the home that a command would find
    assert described(unchosen()) == SNAPSHOT.read_text(encoding="utf-8")


@pytest.mark.parametrize("node", NODES, ids=name_of)
def test_every_asset_says_what_it_is(node):
    assert len(node.key.path) == 2
    assert node.group_name == node.key.path[0]
    assert len(node.description) > 40
    assert node.owners == ["team:market-data"]
    assert "postgres" in node.kinds
    assert node.code_version


@pytest.mark.parametrize("node", NODES, ids=name_of)
def test_every_asset_shows_its_table_and_what_each_column_means(node):
    assert node.metadata["dagster/table_name"].split(".")[0] == node.key.path[0]
    columns = node.metadata["dagster/column_schema"].columns
    assert "primary key" in {rule for column in columns for rule in column.constraints.other}
    assert [column.name for column in columns if not (column.type and column.description)] == []


@pytest.mark.parametrize("node", [node for node in NODES if node.is_partitioned], ids=name_of)
def test_every_daily_asset_shares_one_partitions_object_and_one_policy(node):
    assert node.partitions_def is SESSIONS
    assert node.backfill_policy == CHUNKS


def test_every_dependency_is_one_partition_to_one():
    assert [name_of(node) for node in NODES if node.partition_mappings] == []


@pytest.mark.parametrize("key", sorted(GRAPH.asset_check_keys), ids=lambda key: key.name)
def test_every_check_says_what_it_holds_and_is_not_partitioned(key):
    spec = GRAPH.get_check_spec(key)
    assert len(str(spec.description or "")) > 20
    assert spec.partitions_def is None


def test_the_resource_shows_no_secret():
    assert defs.resources is not None
    assert defs.resources["pipeline"].model_dump().keys() == {"home"}


def test_steps_run_in_one_process_by_default():
    assert defs.executor is dg.in_process_executor
