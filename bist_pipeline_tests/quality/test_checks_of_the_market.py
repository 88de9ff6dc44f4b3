"""Sessions that the provider cut off: a check that looks at the whole market at once."""

import dataclasses

import numpy as np
import pytest

from bist_pipeline.quality import truncated_sessions
from bist_pipeline_tests.quality.inputs import hits, judging, over, weekdays

DAYS = weekdays("2024-01-02", 30)
CUT = 24
NAN = np.nan

# Recorded of three banks: volume, high and low of 2022-12-15, -16 (cut off at about noon) and -19.
BANKS = {
    "GARAN": [(108_237_762, 23.801, 22.632), (28_071_006, 24.098, 23.653), (105_931_351, 26.042, 23.900)],
    "ISCTR": [(1_201_633_760, 4.192, 3.881), (274_772_775, 4.295, 4.189), (1_377_398_337, 4.678, 4.298)],
    "AKBNK": [(323_169_448, 15.377, 14.577), (73_080_982, 15.657, 15.377), (314_036_668, 16.893, 15.632)],
}


def market(*, volume=0.25, width=0.5, symbols=12, after=1.0, cut=CUT, still_quiet=0, **further):
    """Thirty sessions of as many symbols; one session with a part of the volume and of the range of the others."""
    rows = []
    for n in range(symbols):
        for position, day in enumerate(DAYS):
            is_cut = position == cut and n >= still_quiet
            part, narrow = (volume, width) if is_cut else (after if position == cut + 1 else 1.0, 1.0)
            rows.append(
                {"symbol": f"ZZ{n:02d}", "session_date": day, "volume_raw": 1e6 * part * (1 + 0.01 * n)}
                | {"high_raw": 100 * np.exp(0.02 * narrow), "low_raw": 100 * np.exp(-0.02 * narrow)}
                | {"open_raw": 100.0, "close_raw": 100.0 + 0.01 * position}
            )
    return over(DAYS, rows, **further)


def test_a_session_of_a_fraction_of_volume_and_range_is_found_in_every_symbol():
    finding = truncated_sessions.find(market())
    assert hits(finding) == [(f"ZZ{n:02d}", DAYS[CUT]) for n in range(12)]
    assert finding.rows["kind"].unique().tolist() == ["fault"]
    assert finding.rows["detail"][0] == "volume 0.25 of its usual; the market's 0.25 within 0.50 of its usual range"
    assert finding.counts["truncated_sessions"] == 1


def test_the_cut_session_of_three_banks_is_found_in_a_market_like_them():
    rows = []
    for n in range(12):
        before, cut, after = list(BANKS.values())[n % 3]
        for position, day in enumerate(DAYS):
            volume, high, low = cut if position == CUT else after if position == CUT + 1 else before
            rows.append(
                {"symbol": f"ZZ{n:02d}", "session_date": day, "volume_raw": volume, "high_raw": high, "low_raw": low}
            )
    assert {day for _, day in hits(truncated_sessions.find(over(DAYS, rows)))} == {DAYS[CUT]}


@pytest.mark.parametrize(
    "changes",
    [
        # New Year's Eve of 2021: less than half of the usual volume, and a whole session.
        {"volume": 0.45, "width": 0.66},
        # The day of the earthquake, 2023-02-06: a quarter of the volume and a range wider than usual.
        {"volume": 0.25, "width": 1.13},
        {"volume": 1.0, "width": 0.5},
        {"half_days": [DAYS[CUT]]},
        # What stays is a new unit or a lull, and `volume_unit_changes` looks at it.
        {"after": 0.25},
        {"symbols": 9},
        {"still_quiet": 7},
        # The newest session may be trading still.
        {"cut": 29},
        # Too early for anything to be usual.
        {"cut": 9},
    ],
    ids=["quiet", "thin and wide", "narrow", "half day", "it stays", "few symbols", "some", "newest", "early"],
)
def test_what_has_another_reason_is_not(changes):
    finding = truncated_sessions.find(market(**changes))
    assert finding.passed


def test_nothing_is_judged_where_half_days_are_not_said():
    given_ = market()
    unsaid = dataclasses.replace(given_, sessions=given_.sessions[["session_date", "is_session"]])
    assert truncated_sessions.find(unsaid).summary.startswith("Nothing to judge")


def test_the_sessions_around_those_judged_say_what_is_usual():
    assert len(truncated_sessions.find(judging(market(), DAYS[CUT], DAYS[CUT])).rows) == 12
    assert truncated_sessions.find(judging(market(), DAYS[CUT + 1], DAYS[-1])).passed


def test_symbols_without_a_bar_on_that_session_are_not_told():
    given_ = market()
    raw = given_.raw[~((given_.raw["symbol"] == "ZZ00") & (given_.raw["session_date"] == DAYS[CUT]))]
    found = hits(truncated_sessions.find(dataclasses.replace(given_, raw=raw)))
    assert [symbol for symbol, _ in found] == [f"ZZ{n:02d}" for n in range(1, 12)]
