"""Units of volume, rounding, bases: recognised from the overlap, and no disagreement."""

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.quality.comparison.contract import INPUT_COLUMNS, MIN_OVERLAP
from bist_pipeline.quality.comparison.engine import compare
from bist_pipeline_tests.quality.comparison.invented import PRICES, adjusted, history, in_turnover, told

BARS = history()


def recognised(first, second):
    compared = compare(first, second)
    assert told(compared) == []
    return compared.recognised


def test_a_source_agrees_with_itself():
    known = recognised(BARS, BARS)
    assert known["agreeing"].tolist() == known["bars"].tolist() == [200, 200, 200]
    assert set(known["volume_kind"]) == {"shares"}
    assert known["comparable"].all()


@pytest.mark.parametrize("decimals", [3, 4, 5])
def test_prices_rounded_to_some_decimals_are_tolerance_and_no_disagreement(decimals):
    known = recognised(BARS, adjusted(BARS, decimals=decimals))
    assert set(known["second_decimals"]) == {decimals}
    assert set(known["first_decimals"]) == {2}


def test_prices_adjusted_to_full_precision_have_no_decimals_and_agree():
    assert set(recognised(BARS, adjusted(BARS, decimals=None))["second_decimals"]) == {-1}


def test_prices_kept_in_single_precision_agree():
    second = adjusted(BARS, decimals=None)
    recognised(BARS, second.assign(**second[PRICES].astype(np.float32).astype(np.float64)))


def test_a_rounded_source_agrees_with_the_unrounded_one_at_exact_halves():
    first = adjusted(BARS, factor=1.0, decimals=None).assign(**(BARS[PRICES] + 0.00005))
    up, down = (first.assign(**(BARS[PRICES] + shift)).assign(**(BARS[PRICES] + shift).round(4)) for shift in (1e-4, 0))
    recognised(first, up)
    recognised(first, down)


def test_turnover_in_lira_is_told_from_shares():
    known = recognised(BARS, in_turnover(BARS, BARS))
    assert set(known["volume_kind"]) == {"second: turnover in lira"}
    assert (known["volume_spread"] < 0.01).all()


def test_turnover_beside_adjusted_and_rounded_prices_is_told_by_the_prices_as_traded():
    known = recognised(BARS, in_turnover(adjusted(BARS), BARS))
    assert set(known["volume_kind"]) == {"second: turnover in lira"}
    assert set(known["second_decimals"]) == {4}


def test_turnover_is_told_where_neither_is_as_traded():
    known = recognised(adjusted(BARS, 0.81, None), in_turnover(adjusted(BARS), BARS))
    assert set(known["volume_kind"]) == {"second: turnover in lira"}


@pytest.mark.parametrize("size", [100, 1000])
def test_lots_are_told(size):
    lots = BARS.assign(volume_shares=np.rint(BARS["volume_shares"] / size))
    assert set(recognised(BARS, lots)["volume_kind"]) == {f"second: lots of {size}"}
    assert set(recognised(lots, BARS)["volume_kind"]) == {f"first: lots of {size}"}


def test_volumes_adjusted_for_a_split_are_shares_and_agree():
    early = BARS["session_date"] < BARS["session_date"].iloc[100]
    second = BARS.assign(volume_shares=np.where(early, BARS["volume_shares"] * 6.5, BARS["volume_shares"]))
    assert set(recognised(BARS, second)["volume_kind"]) == {"shares"}


def test_volumes_that_differ_by_late_trades_agree():
    some = np.exp(np.random.default_rng(3).uniform(0, 0.1, len(BARS)))
    assert set(recognised(BARS, BARS.assign(volume_shares=BARS["volume_shares"] * some))["volume_kind"]) == {"shares"}


def test_a_basis_that_differs_by_known_actions_agrees():
    ex_date = BARS["session_date"].iloc[120]
    second = adjusted(BARS, factor=1.0, decimals=None)
    early = (second["symbol"] == "ZZAAB") & (second["session_date"] < ex_date)
    second.loc[early, PRICES] *= 0.93
    actions = pd.DataFrame({"symbol": ["ZZAAB"], "ex_date": [ex_date], "price_factor": [0.93], "share_ratio": [1.0]})
    assert told(compare(BARS, second, actions=actions)) == []
    assert [row[2] for row in told(compare(BARS, second))] == ["action"]


def test_different_shares_under_one_code_are_not_compared_and_said_to_be():
    codes = {"ZZAAA": "ZZAAB", "ZZAAB": "ZZAAC", "ZZAAC": "ZZAAA"}
    compared = compare(BARS, BARS.assign(symbol=BARS["symbol"].map(codes).astype("str")))
    assert compared.rows.empty
    assert not compared.recognised["comparable"].any()
    assert compared.recognised["reason"].str.contains("different shares").all()


def test_too_few_bars_in_common_tell_nothing():
    few = BARS[BARS["session_date"] < BARS["session_date"].iloc[MIN_OVERLAP - 1]]
    compared = compare(BARS, few.assign(**(few[PRICES] * 1.05)))
    assert compared.rows.empty
    assert compared.recognised["reason"].str.startswith("fewer than").all()


def test_nothing_compares_to_nothing():
    for first, second in ((BARS, BARS.iloc[:0]), (BARS.iloc[:0], BARS.iloc[:0])):
        compared = compare(first[list(INPUT_COLUMNS)], second[list(INPUT_COLUMNS)])
        assert compared.rows.empty
        assert compared.recognised.empty
        assert compared.brought.empty
