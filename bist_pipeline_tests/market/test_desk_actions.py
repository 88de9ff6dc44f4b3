"""The desk's list of corporate actions: what it may say, and how it is told what is wrong."""

import numpy as np
import pytest

from bist_pipeline.market.desk_actions import FRAME_COLUMNS, ActionsFileError, parse_desk_actions

HEADER = "symbol,ex_date,kind,ratio,amount_try,subscription_try,new_symbol,note\n"


def test_a_list_of_every_kind_is_read_with_its_lines():
    frame = parse_desk_actions(
        "# announced by the companies\n"
        + HEADER
        + 'DAGI,2025-02-19,bonus,1.5,,,,"150 %, reserves"\n\n'
        + "DAGI,2025-02-19,rights,1,,1.00,,\n"
        + "# a comment\n"
        + "froto.is,2024-11-22,dividend,,14.25,,,\n"
        + "KOZAL,2025-09-01,rename,,,,tralt,\n"
        + "EREGL,27.11.2024,SPLIT,2,,,,\n"
    )
    assert tuple(frame.columns) == FRAME_COLUMNS
    assert frame["symbol"].tolist() == ["DAGI", "DAGI", "FROTO", "KOZAL", "EREGL"]
    assert frame["kind"].tolist() == ["bonus", "rights", "dividend", "rename", "split"]
    assert frame["ex_date"].dt.strftime("%Y-%m-%d").tolist()[-1] == "2024-11-27"
    np.testing.assert_array_equal(frame["ratio"], [1.5, 1.0, np.nan, np.nan, 2.0])
    np.testing.assert_array_equal(frame["amount_try"], [np.nan, np.nan, 14.25, np.nan, np.nan])
    np.testing.assert_array_equal(frame["subscription_try"], [np.nan, 1.0, np.nan, np.nan, np.nan])
    assert frame["new_symbol"].tolist() == ["", "", "", "TRALT", ""]
    assert frame["note"].tolist()[0] == "150 %, reserves"
    assert [source.rpartition(":")[2] for source in frame["source"]] == ["3", "5", "7", "8", "9"]


def test_columns_come_in_any_order_and_those_that_are_not_needed_may_be_left_out():
    frame = parse_desk_actions("\ufeffKind;Ex_Date;Symbol;Amount_TRY\ndividend;2024-11-22;FROTO;14,25\n")
    assert frame[["symbol", "amount_try", "note"]].to_numpy().tolist() == [["FROTO", 14.25, ""]]


@pytest.mark.parametrize("text", ["", "# nothing yet\n", HEADER, HEADER + "\n,,,,,,,\n"])
def test_an_empty_list_says_nothing(text):
    frame = parse_desk_actions(text)
    assert frame.empty
    assert str(frame["ex_date"].dtype) == "datetime64[us]"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("DAGI,2025-02-30,split,2,,,,", r"line 2: ex_date = '2025-02-30'; legal: 2025-02-19 or 19.02.2025"),
        ("DAGI,2025-02-19,bedelsiz,2,,,,", r"kind = 'bedelsiz'; legal: split, bonus, rights, dividend, rename"),
        ("DAGI,2025-02-19,split,,,,,", "ratio is empty, a split needs it: a number above 0"),
        ("DAGI,2025-02-19,split,0,,,,", "ratio = '0'; legal: a number above 0"),
        ("DAGI,2025-02-19,split,-2,,,,", "ratio = '-2'; legal"),
        ("DAGI,2025-02-19,split,nan,,,,", "ratio = 'nan'; legal"),
        ("DAGI,2025-02-19,split,two,,,,", "ratio = 'two'; legal"),
        ("DAGI,2025-02-19,bonus,150,,,,", "ratio = '150'; legal: new shares per old share: 100 % is 1"),
        ("DAGI,2025-02-19,rights,1,,,,", "subscription_try is empty, a rights needs it"),
        ("DAGI,2025-02-19,dividend,,,,,", "amount_try is empty, a dividend needs it: lira per share as traded"),
        ("DAGI,2025-02-19,dividend,2,1,,,", "ratio = '2' says nothing of a dividend; legal: amount_try"),
        ("DAGI,2025-02-19,rename,,,,,", "new_symbol is empty, a rename needs it"),
        ("DA,2025-02-19,split,2,,,,", "not a Borsa Istanbul symbol"),
        ("DAGI,2025-02-19,split,2,,,,,note", "line 2: 9 fields under 8 column names"),
    ],
)
def test_a_wrong_line_is_refused_with_its_number_its_column_and_what_is_legal(line, message):
    with pytest.raises(ActionsFileError, match=message) as told:
        parse_desk_actions(HEADER + line)
    assert "corporate_actions.csv, line 2" in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("symbol,kind", r"line 1: no column 'ex_date'; legal: symbol, ex_date"),
        ("symbol,ex_date,kind,rate", "unknown column 'rate'"),
        ("symbol,ex_date,kind,Kind", "twice the column 'kind'"),
    ],
)
def test_a_wrong_header_is_refused(header, message):
    with pytest.raises(ActionsFileError, match=message):
        parse_desk_actions(header + "\n")


def test_the_same_action_twice_is_refused_and_every_wrong_line_is_named():
    lines = "DAGI,2025-02-19,split,2,,,,\nDAGI,19.02.2025,split,3,,,,\nDAGI,2025-02-20,split,x,,,,\n"
    with pytest.raises(ActionsFileError, match=r"line 3: DAGI 2025-02-19 split is already on line 2.*line 4: ratio"):
        parse_desk_actions(HEADER + lines)
