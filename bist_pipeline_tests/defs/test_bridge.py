import dagster as dg
import pandas as pd
import pandera.pandas as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bist_pipeline.defs.bridge import finding_result, table, table_schema, violations_result
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.quality.contract import SAMPLE_ROWS, Finding
from bist_pipeline.schemas.contract import contract, price, session, symbol
from bist_pipeline.schemas.validation import SAMPLE_CASES, violations

KEY = dg.AssetKey(["market", "bars"])
BARS = contract(
    "market.bars",
    "One bar.",
    {"symbol": symbol("Code."), "session_date": session(), "close_try": price("Close.", null=True)},
    key=("symbol", "session_date"),
    checks=[pa.Check(lambda frame: frame["close_try"] < 1000, name="not dear")],
)


def test_a_column_schema_says_type_unit_and_key():
    columns = {column.name: column for column in table_schema(BARS).columns}
    assert list(columns) == ["symbol", "session_date", "close_try"]
    assert columns["close_try"].type == "double precision"
    assert columns["close_try"].description == "Close. [TRY]"
    assert columns["symbol"].description == "Code."
    assert columns["close_try"].constraints == dg.TableColumnConstraints(nullable=True, unique=False, other=[])
    # Of a key of two columns neither is unique by itself.
    assert columns["symbol"].constraints == dg.TableColumnConstraints(
        nullable=False, unique=False, other=["primary key"]
    )


@pytest.mark.parametrize("declared", contracts().all(), ids=lambda declared: declared.name)
def test_every_contract_becomes_a_column_schema(declared):
    columns = table_schema(declared).columns
    assert [column.name for column in columns] == list(declared.columns)
    assert all(column.type and column.description for column in columns)


def shown_table(result, name):
    value = result.metadata[name]
    assert isinstance(value, dg.TableMetadataValue)
    return value.records


def rows(count):
    days = pd.Series(pd.date_range("2021-01-04", periods=count).as_unit("us"))
    return pd.DataFrame({"symbol": ["ZZAAA"] * count, "session_date": days, "detail": ["why"] * count})


@pytest.mark.parametrize(("count", "shown"), [(1, 1), (SAMPLE_ROWS, SAMPLE_ROWS), (5000, SAMPLE_ROWS)])
def test_a_finding_shows_its_numbers_and_a_bounded_sample(count, shown):
    finding = Finding(False, "bars are wrong", {"offending_rows": count, "share": 0.5}, rows(count))
    result = finding_result("wrong", dg.AssetCheckSeverity.WARN, finding, KEY)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert result.description == "bars are wrong"
    assert result.metadata["offending_rows"].value == count
    assert result.metadata["share"].value == 0.5
    assert len(shown_table(result, "sample")) == shown
    assert dict(shown_table(result, "sample")[0].data) == {
        "symbol": "ZZAAA",
        "session_date": "2021-01-04 00:00:00",
        "detail": "why",
    }


def test_a_finding_without_offences_shows_no_sample():
    result = finding_result("fine", dg.AssetCheckSeverity.ERROR, Finding(True, "all is well", {"rows": 3}), KEY)
    assert result.passed
    assert result.metadata.keys() == {"rows"}


def bars(prices):
    days = pd.Series(pd.date_range("2021-01-04", periods=len(prices)).as_unit("us"), dtype="datetime64[us]")
    closes = pd.Series(prices, dtype="float64")
    return pd.DataFrame({"symbol": pd.array(["ZZAAA"] * len(prices), dtype="str"), "session_date": days}).assign(
        close_try=closes
    )


@given(st.lists(st.floats(0.01, 5000), max_size=60))
def test_every_violation_of_a_contract_counts_and_the_sample_is_bounded(prices):
    expected = sum(value >= 1000 for value in prices)
    found = violations(BARS, bars(prices))
    result = violations_result("contract", found, KEY, "2021")
    assert result.passed == (expected == 0)
    assert result.severity is dg.AssetCheckSeverity.ERROR
    assert bool(result.metadata["violations"].value) == bool(expected)
    if expected:
        assert 0 < len(shown_table(result, "sample")) <= SAMPLE_CASES
        assert {record.data["rule"] for record in shown_table(result, "by_rule")} == {"not dear"}
    else:
        assert result.metadata.keys() == {"violations"}


def test_what_is_unknown_is_shown_as_none():
    shown = table(pd.DataFrame({"a": [1.5, None], "b": [pd.NaT, pd.Timestamp("2021-01-04")]}))
    assert [dict(record.data) for record in shown.records] == [
        {"a": "1.5", "b": "None"},
        {"a": "None", "b": "2021-01-04 00:00:00"},
    ]
