"""Every contract of the project: what must hold for a table to be made, written and explained from it."""

from typing import get_args

import pandas as pd
import pandera.pandas as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.providers.contract import MarketKind
from bist_pipeline.providers.pacing.contract import Outcome
from bist_pipeline.schemas import analytics, market
from bist_pipeline.schemas.contract import choice, contract, flag, integer, number, price, session, symbol, text
from bist_pipeline.schemas.operations import MARKET_KINDS, OUTCOMES
from bist_pipeline.schemas.validation import violations
from bist_pipeline.storage.migrate import SCHEMAS
from bist_pipeline.storage.tables import SERVER_STAMPS

ALL = {one.name: one for one in contracts().all()}
SQL = {"text", "date", "timestamptz", "double precision", "bigint", "boolean", "jsonb", "bytea"}

every = pytest.mark.parametrize("one", ALL.values(), ids=ALL)


@every
def test_a_contract_has_two_segments_and_one_of_the_known_schemas(one):
    assert one.name == f"{one.schema}.{one.table}"
    assert one.schema in SCHEMAS
    assert one.frame.name == one.name


@every
def test_every_column_says_what_it_is_in_which_type_and_unit(one):
    assert one.description.endswith(".")
    for name, column in one.frame.columns.items():
        assert column.description, f"{one.name}.{name} has no description"
        assert set(column.metadata) == {"sql", "unit"}
        assert column.metadata["sql"] in SQL
        if column.metadata["sql"] == "date":
            assert column.metadata["unit"] == "date"


@every
def test_keys_indexes_and_stamps_are_columns(one):
    columns = set(one.columns)
    assert one.key
    assert set(one.key) <= columns
    assert not any(one.frame.columns[name].nullable for name in one.key)
    assert {name for index in one.indexes for name in index} <= columns
    assert set(one.stamps) <= columns - set(one.key)
    assert SERVER_STAMPS & columns <= {*one.stamps, *one.key, "changed_at"}


@every
def test_the_key_is_what_must_be_unique(one):
    assert tuple(one.frame.unique) == one.key
    assert one.frame.strict
    assert not one.frame.coerce


@every
def test_a_name_carries_its_unit_and_never_a_bare_word(one):
    for name, column in one.frame.columns.items():
        assert name == name.lower()
        assert name not in {"date", "value", "data", "price", "close", "timestamp", "time"}
        if column.metadata["unit"] == "TRY":
            assert name.endswith(("_try", "_raw")) or one.name == "analytics.indicators"
        if column.metadata["sql"] == "timestamptz":
            assert name.endswith(("_at", "_until", "as_of"))


def test_tables_are_named_once():
    assert len(ALL) == len(contracts().all()) == 37


def test_what_was_asked_of_providers_stands_apart_from_what_they_answered():
    operations = {name for name, one in ALL.items() if one.schema == "operations"}
    assert operations == {f"operations.{name}" for name in ("market", "pace", "leases", "circuits", "requests")}


def test_the_words_for_an_outcome_and_for_a_market_are_those_that_providers_use():
    assert {*get_args(Outcome)} == {*OUTCOMES}
    assert {*get_args(MarketKind)} == {*MARKET_KINDS}


def test_only_tables_with_columns_of_parts_take_new_columns():
    additive = {name for name, one in ALL.items() if one.additive}
    assert additive == {"analytics.indicators", "analytics.signals", "serving.signals"}


def test_served_and_derived_signals_share_their_columns():
    derived, served = contracts().signals, contracts().served_signals
    versioned = {"origin", "publish_id", "superseded_by"}
    assert set(served.columns) - versioned == set(derived.columns) - {"updated_at"}


# ── the kinds of columns ──

ONE = contract(
    "market.one",
    "One row.",
    {
        "symbol": symbol(),
        "session_date": session(),
        "close_try": price("Last price."),
        "share": number("0…1", "A share.", pa.Check.in_range(0, 1), null=True),
        "rows": integer("rows", "How many.", pa.Check.ge(0)),
        "is_final": flag("Whether final."),
        "kind": choice("What it is.", ("share", "index")),
        "note": text("Anything.", null=True),
    },
    key=("symbol", "session_date"),
)
GOOD = {
    "symbol": "THYAO",
    "session_date": pd.Timestamp(2024, 1, 2).as_unit("us"),
    "close_try": 10.0,
    "share": 0.5,
    "rows": 1,
    "is_final": True,
    "kind": "share",
    "note": None,
}


def rules(row: dict[str, object]) -> set[str]:
    frame = pd.DataFrame([GOOD | row]).astype({"note": "str"})
    return set(violations(ONE, frame).by_rule["column"])


def test_a_good_row_keeps_its_contract():
    assert rules({}) == set()
    assert rules({"share": float("nan"), "note": "iki", "symbol": "A1CAP", "rows": 0}) == set()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("symbol", "thyao"),
        ("symbol", "THYAO.IS"),
        ("symbol", ""),
        ("symbol", "İŞBTR"),
        ("symbol", "A" * 13),
        ("session_date", pd.NaT),
        ("close_try", 0.0),
        ("close_try", -1.0),
        ("close_try", float("nan")),
        ("close_try", float("inf")),
        ("close_try", 10),
        ("share", 1.0000001),
        ("share", -0.1),
        ("rows", -1),
        ("rows", 1.0),
        ("is_final", 1),
        ("kind", "bond"),
    ],
)
def test_a_value_that_breaks_its_column_is_found_there(column, value):
    assert rules({column: value}) == {column}


def test_a_choice_tells_its_values():
    assert ONE.frame.columns["kind"].description == "What it is. One of share, index."


# ── rules over a whole row ──

ORDER = "low <= open, close <= high"
MOMENT = pd.Timestamp(2024, 1, 2, 15, tz="UTC").as_unit("us")
BAR = {
    "repaired": "",
    "symbol": "THYAO",
    "session_date": GOOD["session_date"],
    "volume_shares": 0.0,
    "adjustment_factor": 1.0,
    "total_return_factor": 1.0,
    "basis": "as_traded",
    "is_final": True,
    "grade": "A",
    "filled": "",
    "source": "test",
    "as_of": MOMENT,
    "updated_at": MOMENT,
}
prices = st.sampled_from((9.0, 10.0, 10.0 * (1 + 1e-12), 10.0 * (1 + 1e-6), 11.0))


@settings(max_examples=60, deadline=None)
@given(open_=prices, high=prices, low=prices, close=prices)
def test_the_order_of_a_bar_is_a_rule_of_its_table(open_, high, low, close):
    frame = pd.DataFrame([BAR | {"open_try": open_, "high_try": high, "low_try": low, "close_try": close}])
    found = violations(contracts().daily_prices, frame)
    slack = market.ORDER_TOLERANCE * 11  # adjusting with floating point factors leaves a residue
    is_ordered = low - slack <= min(open_, close) and max(open_, close) <= high + slack and low <= high + slack
    assert found.by_rule["rule"].unique().tolist() == ([] if is_ordered else [ORDER])


def test_columns_of_indicators_come_between_nothing():
    made = analytics.indicators_contract([("b_2", "TRY", "B."), ("a_1", "ratio", "A.")])
    assert made.columns == ("symbol", "session_date", "is_final", "updated_at", "b_2", "a_1")
    assert made.frame.columns["b_2"].metadata == {"sql": "double precision", "unit": "TRY"}
    assert made.frame.columns["b_2"].nullable
