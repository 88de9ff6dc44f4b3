"""Checks that hold prices against corporate actions: one real case and near misses each.

Real values are quoted of 92 and 32 recorded shares as Yahoo served them, undone to as traded where that is said.
"""

import dataclasses

import numpy as np
import pytest

from bist_pipeline.quality import (
    actions_without_effect,
    effects_without_action,
    index_redenomination,
    price_limit_moves,
)
from bist_pipeline_tests.quality.inputs import DAYS, bar, hits, judging, over

NAN = np.nan


def closes(values, days=None, *, actions=(), basis="as_traded", symbol="THYAO", **further):
    """Bars of one price each; NaN leaves a session out."""
    days = days or DAYS[: len(values)]
    rows = [bar(symbol, d, c, basis=basis) for d, c in zip(days, values, strict=True) if not np.isnan(c)]
    stated = [{"symbol": symbol} | action for action in actions]
    return over(days, rows, actions=stated, **further)


def split(ratio, day=DAYS[1], **change):
    return {"ex_date": day, "kind": "split", "ratio": ratio, "price_factor": 1 / ratio, "share_ratio": ratio} | change


def dividend(factor, day=DAYS[1], **change):
    return {"ex_date": day, "price_factor": factor} | change


# FROTO as traded: ten for one on 2025-05-07, from 894 lira to 87.25 (its adjusted closes of those days times ten).
FROTO_DAYS = ["2025-05-06", "2025-05-07", "2025-05-08"]
FROTO = [894.0, 87.25, 88.0]


def test_a_move_that_a_stated_action_explains_is_within_the_limit():
    stated = split(10.0, "2025-05-07")
    assert price_limit_moves.find(closes(FROTO, FROTO_DAYS, actions=[stated])).passed
    finding = price_limit_moves.find(closes(FROTO, FROTO_DAYS))
    assert [day for _, day in hits(finding)] == ["2025-05-07"]


def test_an_action_of_another_size_leaves_a_move_unexplained_and_is_told_with_it():
    # KCAER of 2024-11-28 as traded: 20.65 to 14.16, while the provider's factor was 0.7943.
    days = ["2024-11-27", "2024-11-28"]
    finding = price_limit_moves.find(closes([20.65, 14.16], days, actions=[dividend(0.7943, days[1])]))
    assert finding.rows["detail"].item() == (
        "close 14.16 after 20.65: -31.43%, the limit is ±10%; actions leave 0.7943 of the price"
    )


@pytest.mark.parametrize(
    ("values", "action", "passed"),
    [
        # The ex-date lies in a gap, or on a day without a session: it counts for the next close.
        ([10.0, NAN, 5.0], split(2.0), True),
        ([10.0, NAN, 5.0], split(2.0, DAYS[0]), False),
        ([10.0, 5.0], split(2.0, "2024-01-04"), False),
        ([10.0, 10.0, 5.0], split(2.0, DAYS[1]), False),
        ([10.0, 5.0], split(2.0, symbol="AKBNK"), False),
        ([10.0, 5.0], split(2.0, price_factor=NAN), False),
        ([10.0, 5.0], split(2.0, price_factor=-0.1), False),
    ],
)
def test_an_action_explains_the_step_that_its_ex_date_lies_in(values, action, passed):
    assert price_limit_moves.find(closes(values, actions=[action])).passed == passed


def test_an_ex_date_on_a_weekend_counts_for_the_session_after_it():
    days = ["2024-01-05", "2024-01-08"]
    assert price_limit_moves.find(closes([10.0, 5.0], days, actions=[split(2.0, "2024-01-06")])).passed


def test_two_actions_of_one_day_carry_their_common_factor_once():
    both = [split(2.0, price_factor=0.48), {"ex_date": DAYS[1], "price_factor": 0.48, "share_ratio": 2.0}]
    assert price_limit_moves.find(closes([100.0, 48.0], actions=both)).passed
    assert not price_limit_moves.find(closes([100.0, 23.0], actions=both)).passed


@pytest.mark.parametrize(
    ("basis", "factor", "share_ratio", "close", "passed"),
    [
        # Adjusted for splits, only the dividend's tenth is left of both: 0.9 of the price.
        ("split_adjusted", 0.45, 2.0, 81.0, True),
        ("split_adjusted", 0.45, 2.0, 45.0, False),
        # Fully adjusted, nothing is.
        ("fully_adjusted", 0.45, 2.0, 90.1, True),
        ("fully_adjusted", 0.45, 2.0, 81.0, False),
        ("as_traded", 0.45, 2.0, 45.0, True),
        ("as_traded", 0.45, 2.0, 81.0, False),
    ],
)
def test_an_action_takes_of_a_price_what_its_basis_leaves_in(basis, factor, share_ratio, close, passed):
    action = split(2.0, price_factor=factor, share_ratio=share_ratio)
    assert price_limit_moves.find(closes([100.0, close], actions=[action], basis=basis)).passed == passed


def test_the_base_of_an_ex_date_is_rounded_to_a_tick_and_the_limit_is_not_stretched_without_one():
    # 1.03 halved is 0.515: the exchange takes 0.52, and 0.57 is its limit, 10.7 % above 0.515.
    assert price_limit_moves.find(closes([1.03, 0.57], actions=[split(2.0)])).passed
    assert not price_limit_moves.find(closes([0.515, 0.57])).passed


def test_a_split_that_the_price_as_traded_does_not_show_is_without_effect():
    # FROTO adjusted for the split, passed off as traded.
    finding = actions_without_effect.find(closes([89.4, 87.25, 88.0], FROTO_DAYS, actions=[split(10.0, "2025-05-07")]))
    assert hits(finding) == [("THYAO", "2025-05-07")]
    assert finding.rows["detail"].item() == (
        "close 87.25 after 89.4, as traded: -2.40%, where the actions in between mean -90.00%"
    )


@pytest.mark.parametrize("basis", ["split_adjusted", "fully_adjusted"])
def test_a_split_that_an_adjusted_price_shows_is_not_adjusted_for(basis):
    stated = split(10.0, "2025-05-07")
    finding = actions_without_effect.find(closes(FROTO, FROTO_DAYS, actions=[stated], basis=basis))
    assert [day for _, day in hits(finding)] == ["2025-05-07"]
    assert "adjusted: -90.24%, where the actions in between mean +0.00%" in finding.rows["detail"].item()


@pytest.mark.parametrize(
    ("values", "days", "action"),
    [
        (FROTO, FROTO_DAYS, split(10.0, "2025-05-07")),
        # TUPRS paid 5.5 % on 2025-03-28: any move of that day may be one with or without it.
        ([141.2, 132.7], ["2025-03-27", "2025-03-28"], dividend(0.945, "2025-03-28")),
        ([141.2, 145.0], ["2025-03-27", "2025-03-28"], dividend(0.945, "2025-03-28")),
        # Neither with nor without it: what happened is not told by the action.
        ([100.0, 20.0], None, split(2.0)),
    ],
    ids=["as stated", "small, seen", "small, not seen", "something else"],
)
def test_an_effect_that_is_there_or_too_small_to_see_is_not_found(values, days, action):
    assert actions_without_effect.find(closes(values, days, actions=[action])).passed


def test_a_dividend_is_judged_where_the_limit_cannot_hide_it():
    # A dividend of 15 %: a rise of 2 % would be one of 20 % over its base.
    finding = actions_without_effect.find(closes([100.0, 102.0], actions=[dividend(0.85)]))
    assert len(finding.rows) == 1
    assert actions_without_effect.find(closes([100.0, 93.0], actions=[dividend(0.85)])).passed


# Closes, highs and lows of the provider around its breaks, as recorded.
BREAKS = {
    "CCOLA": ("2024-07-31", 814.9375, "2024-08-01", 75.398796, "10, 11"),
    "HEKTS": ("2024-09-06", 11.76, "2024-09-09", 4.13403, "3"),
    "KONTR": ("2025-11-28", 33.4, "2025-12-01", 17.181393, "2"),
}


@pytest.mark.parametrize("symbol", BREAKS)
def test_a_jump_to_another_level_that_a_simple_ratio_makes_is_told_as_an_action(symbol):
    before, high, after, low, ratios = BREAKS[symbol]
    finding = effects_without_action.find(closes([high, low], [before, after], symbol=symbol))
    assert hits(finding) == [(symbol, after)]
    assert finding.rows["kind"].tolist() == ["action"]
    assert finding.rows["detail"].item().endswith(f"as of shares after per share before: {ratios}")


@pytest.mark.parametrize(
    ("values", "actions"),
    [
        ([100.0, 50.0, 50.0], [split(2.0)]),
        ([100.0, 50.0, 95.0], []),
        ([100.0, 90.0, 81.0], []),
        ([100.0, 68.7, 68.7], [dividend(0.99)]),
        # KONTR of 2024-07-19: 48.81 to 55.68; the nearest reverse split would double the price.
        ([48.81, 55.68, 55.68], []),
    ],
    ids=["stated", "spike", "limit moves", "stated with another size", "no simple ratio"],
)
def test_a_jump_that_is_stated_reverts_or_fits_no_ratio_is_not(values, actions):
    assert effects_without_action.find(closes(values, actions=actions)).passed


def test_a_bar_with_prices_of_the_old_level_fits_no_ratio():
    given_ = over(DAYS[:2], [bar("THYAO", DAYS[0], 100.0), bar("THYAO", DAYS[1], 50.0, high_raw=70.0)])
    assert effects_without_action.find(given_).passed


def test_an_issue_in_a_gap_is_seen_at_the_first_close_after_it():
    assert [day for _, day in hits(effects_without_action.find(closes([100.0, NAN, 20.0])))] == [DAYS[2]]


# yfinance #1788: two zeros were taken off XU100, from about 120,000 to 1,200, and the history before kept them.
INDEX_DAYS = ["2020-07-23", "2020-07-24", "2020-07-27", "2020-07-28"]


def test_old_points_before_the_redenomination_and_the_step_out_of_them_are_found():
    finding = index_redenomination.find(closes([119_500.0, 120_000.0, 1_200.0, 1_190.0], INDEX_DAYS, symbol="XU100"))
    assert [day for _, day in hits(finding)] == INDEX_DAYS[:3]
    assert finding.counts["steps"] == 1


def test_a_step_elsewhere_is_found_in_any_index():
    finding = index_redenomination.find(closes([160_000.0, 1_600.0], DAYS[:2], symbol="XBANK"))
    assert [day for _, day in hits(finding)] == [DAYS[1]]


@pytest.mark.parametrize(
    ("values", "symbol"),
    [
        ([1_195.0, 1_200.0, 1_210.0, 1_190.0], "XU100"),
        ([120_000.0, 119_000.0, 118_000.0, 117_000.0], "XBANK"),
        ([119_500.0, 120_000.0, 1_200.0, 1_190.0], "THYAO"),
    ],
    ids=["in new points", "another level", "a share"],
)
def test_an_index_in_one_way_of_counting_and_a_share_are_not(values, symbol):
    assert index_redenomination.find(closes(values, INDEX_DAYS, symbol=symbol)).passed


def test_a_bar_from_which_nothing_was_undone_is_no_neighbour_of_bars_as_traded():
    given_ = closes([100.0, 10.0, 101.0, 102.0])
    mixed = given_.raw.assign(basis=["as_traded", "split_adjusted", "as_traded", "as_traded"])
    assert not price_limit_moves.find(given_).passed
    assert price_limit_moves.find(dataclasses.replace(given_, raw=mixed)).passed


def test_actions_and_prices_around_the_sessions_judged_count_and_are_not_told():
    given_ = closes([100.0, 50.0, 25.0], actions=[split(2.0), split(2.0, DAYS[2])])
    assert price_limit_moves.find(judging(given_, DAYS[2], DAYS[2])).passed
    unstated = closes([100.0, 50.0, 25.0])
    assert hits(price_limit_moves.find(judging(unstated, DAYS[1], DAYS[1]))) == [("THYAO", DAYS[1])]
    assert hits(effects_without_action.find(judging(unstated, DAYS[2], DAYS[2]))) == [("THYAO", DAYS[2])]
