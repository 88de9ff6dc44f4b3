"""Histories from what a check is given, and the three checks that tell of them."""

import dataclasses

import numpy as np
import pytest

from bist_pipeline.quality import level_breaks, price_limit_moves, reverting_spikes, unit_errors
from bist_pipeline.quality.breaks import histories_of
from bist_pipeline_tests.quality.inputs import DAYS, actions_of, given, hits

CHECKS = {"unit_errors": unit_errors, "reverting_spikes": reverting_spikes, "level_breaks": level_breaks}


def rows(*closes, symbol="THYAO"):
    prices = ("open_raw", "high_raw", "low_raw", "close_raw")
    return [
        {"symbol": symbol, "session_date": day, **dict.fromkeys(prices, close)}
        for day, close in zip(DAYS, closes, strict=False)
    ]


def test_a_history_has_each_session_once_and_no_other_day_nor_an_index():
    holiday = {"session_date": "2024-01-01", "close_raw": 9.0}
    again = {"session_date": DAYS[1], "occurrence": 1, "close_raw": 7.0}
    (one,) = histories_of(given(*rows(10.0, 10.1, 10.2), holiday, again, *rows(9000.0, 9001.0, symbol="XU100")))
    assert one.symbol == "THYAO"
    assert one.day.astype(str).tolist() == DAYS[:3]
    assert one.close.tolist() == [10.0, 10.1, 10.2]
    assert one.gap.tolist()[1:] == [1, 1]


def test_sessions_without_a_row_count_in_the_gap_and_values_that_are_no_prices_are_missing():
    days = [rows(10.0)[0], rows(0, 0, 0, np.inf)[3], rows(0, 0, 0, 0, 10.3)[4]]
    (one,) = histories_of(given(*days))
    assert one.gap.tolist()[1:] == [3, 1]
    assert np.isnan(one.close[1])


def test_what_was_inferred_before_is_not_taken_for_stated():
    both = {"ex_date": DAYS[2], "price_factor": 0.45, "share_ratio": 2.0}
    known = actions_of(
        {"symbol": "THYAO", "kind": "split", "ratio": 2.0, "amount_try": np.nan, "origin": "inferred"} | both,
        {"symbol": "THYAO", "origin": "provider"} | both,
    )
    (one,) = histories_of(dataclasses.replace(given(*rows(10.0, 10.1)), actions=known))
    assert one.actions[["origin", "price_factor", "share_ratio"]].to_numpy().tolist() == [["provider", 0.9, 1.0]]


@pytest.mark.parametrize(
    ("name", "closes", "day"),
    [
        ("unit_errors", (10.0, 10.1, 1010.0, 10.2, 10.1, 10.0), DAYS[2]),
        ("reverting_spikes", (10.0, 10.1, 15.0, 10.2, 10.1, 10.0), DAYS[2]),
        ("level_breaks", (10.0, 10.1, 10.2, 8.5, 8.5, 8.4), DAYS[3]),
    ],
)
def test_each_check_tells_of_its_own_rules(name, closes, day):
    found = {other: check.CHECK.find(given(*rows(*closes))) for other, check in CHECKS.items()}
    assert hits(found[name]) == [("THYAO", day)]
    assert found[name].rows["kind"].tolist() == ["fault"]
    assert found[name].rows["effect"].tolist() == ["doubt" if name == "level_breaks" else "withhold"]
    assert all(finding.passed for other, finding in found.items() if other != name)


@pytest.mark.parametrize("check", [*CHECKS.values(), price_limit_moves], ids=[*CHECKS, "price_limit_moves"])
def test_a_tick_a_session_passes_however_cheap_the_share(check):
    assert check.CHECK.find(given(*rows(0.08, 0.09, 0.08, 0.07, 0.08, 0.07))).passed
    # Near misses: two ticks at once, and a tick on a price that was adjusted.
    two, adjusted = rows(0.08, 0.1, 0.1, 0.1, 0.1, 0.1), rows(0.08, 0.09, 0.08, 0.07, 0.08, 0.07)
    if check is price_limit_moves:
        assert not check.CHECK.find(given(*two)).passed
        assert not check.CHECK.find(given(*({**row, "basis": "fully_adjusted"} for row in adjusted))).passed


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_moves_at_the_limit_pass(check):
    assert check.CHECK.find(given(*rows(10.0, 11.0, 12.1, 10.89, 9.81, 10.79))).passed
