"""Holding a frame against its contract: all faults at once, told in bounded space."""

import pandas as pd
import pytest

from bist_pipeline.core.errors import ContractError
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.schemas.validation import SAMPLE_CASES, require, violations

SESSIONS = contracts().sessions
COLUMNS = {
    "is_session": True,
    "is_half_day": False,
    "open_at": pd.NaT,
    "close_at": pd.NaT,
    "final_at": pd.NaT,
    "note": "",
}


def weekdays(count: int) -> pd.DataFrame:
    days = pd.bdate_range("2010-01-04", periods=count).as_unit("us")
    frame = pd.DataFrame({"session_date": days, **COLUMNS})
    moments = {name: frame[name].dt.tz_localize("UTC").dt.as_unit("us") for name in ("open_at", "close_at", "final_at")}
    return frame.assign(**moments, note=frame["note"].astype("str"))


def test_a_good_frame_is_returned_as_it_is():
    frame = weekdays(3)
    assert require(SESSIONS, frame) is frame
    found = violations(SESSIONS, frame)
    assert (found.count, len(found.by_rule), len(found.sample)) == (0, 0, 0)
    assert list(found.by_rule.columns) == ["column", "rule", "cases"]
    assert list(found.sample.columns) == ["column", "rule", "case"]


def test_an_empty_frame_keeps_its_contract():
    assert violations(SESSIONS, weekdays(0)).count == 0


def test_every_fault_is_found_at_once():
    frame = pd.concat([weekdays(3), weekdays(1)], ignore_index=True)  # the first day occurs twice
    note = pd.array(["", None, None, ""], dtype="str")
    found = violations(SESSIONS, frame.assign(note=note, is_session=1))
    assert {("note", "not_nullable"): 2, ("is_session", "dtype('bool')"): 1}.items() <= {
        (row.column, row.rule): row.cases for row in found.by_rule.itertuples()
    }.items()
    assert found.by_rule["rule"].str.contains("unique").any()
    assert found.count == found.by_rule["cases"].sum()


def test_the_frame_is_not_changed():
    frame = weekdays(2).assign(is_session=1)
    before = frame.copy(deep=True)
    violations(SESSIONS, frame)
    pd.testing.assert_frame_equal(frame, before)


def test_a_sample_is_bounded_and_the_count_is_not():
    found = violations(SESSIONS, weekdays(500).assign(note=pd.array([None] * 500, dtype="str")))
    assert found.count == 500
    assert len(found.sample) == SAMPLE_CASES
    assert found.by_rule["cases"].tolist() == [500]


@pytest.mark.parametrize(
    ("spoil", "column"),
    [(lambda frame: frame.drop(columns="note"), "note"), (lambda frame: frame.assign(stranger=1), "stranger")],
)
def test_a_missing_and_a_strange_column_are_named(spoil, column):
    with pytest.raises(ContractError, match=rf"^reference\.sessions: 1 violations: [^\n]*{column}"):
        require(SESSIONS, spoil(weekdays(2)))


def test_the_message_names_table_column_rule_and_number_in_one_line():
    frame = weekdays(3).assign(note=pd.array([None, None, ""], dtype="str"))
    with pytest.raises(ContractError) as caught:
        require(SESSIONS, frame)
    assert str(caught.value) == "reference.sessions: 2 violations: note: not_nullable (2×)"


def test_the_message_stays_short_however_much_is_wrong():
    stocks = contracts().stocks
    frame = pd.DataFrame({name: [object()] * 50 for name in stocks.columns})
    with pytest.raises(ContractError) as caught:
        require(stocks, frame)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600
    assert str(caught.value).count("×)") == 5
