"""Known ratios, spikes and dividends: a recorded case and a near miss for each rule.

Quoted from the recordings `price_repair` (yfinance's tests) and `bist_daily`, to the digits that matter.
"""

import dataclasses

import numpy as np
import pytest

from bist_pipeline.quality.breaks import analyse
from bist_pipeline.quality.breaks.contract import Exchange
from bist_pipeline_tests.quality.breaks.histories import actions, changed, quoted, simulated, times, told

ANYWHERE = Exchange()

AET = """
2022-05-05 0.1455 0.1455 0.1455 0.1455 0
2022-05-06 0.1455 0.1455 0.1455 0.1455 0
2022-05-17 14.55 14.55 14.55 14.55 0
2022-05-18 14.55 14.55 14.55 14.55 532454
2022-05-19 14.55 14.55 14.55 14.55 0
2022-05-20 0.1455 0.1455 0.1455 0.1455 0
2022-05-23 0.1455 0.1455 0.1455 0.1455 0
"""
SHIN_ETSU = """
2023-03-24 20650 20935 20615 20885 1792300
2023-03-27 20980 21020 20755 20960 1191900
2023-03-28 21000 21035 20620 20710 901100
2023-03-29 4146 4211 4146 4206 6514500
2023-03-30 4257 4268 4119 4161 5535200
2023-03-31 4229 4299 4209 4275 9608400
"""
MGROS = """
2023-04-04 157.4399 164.0976 156.596 159.4091 2641311
2023-04-05 159.4091 166.8169 159.2216 164.0976 2247504
2023-04-06 164.0038 167.5671 0.9377006 163.4412 1348042
2023-04-07 163.4412 165.7855 161.3783 163.6288 964786
"""
TRATON = """
2023-05-30 19.59 19.80 19.27 19.35 196309
2023-05-31 19.12 19.14 18.70 18.79 156652
2023-06-02 18.55 19.00 18.51 18.90 83439
2023-06-05 18.93 19.09 18.84 19.00 153167
"""


def test_the_level_on_which_shares_changed_hands_is_right_and_the_other_unit_withheld():
    breaks = analyse(quoted(AET, "split_adjusted"), ANYWHERE)
    assert [(day, effect) for day, _, effect, _ in told(breaks)] == [
        (day, "withhold") for day in ("2022-05-05", "2022-05-06", "2022-05-20", "2022-05-23")
    ]
    assert set(breaks.verdicts["rule"]) == {"unit_error"}
    # Near miss: ten times is no unit error, and what it is nobody can know without a limit.
    ten = times(times(quoted(AET, "split_adjusted"), 2, 5, 0.1), 5, 7, 10.0)
    assert told(analyse(ten, ANYWHERE)) == []


def test_a_bar_a_hundred_times_too_large_is_one_on_the_exchange_too_unless_an_action_explains_it():
    history = times(simulated(60), 30, 31, 100.0)
    assert told(analyse(history)) == [(str(history.day[30]), "unit_error", "withhold", "fault")]
    rest = times(simulated(60, level=900.0), 30, 60, 0.01, on_grid=True)
    stated = dataclasses.replace(rest, actions=actions((rest.day[30], 0.01, 100.0)))
    assert told(analyse(stated)) == []


def test_rows_before_a_stated_split_that_were_not_adjusted_are_multiplied():
    split = [1, 1, 1, 1, 5, 1]
    breaks = analyse(quoted(SHIN_ETSU, "split_adjusted", split=split), ANYWHERE)
    assert told(breaks) == [("2023-03-24", "unadjusted_rows", "none", "fault")]
    (repair,) = breaks.repairs.itertuples()
    assert str(repair.last_session)[:10] == "2023-03-28"
    assert (repair.price_factor, repair.volume_factor) == pytest.approx((0.2, 5.0))
    # Near misses: nobody states the split, or states another.
    assert told(analyse(quoted(SHIN_ETSU, "split_adjusted"), ANYWHERE)) == []
    assert told(analyse(quoted(SHIN_ETSU, "split_adjusted", split=[1, 1, 1, 1, 2, 1]), ANYWHERE)) == []


def test_a_single_row_that_a_split_did_not_reach_is_multiplied():
    whole = simulated(60, basis="split_adjusted")
    history = dataclasses.replace(times(whole, 20, 21, 2.0), split=np.where(np.arange(60) == 40, 2.0, 1.0))
    (repair,) = analyse(history).repairs.itertuples()
    assert (repair.first_session, repair.price_factor) == (repair.last_session, pytest.approx(0.5))
    # Near miss: the same row behind the split is none that it should have reached.
    behind = dataclasses.replace(times(whole, 50, 51, 2.0), split=history.split)
    assert [rule for _, rule, _, _ in told(analyse(behind))] == ["reverting_spike"]


@pytest.mark.parametrize(("length", "rule"), [(1, "reverting_spike"), (5, "reverting_spike"), (6, "unstated_action")])
def test_a_level_left_again_within_five_bars_is_a_spike(length, rule):
    whole = simulated(90, seed=7)
    history = times(whole, 40, 40 + length, 1.6, on_grid=True)
    found = told(analyse(history))
    assert {name for _, name, _, _ in found} == {rule}
    if rule == "reverting_spike":
        assert [day for day, _, effect, _ in found if effect == "withhold"] == [
            str(day) for day in history.day[40 : 40 + length]
        ]


def test_two_days_at_the_limit_and_back_are_no_spike():
    whole = simulated(60, seed=8)
    base = whole.close[29]
    history = changed(whole, 30, open=base, low=base, high=base * 1.1, close=base * 1.1)
    history = changed(history, 31, open=base * 1.1, high=base * 1.1, low=base, close=base)
    assert told(analyse(times(history, 32, 60, base / whole.close[31], on_grid=True))) == []


def test_a_price_out_of_reach_of_its_own_bar_is_withheld():
    history = quoted(MGROS)
    assert told(analyse(history)) == [("2023-04-06", "stray_price", "withhold", "fault")]
    assert told(analyse(history, ANYWHERE)) == [("2023-04-06", "stray_price", "withhold", "fault")]
    # Near miss: a low that three sessions at the limit could reach says that the close before was stale, at most.
    assert told(analyse(changed(history, 2, low=140.0))) == []
    # Nor is anything out of reach on a share's first session, which has no limit.
    assert told(analyse(changed(changed(history, 0, low=90.0), 2, low=163.0))) == []


def test_a_dividend_that_the_adjusted_close_lacks_is_told_without_a_word_against_the_bars():
    stated = {"dividend": [0, 0, 0.7, 0]}
    breaks = analyse(quoted(TRATON, "split_adjusted", adj_close=[19.35, 18.79, 18.9, 19.0], **stated), ANYWHERE)
    assert told(breaks) == [("2023-06-02", "dividend_adjustment", "none", "fault")]
    (wrong,) = breaks.misadjusted.itertuples()
    assert (wrong.column, str(wrong.last_session)[:10]) == ("adj_close", "2023-05-31")
    assert 18.79 * wrong.factor == pytest.approx(18.09)  # yfinance's repaired value
    # Near miss: adjusted as stated.
    right = quoted(TRATON, "split_adjusted", adj_close=[18.6291, 18.09, 18.9, 19.0], **stated)
    assert told(analyse(right, ANYWHERE)) == []


@pytest.mark.parametrize(
    ("amount", "column", "factor"),
    [(0.7, None, 1.0), (70.0, "dividend", 0.01), (0.007, "dividend", 100.0)],
)
def test_a_dividend_a_hundred_times_off_is_told_from_the_step_of_the_adjusted_close(amount, column, factor):
    history = quoted(TRATON, "split_adjusted", adj_close=[18.6291, 18.09, 18.9, 19.0], dividend=[0, 0, amount, 0])
    wrong = analyse(history, ANYWHERE).misadjusted
    assert wrong["column"].tolist() == ([column] if column else [])
    assert wrong["factor"].tolist() == ([factor] if column else [])


def test_a_dividend_stated_twice_is_kept_where_the_price_fell():
    # Kenon, 2022-01-18 and 19: the price did not fall on the first.
    bars = """
    2022-01-17 165 168 165 167.2 1000
    2022-01-18 167.3 168 166 167.7 1000
    2022-01-19 156.1 157 155 155.5 1000
    2022-01-20 155.5 156 155 155.6 1000
    """
    adjusted = [167.2 * 0.979067 * 0.979129, 167.7 * 0.979129, 155.5, 155.6]
    history = quoted(bars, "split_adjusted", adj_close=adjusted, dividend=[0, 3.5, 3.5, 0])
    wrong = analyse(history, ANYWHERE).misadjusted
    assert wrong[["column", "factor"]].to_numpy().tolist() == [
        ["adj_close", pytest.approx(1 / 0.979067)],
        ["dividend", 0.0],
    ]
    # Near miss: two dividends of different amounts.
    other = quoted(bars, "split_adjusted", adj_close=adjusted, dividend=[0, 3.5, 3.0, 0])
    assert "dividend" not in set(analyse(other, ANYWHERE).misadjusted["column"])


def test_a_history_without_bars_or_closes_says_nothing():
    empty = simulated(0)
    assert told(analyse(empty)) == []
    blank = simulated(5)
    assert told(analyse(dataclasses.replace(blank, close=np.full(5, np.nan)))) == []
