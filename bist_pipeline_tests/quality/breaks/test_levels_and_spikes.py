"""Known ratios, spikes and dividends: a recorded case and a near miss for each rule.

Quoted from the recordings `price_repair` (yfinance's tests) and `bist_daily`, to the digits that matter.
"""

import dataclasses

import numpy as np
import pytest

from bist_pipeline.quality.breaks import analyse
from bist_pipeline.quality.breaks.contract import Exchange
from bist_pipeline_tests.quality.breaks.histories import (
    actions,
    changed,
    quoted,
    quoted_values,
    simulated,
    times,
    told,
    until,
)

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


@pytest.mark.parametrize("length", [1, 5, 6, 30])
def test_a_level_left_again_is_withheld_as_a_spike_whether_or_not_its_prices_lie_on_the_grid(length):
    whole = simulated(90, seed=7)
    for on_grid in (True, False):
        history = times(whole, 40, 40 + length, 1.6, on_grid=on_grid)
        breaks = analyse(history)
        withheld = [(str(day), "reverting_spike", "withhold", "fault") for day in history.day[40 : 40 + length]]
        assert told(breaks) == withheld
        assert breaks.actions.empty
        assert breaks.repairs.empty


def test_a_level_of_more_than_thirty_bars_is_none_that_was_left_again():
    # Near miss: what lifted the price by 60 % stays unexplained, and the fall looks like an action.
    history = times(simulated(90, seed=7), 40, 71, 1.6, on_grid=True)
    assert [(rule, effect) for _, rule, effect, _ in told(analyse(history))] == [
        ("unexplained_move", "doubt"),
        ("unstated_action", "doubt"),
    ]


@pytest.mark.parametrize("factor", [0.1, 1 / 11, 1 / 3, 0.5, 0.7, 0.8, 1.25, 1.5, 2.0, 10.0])
def test_a_piece_of_wrong_rows_on_prices_as_traded_invents_no_action_and_spoils_no_other_row(factor):
    for seed in range(4):
        whole = simulated(160, seed)
        history = times(whole, 80, 88, factor)
        breaks = analyse(history)
        assert {(rule, effect) for _, rule, effect, _ in told(breaks)} == {("reverting_spike", "withhold")}
        assert [day for day, *_ in told(breaks)] == [str(day) for day in history.day[80:88]]
        assert breaks.actions.empty
        assert breaks.repairs.empty


def bars_by_rule(one, breaks):
    """The bars of each rule, and those at which an action is inferred."""
    place = {str(day): bar for bar, day in enumerate(one.day)}
    bars = {}
    for day, rule, _, _ in told(breaks):
        bars.setdefault(rule, []).append(place[day])
    return bars, [place[str(day)[:10]] for day in breaks.actions["ex_date"]]


# SIMULATED: a split at bar 60 that nobody stated, and rows not adjusted for it soon after.
UNSTATED = times(simulated(120), 60, 120, 0.5, on_grid=True)


@pytest.mark.parametrize("basis", ["as_traded", "split_adjusted"])
@pytest.mark.parametrize("at", [66, 70, 80, 89])
def test_a_newest_bar_that_takes_an_action_back_does_not_make_the_bars_between_wrong(basis, at):
    history = dataclasses.replace(until(times(UNSTATED, at, at + 1, 2.0, on_grid=True), at + 1), basis=basis)
    assert bars_by_rule(history, analyse(history)) == ({"unstated_action": [60], "undecided_level": [at]}, [60])


@pytest.mark.parametrize("basis", ["as_traded", "split_adjusted"])
@pytest.mark.parametrize(
    ("at", "length", "after"), [(63, 1, 2), (63, 1, 56), (65, 1, 1), (80, 1, 1), (80, 1, 39), (72, 8, 1), (72, 8, 40)]
)
def test_of_two_pieces_that_share_a_move_the_shorter_one_is_wrong(basis, at, length, after):
    wrong = times(UNSTATED, at, at + length, 2.0, on_grid=True)
    history = dataclasses.replace(until(wrong, at + length + after), basis=basis)
    bars, actions_ = bars_by_rule(history, analyse(history))
    assert bars.pop("reverting_spike") == list(range(at, at + length))
    assert (bars, actions_) == ({"unstated_action": [60]}, [60])


def test_a_piece_that_ended_with_the_newest_bars_is_told_from_an_action_when_five_more_have_followed():
    whole = times(simulated(90, seed=7), 40, 50, 1.6, on_grid=True)
    early, late = until(whole, 53), until(whole, 56)
    assert bars_by_rule(early, analyse(early))[0]["undecided_level"] == [50, 51, 52]
    assert bars_by_rule(late, analyse(late)) == ({"reverting_spike": list(range(40, 50))}, [])


def test_an_action_and_a_slight_excess_the_other_way_soon_after_are_no_piece():
    # Near miss: a bonus issue of 33 %, and a close that was not the last one ten bars later.
    whole = simulated(90, seed=7)
    fallen = times(whole, 40, 90, 0.745 * whole.close[39] / whole.close[40], on_grid=True)
    history = times(fallen, 50, 90, 1.12 * fallen.close[49] / fallen.close[50], on_grid=True)
    assert [(rule, effect) for _, rule, effect, _ in told(analyse(history))] == [
        ("unstated_action", "doubt"),
        ("stale_close", "doubt"),
    ]


def test_a_piece_that_the_grid_proves_to_be_adjusted_for_an_action_is_healed_whatever_follows():
    # SIMULATED: six rows adjusted for the rights issue at their end; two weeks later three shares are made one.
    traded = times(simulated(160), 86, 160, 0.359481, on_grid=True)
    history = times(times(traded, 100, 160, 3.0, on_grid=True), 80, 86, 0.359481)
    breaks = analyse(dataclasses.replace(history, basis="fully_adjusted"))
    assert [rule for _, rule, _, _ in told(breaks)] == ["partial_adjustment", "unstated_action", "unstated_action"]
    assert breaks.repairs["price_factor"].tolist() == pytest.approx([1 / 0.359481], rel=1e-4)


def test_a_share_of_few_ticks_may_always_move_by_one():
    # SIMULATED: 0.07 to 0.09 lira, a tick up or down a session.
    close = np.tile([0.08, 0.09, 0.08, 0.07], 15)
    values = np.array([close, close, close, close, np.full(60, 1e6)])
    cheap = quoted_values(values)
    assert told(analyse(cheap)) == []
    # Near misses: two ticks at once are beyond the limit; and an adjusted price need not move by ticks.
    two = changed(cheap, 31, **dict.fromkeys(("open", "high", "low", "close"), 0.1))
    assert [rule for _, rule, _, _ in told(analyse(two))] == ["reverting_spike"]
    assert told(analyse(dataclasses.replace(cheap, basis="fully_adjusted")))


def test_the_base_that_an_action_leaves_is_rounded_to_a_tick():
    # 1.01 halved is 0.505, of which the exchange makes 0.51: 0.56 is its limit.
    close = np.append(np.full(30, 1.01), np.full(30, 0.56))
    history = quoted_values(np.array([close, close, close, close, np.full(60, 1e6)]))
    assert told(analyse(dataclasses.replace(history, actions=actions((history.day[30], 0.5, 2.0))))) == []
    assert told(analyse(dataclasses.replace(history, actions=actions((history.day[30], 0.49, 2.04)))))


def test_rows_in_another_unit_say_nothing_about_the_grid_of_an_action_among_them():
    # SIMULATED: a bonus issue of 100 % that nobody states, with five rows around it a hundred times too large.
    halved = times(simulated(200), 100, 200, 0.5, on_grid=True)
    breaks = analyse(times(halved, 98, 103, 100.0))
    assert breaks.actions["ratio"].tolist() == [2.0]
    assert breaks.repairs.empty
    assert (breaks.verdicts["rule"] == "unit_error").sum() == 5


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
