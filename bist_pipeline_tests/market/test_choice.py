"""Which bar is served where two sources disagree, and that it is never in silence."""

import numpy as np
import pytest

from bist_pipeline.core.ticks import snap
from bist_pipeline.market.choice import FURTHER_COLUMNS, choose, stand_in
from bist_pipeline.quality.comparison.engine import bars_of, compare
from bist_pipeline_tests.quality.comparison.invented import (
    PRICES,
    adjusted,
    at,
    changed,
    day,
    history,
    in_turnover,
    with_stale_close,
    without,
)
from bist_pipeline_tests.quality.comparison.raw import COLUMNS, as_raw

BARS = history()
SECOND = in_turnover(adjusted(BARS), BARS)
RAW = ["open_raw", "high_raw", "low_raw", "close_raw"]


def chosen(first, second, bar_choice="supported"):
    raw = as_raw(second, "second_archive:X.csv")
    compared = compare(bars_of(as_raw(first, "first")), bars_of(raw))
    return choose(compared.rows, compared.brought, raw, bar_choice)


SPOILED = without(with_stale_close(BARS, "ZZAAA", 40), "ZZAAC", 20)


def test_the_first_is_served_unless_the_choice_says_otherwise():
    choice = chosen(SPOILED, SECOND, "first")
    assert choice.rows["chosen"].tolist() == ["first", "first"]
    assert choice.standing_in.empty
    assert list(choice.standing_in) == [*COLUMNS, *FURTHER_COLUMNS]


def test_the_supported_bar_stands_in_on_the_grid_in_shares_and_says_why():
    choice = chosen(SPOILED, SECOND)
    assert choice.rows["chosen"].tolist() == ["second", "second"]
    rows = choice.standing_in
    assert list(zip(rows["symbol"], rows["session_date"].dt.strftime("%Y-%m-%d"), strict=True)) == [
        ("ZZAAA", day(BARS, "ZZAAA", 40)),
        ("ZZAAC", day(BARS, "ZZAAC", 20)),
    ]
    for place, key in enumerate((("ZZAAA", 40), ("ZZAAC", 20))):
        true = BARS.loc[at(BARS, *key)]
        assert rows.loc[place, RAW].tolist() == true[PRICES].tolist()  # to the last bit: the grid heals the rounding
        assert rows.loc[place, "volume_raw"] == pytest.approx(true["volume_shares"], rel=0.02)
    assert set(rows["source"]) == {"second_archive:X.csv"}
    assert set(rows["basis"]) == {"as_traded"}
    assert not rows["is_doubtful"].any()
    assert rows["repaired"].str.startswith("second_source: close ").all()
    assert "instead of none: the first has no bar" in rows["repaired"].iloc[1]
    assert "the first repeats its close of the session before" in rows["repaired"].iloc[0]


def test_a_bar_stands_in_for_every_row_of_its_session_and_no_other():
    raw = as_raw(SPOILED, "first")
    served = stand_in(raw, chosen(SPOILED, SECOND).standing_in)
    assert len(served) == len(BARS)
    assert (served["repaired"] != "").sum() == 2
    assert not served.duplicated(["symbol", "session_date"]).any()
    untouched = stand_in(raw, chosen(SPOILED, SECOND, "first").standing_in)
    assert untouched[list(COLUMNS)].equals(raw)
    assert (untouched["repaired"] == "").all()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (BARS, with_stale_close(SECOND, "ZZAAA", 40)),
        (BARS, changed(SECOND, "ZZAAB", range(80), PRICES, 0.5)),
        (changed(BARS, "ZZAAB", 30, ["volume_shares"], 3.0), SECOND),
        (without(BARS, "ZZAAB", 30), changed(SECOND, "ZZAAB", 30, ["volume_shares"], 0.0)),
        (BARS, without(SECOND, "ZZAAB", 30)),
    ],
    ids=["first supported", "an action", "undecided", "not traded", "only the first"],
)
def test_nothing_stands_in_for_a_bar_that_the_second_does_not_beat(first, second):
    choice = chosen(first, second)
    assert choice.standing_in.empty
    assert set(choice.rows["chosen"]) <= {"first"}


def test_a_gap_at_a_step_of_the_ratio_is_not_filled():
    second = changed(SECOND, "ZZAAB", range(81), PRICES, 0.5)
    assert chosen(without(BARS, "ZZAAB", 80), second).standing_in.empty


def test_on_another_basis_than_as_traded_the_bar_is_brought_to_it_and_not_snapped():
    first = adjusted(BARS, 0.811111, None)
    rows = chosen(without(first, "ZZAAB", 30), SECOND).standing_in
    assert set(rows["basis"]) == {"fully_adjusted"}
    right = first.loc[at(first, "ZZAAB", 30), PRICES].to_numpy(dtype=float)
    assert rows[RAW].to_numpy(dtype=float)[0] == pytest.approx(right, rel=1e-4)
    _, away = snap(rows[RAW].to_numpy(dtype=float), np.datetime64(day(BARS, "ZZAAB", 30)))
    assert away.max() > 0.01
