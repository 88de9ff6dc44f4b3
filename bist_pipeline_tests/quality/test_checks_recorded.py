"""The checks on five years of 92 shares as Yahoo served them: they find the faults that are known of the recording."""

from datetime import date

import pandas as pd
import pytest

from bist_pipeline.core.calendar import load_calendar
from bist_pipeline.quality.contract import CheckInput
from bist_pipeline.quality.registry import registered_checks
from bist_pipeline_tests.market.raw_rows import recorded_daily
from bist_pipeline_tests.quality.inputs import hits

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
def findings():
    raw = recorded_daily()
    sessions = load_calendar().schedule(date(2021, 8, 10), date(2026, 8, 7))[["session_date", "is_session"]]
    outcomes = pd.DataFrame({"symbol": raw["symbol"].unique(), "status": "answered", "reason": ""})
    given = CheckInput(raw, sessions, outcomes)
    return {name: check.find(given) for name, check in registered_checks().items()}


def test_all_symbols_answered_and_no_bar_came_twice_or_without_a_price(findings):
    for name in ("symbols_answering", "duplicate_bars", "non_positive_prices"):
        assert findings[name].passed
    assert findings["symbols_answering"].counts["answered"] == 92


def test_the_bars_of_holidays_and_of_the_cancelled_session_are_found(findings):
    assert findings["bars_on_closed_days"].counts["offending_rows"] == 3 * 91 + 80 + 4 + 4 + 3 + 1
    assert findings["bars_on_closed_days"].counts["days"] == 8


def test_the_three_broken_bars_are_found(findings):
    assert hits(findings["ohlc_order"]) == [(symbol, "2022-06-27") for symbol in ("BIOEN", "BOBET", "MIATK")]


def test_every_known_break_is_beyond_the_limit_and_the_reopening_of_february_2023_is_not(findings):
    found = set(hits(findings["price_limit_moves"]))
    assert found >= KNOWN_BREAKS
    assert len(found) == 27  # counted apart from this code, with a pivot table
    assert not [day for _, day in found if day == "2023-02-15"]


def test_sessions_that_most_files_lack_are_told_apart_from_holes_of_one_file(findings):
    assert findings["missing_bars"].counts["thin_sessions"] == 2  # 2024-04-09 and 2026-07-31
    assert not {"2024-04-09", "2026-07-31"} & {day for _, day in hits(findings["missing_bars"])}


def test_the_half_day_that_repeats_the_closes_before_it_is_found_stale(findings):
    assert {day for _, day in hits(findings["stale_bars"])} == {"2024-04-09"}
    assert findings["stale_bars"].counts["copied"] == 0
