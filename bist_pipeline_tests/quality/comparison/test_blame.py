"""Planted differences: each is found once, on its own bar, and the right source is supported."""

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.ticks import snap
from bist_pipeline.quality.comparison.engine import compare
from bist_pipeline_tests.quality.comparison.invented import (
    PRICES,
    adjusted,
    at,
    changed,
    day,
    history,
    in_turnover,
    told,
    with_stale_close,
    without,
)

BARS = history()
SECOND = in_turnover(adjusted(BARS), BARS)
WHERE = ("ZZAAB", 80)
DAY = day(BARS, *WHERE)


def only(compared):
    assert len(compared.rows) == 1, compared.rows.to_string()
    return compared.rows.iloc[0]


def test_a_stale_close_errs_twice_and_is_blamed_once():
    row = only(compare(with_stale_close(BARS, *WHERE), SECOND))
    assert (row["symbol"], f"{row['session_date']:%Y-%m-%d}") == ("ZZAAB", DAY)
    assert row["verdict"] == "second_supported"
    assert "the first repeats its close of the session before" in row["detail"]
    right = BARS.loc[at(BARS, *WHERE), "close_try"]
    assert row["second_close_try"] == pytest.approx(right, rel=1e-4)
    assert row["first_close_try"] == BARS.loc[at(BARS, *WHERE) - 1, "close_try"]
    assert row["return_difference"] == pytest.approx(1 - right / row["first_close_try"], abs=1e-4)
    assert row["score"] == pytest.approx(100 * abs(np.log(right / row["first_close_try"])), abs=0.1)


def test_a_stale_close_of_the_second_leaves_the_first_supported():
    assert only(compare(BARS, with_stale_close(SECOND, *WHERE)))["verdict"] == "first_supported"


def test_two_stale_closes_in_a_row_are_two_bars():
    twice = with_stale_close(with_stale_close(BARS, *WHERE), "ZZAAB", 81)
    assert [row[1] for row in told(compare(twice, SECOND))] == [DAY, day(BARS, "ZZAAB", 81)]


def test_a_close_off_the_grid_is_blamed_by_the_grid():
    row = only(compare(changed(BARS, *WHERE, ["close_try"], 1.0037), SECOND))
    assert row["verdict"] == "second_supported"
    assert "the first lies off the tick grid" in row["detail"]


def test_the_grid_blames_where_neither_is_as_traded():
    row = only(compare(adjusted(BARS, 0.81, None), changed(adjusted(BARS), *WHERE, ["close_try"], 1.0037)))
    assert row["verdict"] == "first_supported"
    assert "the second lies off the tick grid" in row["detail"]


def test_a_move_beyond_the_limit_is_blamed():
    row = only(compare(BARS, changed(SECOND, *WHERE, PRICES, 100.0)))
    assert row["verdict"] == "first_supported"
    assert "the second moves beyond the price limit" in row["detail"]


def test_a_wrong_unit_for_a_fortnight_is_ten_bars_and_no_action():
    spoiled = changed(BARS, "ZZAAB", range(80, 90), PRICES, 0.01)
    rows = told(compare(spoiled, SECOND))
    assert {row[2:] for row in rows} <= {("bar", "second_supported"), ("bar", "undecided")}
    assert [row[1] for row in rows] == [day(BARS, "ZZAAB", place) for place in range(80, 90)]


def test_one_tick_is_enough():
    bars = changed(BARS, *WHERE, ["close_try"], 1.0)
    tick = 0.01 * np.ceil(100 * 2e-3 * bars.loc[at(bars, *WHERE), "close_try"] / 2) * 2 / 10
    bars.loc[at(bars, *WHERE), "high_try"] += max(tick, 0.02)
    assert only(compare(bars, SECOND))["kind"] == "bar"


def test_a_dispute_that_nothing_tells_apart_stays_undecided_until_a_third_source_speaks():
    row = at(BARS, *WHERE)
    middle = BARS.copy()
    middle.loc[row, "close_try"] = middle.loc[row, "open_try"] = middle.loc[row, "low_try"]
    if middle.loc[row, "close_try"] == BARS.loc[row, "close_try"]:
        middle.loc[row, "close_try"] = middle.loc[row, "high_try"]
    assert only(compare(middle, SECOND))["verdict"] == "undecided"
    third = BARS.loc[[row], ["symbol", "session_date", "close_try"]]
    decided = only(compare(middle, SECOND, third=third))
    assert decided["verdict"] == "second_supported"
    assert "the first is not what a third source says" in decided["detail"]
    every = adjusted(BARS, 0.5, None)[["symbol", "session_date", "close_try"]]
    assert only(compare(middle, SECOND, third=every))["verdict"] == "second_supported"
    against = middle.loc[[row], ["symbol", "session_date", "close_try"]]
    assert only(compare(middle, SECOND, third=against))["verdict"] == "first_supported"


def test_a_missing_session_is_told_on_either_side():
    compared = compare(without(BARS, *WHERE), without(SECOND, "ZZAAC", 30))
    assert told(compared) == [
        ("ZZAAB", DAY, "missing", "only_second"),
        ("ZZAAC", day(BARS, "ZZAAC", 30), "missing", "only_first"),
    ]
    brought = compared.brought.iloc[0]
    right = BARS.loc[at(BARS, *WHERE)]
    assert brought[PRICES].to_numpy(dtype=float) == pytest.approx(right[PRICES].to_numpy(dtype=float), rel=3e-5)
    assert brought["volume_shares"] == pytest.approx(right["volume_shares"], rel=0.02)
    assert brought["basis"] == "as_traded"


def test_what_lies_before_one_of_them_begins_or_long_after_it_ends_is_no_gap():
    days = np.sort(BARS["session_date"].unique())
    first = BARS[(BARS["session_date"] >= days[20]) & (BARS["session_date"] <= days[150])]
    rows = told(compare(first, SECOND))
    assert {row[3] for row in rows} == {"only_second"}
    assert sorted({row[1] for row in rows}) == [str(one)[:10] for one in days[151:156]]


def test_a_bar_on_a_day_that_is_no_session_is_left_out():
    sessions = np.sort(BARS["session_date"].unique()).astype("datetime64[D]")
    closed = sessions[sessions != np.datetime64(DAY)]
    assert told(compare(without(BARS, *WHERE), SECOND, sessions=closed)) == []


def test_an_action_that_one_source_applied_is_one_row_and_blames_no_bar():
    second = SECOND.copy()
    early = (second["symbol"] == "ZZAAB") & (second["session_date"] < DAY)
    second.loc[early, PRICES] = (second.loc[early, PRICES] / 2).round(4)
    row = only(compare(BARS, second))
    assert (row["kind"], row["verdict"]) == ("action", "first_supported")
    assert f"{row['session_date']:%Y-%m-%d}" == DAY
    assert "0.5 times what it was" in row["detail"]
    assert "the second jumps beyond the price limit" in row["detail"]


def test_an_action_within_the_limit_is_undecided():
    second = SECOND.copy()
    early = (second["symbol"] == "ZZAAB") & (second["session_date"] < DAY)
    second.loc[early, PRICES] = (second.loc[early, PRICES] * 0.995).round(4)
    row = only(compare(BARS, second))
    assert (row["kind"], row["verdict"]) == ("action", "undecided")


def test_a_split_that_is_known_speaks_against_the_source_as_traded_that_has_no_gap():
    split = pd.DataFrame(
        {"symbol": ["ZZAAB"], "ex_date": [pd.Timestamp(DAY)], "price_factor": [0.5], "share_ratio": [2.0]}
    )
    early = (BARS["symbol"] == "ZZAAB") & (BARS["session_date"] < DAY)
    traded = BARS.copy()
    traded.loc[early, PRICES] *= 2
    row = only(compare(traded, BARS, actions=split))
    assert (row["kind"], row["verdict"]) == ("action", "first_supported")


def test_a_stale_close_beside_a_step_is_blamed_beside_it():
    second = SECOND.copy()
    early = (second["symbol"] == "ZZAAB") & (second["session_date"] < DAY)
    second.loc[early, PRICES] = (second.loc[early, PRICES] / 2).round(4)
    rows = told(compare(with_stale_close(BARS, "ZZAAB", 83), second))
    assert [row[1:3] for row in rows] == [(DAY, "action"), (day(BARS, "ZZAAB", 83), "bar")]


def test_the_newest_bar_is_doubted_like_any_other():
    assert told(compare(changed(BARS, "ZZAAB", 199, ["close_try"], 1.0037), SECOND))[0][1:] == (
        day(BARS, "ZZAAB", 199),
        "bar",
        "second_supported",
    )


def test_a_volume_of_zero_or_of_another_size_is_told():
    spoiled = changed(changed(BARS, *WHERE, ["volume_shares"], 0.0), "ZZAAC", 20, ["volume_shares"], 3.0)
    compared = compare(spoiled, SECOND)
    assert told(compared) == [
        ("ZZAAB", DAY, "volume", "second_supported"),
        ("ZZAAC", day(BARS, "ZZAAC", 20), "volume", "undecided"),
    ]
    assert compared.rows["volume_difference"].iloc[1] == pytest.approx(2.0, rel=0.05)


def test_a_price_that_is_missing_or_not_one_is_not_compared():
    second = SECOND.copy()
    second.loc[at(second, *WHERE), "open_try"] = np.nan
    second.loc[at(second, "ZZAAB", 81), "high_try"] = -3.0
    assert told(compare(BARS, second)) == []
    second["open_try"] = np.nan
    assert told(compare(BARS, second)) == []


@pytest.mark.parametrize("names", [["bonus"], ["bonus", "rights"]], ids=["one action", "two actions on one day"])
def test_what_all_actions_of_a_day_leave_is_counted_once_however_many_they_are(names):
    """DAGI, 2025-02-19: a bonus of 150 % and rights of 100 % at 1 lira, one day's factor on the row of each."""
    first = BARS.copy()
    own = (first["symbol"] == "ZZAAB").to_numpy()
    after = own & (first["session_date"] >= DAY).to_numpy()
    first.loc[after, PRICES] = snap(first.loc[after, PRICES] * 0.2963, first.loc[after, ["session_date"]])[0]
    whole = first.copy()
    whole.loc[own & ~after, PRICES] *= 0.2963
    second = in_turnover(adjusted(whole), first)
    row = {"symbol": "ZZAAB", "ex_date": pd.Timestamp(DAY), "price_factor": 0.2963, "share_ratio": 3.5}
    actions = pd.DataFrame([row | {"kind": name} for name in names])
    assert told(compare(first, second, actions=actions)) == []
    # The bar before the ex-date is held against the one after it: the factor is needed between them.
    before = ("ZZAAB", day(BARS, "ZZAAB", 79), "bar")
    stale = with_stale_close(first, "ZZAAB", 79)
    assert told(compare(stale, second, actions=actions)) == [(*before, "second_supported")]
    stale = with_stale_close(second, "ZZAAB", 79)
    assert told(compare(first, stale, actions=actions)) == [(*before, "first_supported")]
