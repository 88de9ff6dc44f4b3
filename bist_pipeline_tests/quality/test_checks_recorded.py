"""The checks on five years of 92 shares as Yahoo served them: they find the faults that are known of the recording."""

import dataclasses

import pytest

from bist_pipeline.quality import effects_without_action, off_tick_prices
from bist_pipeline.quality.registry import registered_checks
from bist_pipeline_tests.quality.inputs import hits, judging
from bist_pipeline_tests.quality.recorded import recording, table, timed

pytestmark = pytest.mark.realdata

# Breaks that the recording's own description names.
KNOWN_BREAKS = {
    ("CCOLA", "2024-08-01"),
    ("HEKTS", "2024-09-09"),
    ("HEKTS", "2022-10-12"),
    ("KONTR", "2025-12-01"),
    ("SKBNK", "2024-06-04"),
    ("KCAER", "2024-11-28"),
    ("CANTE", "2026-01-26"),
    ("ENTRA", "2026-06-01"),
}


@pytest.fixture(scope="module")
def given(recordings):
    return recording(recordings / "bist_daily")


@pytest.fixture(scope="module")
def timed_findings(given):
    return timed(given)


@pytest.fixture(scope="module")
def findings(timed_findings):
    return timed_findings[0]


def days(finding):
    return {day for _, day in hits(finding)}


def test_all_symbols_answered_and_every_number_can_be_one(findings):
    names = ("symbols_answering", "duplicate_bars", "non_positive_prices", "non_finite_numbers", "number_width")
    assert [name for name in names if not findings[name].passed] == []
    assert findings["symbols_answering"].counts["answered"] == 92


def test_the_bars_of_holidays_and_of_the_cancelled_session_are_found(findings):
    assert findings["bars_on_closed_days"].counts["offending_rows"] == 3 * 91 + 80 + 4 + 4 + 3 + 1
    assert findings["bars_on_closed_days"].counts["days"] == 8


def test_the_three_broken_bars_are_found(findings):
    assert hits(findings["ohlc_order"]) == [(symbol, "2022-06-27") for symbol in ("BIOEN", "BOBET", "MIATK")]


def test_the_two_impossible_lows_are_withheld(findings):
    assert hits(findings["bar_range"]) == [("ISCTR", "2023-04-06"), ("MGROS", "2023-04-06")]
    assert findings["bar_range"].rows["effect"].tolist() == ["withhold"] * 2


def test_every_known_break_is_beyond_the_limit_and_the_reopening_of_february_2023_is_not(findings):
    found = set(hits(findings["price_limit_moves"]))
    assert found >= KNOWN_BREAKS
    assert len(found) == 27  # counted apart from this code, with a pivot table
    assert "2023-02-15" not in days(findings["price_limit_moves"])


def test_the_breaks_of_a_simple_ratio_look_like_actions(findings):
    assert hits(findings["effects_without_action"]) == [
        *(("SKBNK", "2024-06-04"), ("CCOLA", "2024-08-01"), ("HEKTS", "2024-09-09"), ("KONTR", "2025-12-01"))
    ]


def test_sessions_that_most_files_lack_are_the_providers_fault_and_holes_of_one_file_may_be_halts(findings):
    rows = findings["missing_bars"].rows
    of_provider = rows[rows["kind"] == "fault"]
    counted = of_provider["session_date"].dt.strftime("%Y-%m-%d").value_counts()
    assert counted.to_dict() == {"2026-07-31": 90, "2024-04-09": 63}
    assert len(rows) - len(of_provider) == 10


def test_the_half_day_that_repeats_the_closes_before_it_is_found_stale(findings):
    assert days(findings["stale_bars"]) == {"2024-04-09"}
    assert findings["stale_bars"].counts["copied"] == 0


def test_exactly_the_sessions_that_were_cut_off_are_found_and_no_half_day(findings):
    # Against an index from another file: it had 75, 76 and 114 % of its usual volume on these three.
    counted = findings["truncated_sessions"].rows["session_date"].dt.strftime("%Y-%m-%d").value_counts()
    assert counted.to_dict() == {"2022-12-16": 78, "2022-06-27": 76, "2022-05-10": 75}


def test_no_unit_of_volume_changed(findings):
    assert findings["volume_unit_changes"].passed
    assert findings["volume_unit_changes"].counts["bars"] > 100_000


def test_adjusted_prices_taken_as_traded_are_off_the_grid_in_stretches(given):
    taken = dataclasses.replace(given, raw=given.raw.assign(basis="as_traded"))
    finding = off_tick_prices.find(taken)
    alone = finding.rows["detail"].str.endswith("a fault of this bar")
    assert len(finding.rows) == 74_327
    assert [f"{day:%Y-%m-%d}" for day in finding.rows["session_date"][alone]] == ["2024-03-28", "2024-04-02"]
    assert set(finding.rows["symbol"][alone]) == {"AGROT"}


def test_a_range_tells_what_the_whole_history_tells_of_it(given):
    around = given.raw["session_date"].between("2024-06-15", "2024-10-15")
    part = dataclasses.replace(given, raw=given.raw[around])
    found = effects_without_action.find(judging(part, "2024-08-01", "2024-09-30"))
    assert hits(found) == [("CCOLA", "2024-08-01"), ("HEKTS", "2024-09-09")]


def test_the_table_names_every_rule_and_session(findings):
    told = table(findings)
    assert told["rows"].sum() == sum(len(finding.rows) for finding in findings.values())
    assert set(told["rule"]) <= set(registered_checks())


def test_the_checks_take_seconds_over_five_years(timed_findings):
    # Measured: 0.5 s on one processor. The search for breaks and the second source have bounds of their own.
    searching = {"level_breaks", "unit_errors", "reverting_spikes", "sources_disagree"}
    assert sum(seconds for name, seconds in timed_findings[1].items() if name not in searching) < 3.0
