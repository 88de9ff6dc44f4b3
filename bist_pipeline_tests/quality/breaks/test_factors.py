"""Lasting moves beyond the limit: action or fault, with a recorded case and a near miss for each rule.

Quoted bars are Yahoo's, from the recording `bist_daily` (fully adjusted as of August 2026), to 7 digits.
"""

import dataclasses

import numpy as np
import pytest

from bist_pipeline.core.price_limits import limit_on
from bist_pipeline.quality.breaks import analyse
from bist_pipeline.quality.breaks._told import Repair, Told, to_breaks
from bist_pipeline.quality.breaks.contract import Exchange
from bist_pipeline_tests.quality.breaks.histories import (
    actions,
    changed,
    healed,
    quoted,
    simulated,
    times,
    told,
    until,
)

# A rights issue of 233 % at par with ex-date 2024-09-18 (2.53 to 8.43 billion shares): seven rows are adjusted for it.
HEKTS = """
2024-09-05 11.99 12.49 11.88 12.24 49558494
2024-09-06 12.11 12.18 11.74 11.76 27056666
2024-09-09 4.252659 4.267038 4.134030 4.134030 49948771
2024-09-10 4.137625 4.166383 4.011806 4.029781 72715930
2024-09-11 4.040565 4.065729 3.885988 3.893178 72416145
2024-09-12 3.936315 3.950695 3.767359 3.914747 82636262
2024-09-13 4.302986 4.302986 4.141220 4.302986 198942454
2024-09-16 4.378477 4.640898 4.285012 4.320960 328030910
2024-09-17 4.320960 4.374882 4.220305 4.238279 152466072
2024-09-18 4.3 4.32 4.02 4.06 260281544
2024-09-19 4.07 4.23 3.93 4.13 300123329
2024-09-20 4.14 4.54 4.1 4.54 413198766
2024-09-23 4.54 4.81 4.42 4.49 390781199
2024-09-24 4.51 4.66 4.4 4.51 373844789
2024-09-25 4.52 4.78 4.43 4.46 585133838
"""
# Halved on 2026-06-01, where the provider's factor is 0.428.
ENTRA = """
2026-05-20 4.412467 4.519462 4.34827 4.395348 43839424
2026-05-21 4.412467 4.438146 4.065804 4.065804 28112814
2026-05-22 4.065804 4.408187 4.052965 4.36111 51116061
2026-05-25 4.36111 4.489504 4.36111 4.442426 19834547
2026-05-26 4.442426 4.489504 4.35255 4.373949 9976330
2026-06-01 4.8 5.22 4.76 5.1 81477151
2026-06-02 5.17 5.3 5.05 5.23 43568856
2026-06-03 5.25 5.28 4.99 5.1 30123936
2026-06-04 5.11 5.16 4.77 4.79 32537989
2026-06-05 4.81 4.88 4.74 4.75 16839053
"""
# The snapshot of 2022-12-16, with a fifth of the volume; the closes before and after fit together.
DOHOL = """
2022-12-13 8.662272 8.862611 8.585953 8.729052 259297078
2022-12-14 8.738592 8.833991 8.309294 8.318834 217556862
2022-12-15 8.547792 8.719512 8.261594 8.547792 172622287
2022-12-16 8.585953 8.719512 8.547793 8.557333 36209581
2022-12-19 8.76721 9.559027 8.738591 9.559027 236829991
2022-12-20 9.492248 9.635348 9.406388 9.625808 156372629
2022-12-21 9.702126 10.16958 9.501787 9.520866 200761900
"""


def test_an_adjustment_of_some_rows_only_is_a_fault_and_its_end_the_action():
    history = quoted(HEKTS)
    breaks = analyse(history)
    assert told(breaks) == [
        ("2024-09-09", "partial_adjustment", "none", "fault"),
        ("2024-09-18", "unstated_action", "none", "action"),
    ]
    (repair,) = breaks.repairs.itertuples()
    assert (str(repair.first_session)[:10], str(repair.last_session)[:10]) == ("2024-09-09", "2024-09-17")
    assert repair.price_factor == pytest.approx(1 / 0.35948, rel=2e-5)
    assert repair.volume_factor == pytest.approx(1 / repair.price_factor)
    (left,) = breaks.residuals.itertuples()
    assert str(left.ex_date)[:10] == "2024-09-18"
    assert (left.price_factor, left.share_ratio) == pytest.approx((0.35948, 1 / 0.35948), rel=2e-5)
    (action,) = breaks.actions.itertuples()
    assert str(action.ex_date)[:10] == "2024-09-18"
    assert action.ratio == pytest.approx(1 / 0.35948, rel=2e-5)
    assert "233" in action.reason
    closes = healed(history, breaks)
    assert np.abs(closes[1:] / closes[:-1] - 1).max() < 0.10


def test_on_traded_prices_the_rows_adjusted_too_early_are_healed_instead():
    breaks = analyse(quoted(HEKTS, basis="as_traded"))
    (repair,) = breaks.repairs.itertuples()
    assert (str(repair.first_session)[:10], str(repair.last_session)[:10]) == ("2024-09-09", "2024-09-17")
    assert 4.134030 * repair.price_factor == pytest.approx(11.50, abs=2e-4)


def test_rows_on_the_same_grid_all_along_are_no_partial_adjustment():
    # Near miss: the same bars, the seven of them brought back to what was traded and none too far from the other.
    whole = times(quoted(HEKTS), 2, 9, 1 / 0.359481)
    breaks = analyse(dataclasses.replace(whole, basis="as_traded"))
    assert [rule for _, rule, _, _ in told(breaks)] == ["unstated_action"]


def test_an_action_with_a_wrong_factor_is_told_from_the_prices_as_traded():
    history = quoted(ENTRA)
    breaks = analyse(history)
    assert told(breaks) == [("2026-06-01", "wrong_factor", "doubt", "action")]
    assert breaks.actions["ratio"].tolist() == [2.0]
    assert healed(history, breaks)[4] / history.close[5] == pytest.approx(10.22 / 2 / 5.10, rel=1e-4)


def test_a_factor_for_which_nothing_happened_is_undone():
    # SIMULATED: the first half stands on 0.868 of what was traded.
    clean = simulated(80, basis="fully_adjusted")
    history = times(clean, 0, 40, 0.868)
    breaks = analyse(history)
    assert told(breaks) == [(str(history.day[40]), "phantom_adjustment", "none", "fault")]
    assert healed(history, breaks) == pytest.approx(clean.close, rel=1e-5)
    # Near miss: a factor that leaves the move within the limit cannot be told from a dividend.
    small = times(clean, 0, 40, 0.97)
    assert abs(small.close[40] / small.close[39] - 1) < 0.10
    assert told(analyse(small)) == []


def test_a_thin_bar_whose_close_was_not_the_last_is_withheld():
    history = quoted(DOHOL)
    assert told(analyse(history)) == [("2022-12-16", "stale_close", "withhold", "fault")]
    # With the volume of a whole session it is doubted, and until three bars follow.
    assert told(analyse(changed(history, 3, volume=2e8))) == [("2022-12-16", "stale_close", "doubt", "fault")]
    assert told(analyse(until(history, 6))) == [("2022-12-16", "stale_close", "doubt", "fault")]
    # Near miss: had it closed one tick above 91.1 % of the next close, nothing would be wrong.
    assert told(analyse(changed(history, 3, close=8.71))) == []


def test_the_first_bar_is_never_withheld():
    history = quoted(DOHOL)
    first = {name: getattr(history, name)[3:] for name in ("day", "open", "high", "low", "close", "volume", "gap")}
    rest = {name: getattr(history, name)[3:] for name in ("adj_close", "dividend", "split")}
    breaks = analyse(dataclasses.replace(history, **first, **rest))
    assert "withhold" not in set(breaks.verdicts["effect"])


def test_a_lasting_halving_on_one_grid_is_an_action_that_nobody_stated():
    # SIMULATED: a bonus issue of 100 % that the provider neither states nor adjusts for.
    whole = simulated(80, seed=1)
    history = times(whole, 40, 80, 0.5, on_grid=True)
    breaks = analyse(history)
    assert told(breaks) == [(str(history.day[40]), "unstated_action", "doubt", "action")]
    assert breaks.actions["ratio"].tolist() == [2.0]
    assert breaks.repairs.empty  # as traded, nothing is wrong with the prices
    adjusted = analyse(dataclasses.replace(history, basis="split_adjusted"))
    assert adjusted.residuals["price_factor"].tolist() == [0.5]
    assert adjusted.repairs.empty  # what came before stays as it was told
    known = dataclasses.replace(history, actions=actions((history.day[40], 0.5, 2.0)))
    assert told(analyse(known)) == []


def test_a_large_move_at_the_edge_is_withheld_until_enough_bars_follow_and_then_decided():
    # SIMULATED: a wrong last print, or a bonus issue of 100 %: the first five bars do not tell.
    history = times(simulated(80, seed=1), 40, 80, 0.5, on_grid=True)
    for stop in range(41, 46):
        breaks = analyse(until(history, stop))
        assert told(breaks) == [(str(day), "undecided_level", "withhold", "fault") for day in history.day[40:stop]]
        assert breaks.actions.empty
    assert [rule for _, rule, _, _ in told(analyse(until(history, 46)))] == ["unstated_action"]
    # Near miss: a move that may be one of a day without a limit is doubted.
    small = times(simulated(80, seed=1), 79, 80, 0.8, on_grid=True)
    assert [(rule, effect) for _, rule, effect, _ in told(analyse(small))] == [("unexplained_move", "doubt")]


def test_a_large_wrong_factor_is_not_called_one_by_a_few_bars():
    # SIMULATED: a bonus issue of 200 %, where the provider's factor is 0.23; its prices rise by 45 %.
    traded = times(simulated(80, seed=1, level=12.0), 40, 80, 1 / 3, on_grid=True)
    history = dataclasses.replace(times(traded, 0, 40, 0.23), basis="fully_adjusted")
    assert {(rule, effect) for _, rule, effect, _ in told(analyse(until(history, 45)))} == {
        ("undecided_level", "withhold")
    }
    assert analyse(history).actions["ratio"].tolist() == [3.0]
    assert told(analyse(history)) == [(str(history.day[40]), "wrong_factor", "doubt", "action")]


def test_rows_off_the_grid_at_the_edge_are_withheld_and_not_yet_healed():
    history = times(simulated(80, seed=1), 40, 80, 0.7)
    breaks = analyse(until(history, 45))
    assert {(rule, effect) for _, rule, effect, _ in told(breaks)} == {("undecided_level", "withhold")}
    assert breaks.repairs.empty
    assert len(analyse(history).repairs) == 1


def test_a_wrong_first_bar_is_doubted_and_with_it_the_next():
    whole = simulated(80, seed=1)
    history = times(whole, 0, 1, 1.5, on_grid=True)
    breaks = analyse(history)
    assert told(breaks) == [(str(day), "unexplained_move", "doubt", "fault") for day in whole.day[:2]]
    assert breaks.actions.empty
    # With nothing but these two, there is no saying which is wrong.
    assert told(analyse(until(history, 2))) == told(breaks)


def test_a_real_move_of_a_day_without_a_limit_is_not_explained_away():
    whole = simulated(200, seed=3)
    lifted = times(whole, 100, 200, 1.35, on_grid=True)
    breaks = analyse(lifted)
    assert told(breaks) == [(str(whole.day[100]), "unexplained_move", "doubt", "fault")]
    assert breaks.actions.empty
    # Near miss: shares put together two to one.
    assert analyse(times(whole, 100, 200, 2.0, on_grid=True)).actions["ratio"].tolist() == [0.5]


@pytest.mark.parametrize("factor", [1.18, 0.85])
def test_a_quiet_session_before_a_real_move_is_not_withheld(factor):
    whole = simulated(200, seed=3)
    quiet = changed(times(whole, 100, 200, factor, on_grid=True), 99, volume=4e5)
    assert told(analyse(quiet)) == [(str(whole.day[99]), "stale_close", "doubt", "fault")]
    # Near miss: a bar on which nothing was traded is withheld.
    assert told(analyse(changed(quiet, 99, volume=0.0))) == [(str(whole.day[99]), "stale_close", "withhold", "fault")]


def test_a_good_bar_before_a_wrong_factor_is_never_withheld():
    # 2026-05-26 was, at 2026-06-01, as long as the later grid was not known.
    history = quoted(ENTRA)
    for stop in range(5, 11):
        assert "withhold" not in set(analyse(until(history, stop)).verdicts["effect"])


def test_where_prices_as_traded_lie_on_the_grid_they_stay_and_the_others_are_mended():
    # SIMULATED: a later part of forty bars that were multiplied with 0.8 is healed; what is right before it stays.
    clean = simulated(200, seed=2)
    history = times(clean, 100, 140, 0.8)
    breaks = analyse(history)
    assert set(breaks.verdicts["rule"]) == {"phantom_adjustment"}
    assert healed(history, breaks) == pytest.approx(clean.close, rel=1e-5)
    (repair,) = breaks.repairs.itertuples()
    assert str(repair.first_session)[:10] == str(clean.day[100])
    # The same where it has not ended.
    lasting = times(clean, 100, 200, 0.8)
    assert healed(lasting, analyse(lasting)) == pytest.approx(clean.close, rel=1e-5)
    # Prices that no factor up to one leads to are left alone and doubted, and no action is made of them.
    doubled = analyse(times(clean, 100, 200, 2.0))
    assert told(doubled) == [(str(clean.day[100]), "unexplained_move", "doubt", "fault")]
    assert doubled.repairs.empty
    assert doubled.actions.empty
    # Near miss: where earlier prices are wrong, they are healed from the first bar on.
    early = times(clean, 0, 100, 0.8)
    assert healed(early, analyse(early)) == pytest.approx(clean.close, rel=1e-5)


def test_factors_that_cancel_are_no_repair():
    # 0.8718 and its inverse leave one but for rounding.
    fault = ("phantom_adjustment", "fault", "")
    told_twice = Told(repairs=(Repair(0, 60, 0.8718, 1.0, *fault), Repair(0, 40, 1 / 0.8718, 1.0, *fault)))
    (repair,) = to_breaks([(simulated(80), told_twice)]).repairs.itertuples()
    assert str(repair.first_session)[:10] == str(simulated(80).day[40])


def test_a_smaller_fall_beyond_the_limit_is_doubted_and_not_explained():
    whole = simulated(80, seed=2)
    history = times(whole, 40, 80, 0.83, on_grid=True)
    ((day, rule, effect, kind),) = told(analyse(history))
    assert (day, rule, effect, kind) == (str(history.day[40]), "unexplained_move", "doubt", "fault")


def test_an_action_without_a_mark_is_a_fault_and_one_on_another_day_is_found_there():
    whole = simulated(80, seed=3)
    stated = dataclasses.replace(whole, actions=actions((whole.day[40], 0.5, 2.0)))
    assert told(analyse(stated)) == [(str(whole.day[40]), "action_without_effect", "doubt", "fault")]
    halved = times(whole, 43, 80, 0.5, on_grid=True)
    late = dataclasses.replace(halved, actions=actions((whole.day[40], 0.5, 2.0)))
    breaks = analyse(late)
    assert told(breaks) == [
        (str(whole.day[40]), "action_without_effect", "none", "fault"),
        (str(whole.day[43]), "misdated_action", "none", "action"),
    ]
    assert breaks.actions["ratio"].tolist() == [2.0]


def test_the_limit_is_compounded_over_missing_sessions():
    whole = simulated(60, seed=4)
    history = times(whole, 30, 60, 1.12 * whole.close[29] / whole.close[30], on_grid=True)
    assert len(told(analyse(history))) == 1
    gap = history.gap.copy()
    gap[30] = 2
    assert told(analyse(dataclasses.replace(history, gap=gap))) == []


def test_without_a_grid_moves_are_judged_by_their_size_alone():
    history = times(simulated(80, seed=1), 40, 80, 0.5)
    breaks = analyse(history, Exchange(limit=limit_on))
    assert told(breaks) == [(str(history.day[40]), "unstated_action", "doubt", "action")]


def test_the_answer_does_not_depend_on_what_was_inferred_before_and_repairs_never_overlap():
    twice = times(times(simulated(120, seed=5, basis="fully_adjusted"), 0, 80, 0.8), 0, 40, 0.7)
    breaks = analyse(twice)
    assert breaks.residuals["price_factor"].tolist() == pytest.approx([1 / 0.7, 1 / 0.8], rel=1e-5)
    assert breaks.residuals["share_ratio"].tolist() == [1.0, 1.0]
    traded = analyse(dataclasses.replace(twice, basis="as_traded")).repairs  # there the rows themselves are healed
    assert traded["price_factor"].tolist() == pytest.approx([1 / 0.56, 1 / 0.8], rel=1e-5)
    first, last = traded["first_session"].tolist(), traded["last_session"].tolist()
    assert last[0] < first[1]
