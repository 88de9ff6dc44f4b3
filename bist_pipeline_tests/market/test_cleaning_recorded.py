"""Cleaning on five years of 92 shares as Yahoo served them: the counts by rule, and the known faults."""

from datetime import date

import pandas as pd
import pytest

from bist_pipeline.core.calendar import load_calendar
from bist_pipeline.market.cleaning import clean
from bist_pipeline_tests.market.raw_rows import recorded_daily

pytestmark = pytest.mark.realdata

# Bars that the recording's own description counts on days without a session.
BARS_ON_CLOSED_DAYS = {
    **dict.fromkeys(("2026-05-27", "2026-05-28", "2026-05-29"), 91),
    "2023-02-08": 80,
    **{"2026-04-23": 4, "2026-05-01": 4, "2026-05-19": 3, "2026-07-15": 1},
}


@pytest.fixture(scope="module")
def raw():
    return recorded_daily()


@pytest.fixture(scope="module")
def cleaned(raw):
    return clean(raw, load_calendar().schedule(date(2021, 8, 10), date(2026, 8, 7)))


def test_no_recorded_row_disappears_and_each_rule_withholds_what_is_known(cleaned):
    assert len(cleaned.accepted) + len(cleaned.quarantined) == 107_401
    assert cleaned.quarantined["rule"].value_counts().to_dict() == {
        "closed_day": 365,
        "low_above_body": 2,
        "high_below_body": 1,
    }
    assert cleaned.accepted["is_final"].all()
    assert set(cleaned.accepted["grade"]) == {"A"}


def test_exactly_the_bars_on_days_without_a_session_are_withheld_as_such(cleaned):
    closed = cleaned.quarantined.loc[cleaned.quarantined["rule"] == "closed_day", "session_date"]
    assert closed.dt.strftime("%Y-%m-%d").value_counts().to_dict() == BARS_ON_CLOSED_DAYS


def test_the_three_broken_bars_of_june_2022_are_withheld_and_nothing_else(cleaned):
    broken = cleaned.quarantined[cleaned.quarantined["rule"] != "closed_day"]
    assert broken["session_date"].unique().tolist() == [pd.Timestamp("2022-06-27")]
    assert dict(zip(broken["symbol"], broken["rule"], strict=True)) == {
        "BIOEN": "high_below_body",
        "BOBET": "low_above_body",
        "MIATK": "low_above_body",
    }


def test_accepted_bars_hold_the_recorded_bits(raw, cleaned):
    names = {"open_raw": "open_try", "high_raw": "high_try", "low_raw": "low_try", "close_raw": "close_try"}
    bars = ["symbol", "session_date"]
    both = raw.merge(cleaned.accepted, on=bars, validate="one_to_one")
    assert len(both) == len(cleaned.accepted)
    for delivered, stored in {**names, "volume_raw": "volume_shares"}.items():
        assert (both[delivered] == both[stored]).all()
