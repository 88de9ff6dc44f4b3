"""The check: what a disagreement means for the first source's bar."""

import dataclasses

import numpy as np
import pandas as pd

from bist_pipeline.quality.contract import CheckInput
from bist_pipeline.quality.sources_disagree import CHECK, find
from bist_pipeline_tests.quality.comparison.invented import (
    PRICES,
    adjusted,
    changed,
    day,
    history,
    in_turnover,
    with_stale_close,
    without,
)
from bist_pipeline_tests.quality.comparison.raw import as_raw

BARS = history(symbols=3, sessions=120)
SECOND = in_turnover(adjusted(BARS), BARS)
OUTCOMES = pd.DataFrame({"symbol": [], "status": [], "reason": []}).astype("str")


def given(first, second, **further):
    days = np.sort(BARS["session_date"].unique())
    sessions = pd.DataFrame({"session_date": days, "is_session": np.ones(len(days), dtype=bool)})
    told = None if second is None else as_raw(second, "second")
    return CheckInput(as_raw(first, "first"), sessions, OUTCOMES, second=told, **further)


def found(finding):
    rows = finding.rows
    days = rows["session_date"].dt.strftime("%Y-%m-%d")
    return list(zip(rows["symbol"], days, rows["effect"], rows["kind"], strict=True))


def test_without_a_second_source_nothing_is_said():
    finding = find(given(BARS, None))
    assert finding.passed
    assert finding.summary == "No second source is configured."


def test_two_sources_that_agree_pass_with_the_number_of_bars():
    finding = find(given(BARS, SECOND))
    assert (finding.passed, finding.summary) == (True, "Two sources agree on 360 bars.")


def test_a_bar_is_doubted_unless_the_first_is_supported():
    first = with_stale_close(BARS, "ZZAAA", 40)
    second = changed(without(SECOND, "ZZAAC", 9), "ZZAAB", 50, PRICES, 100.0)
    finding = find(given(without(first, "ZZAAC", 20), second))
    assert found(finding) == [
        ("ZZAAC", day(BARS, "ZZAAC", 20), "none", "fault"),
        ("ZZAAA", day(BARS, "ZZAAA", 40), "doubt", "fault"),
        ("ZZAAB", day(BARS, "ZZAAB", 50), "none", "fault"),
    ]
    assert finding.counts["doubted"] == 1
    assert "3 disagreements of 3 symbols" in finding.summary


def test_an_action_in_dispute_doubts_no_bar():
    second = changed(SECOND, "ZZAAB", range(60), PRICES, 0.5)
    assert found(find(given(BARS, second))) == [("ZZAAB", day(BARS, "ZZAAB", 60), "none", "action")]


def test_only_the_sessions_that_are_judged_are_told():
    first = with_stale_close(with_stale_close(BARS, "ZZAAA", 40), "ZZAAA", 80)
    last = pd.Timestamp(day(BARS, "ZZAAA", 60))
    assert [row[1] for row in found(find(given(first, SECOND, last=last)))] == [day(BARS, "ZZAAA", 40)]


def test_bars_as_traded_are_compared_where_they_are_known():
    traded = given(BARS, SECOND)
    raw = traded.raw.assign(close_raw=traded.raw["close_raw"] / 2)
    bars = BARS.reset_index(drop=True)[[*PRICES, "volume_shares", "basis"]]
    assert not find(dataclasses.replace(traded, raw=raw)).passed
    assert find(dataclasses.replace(traded, raw=raw, bars=bars)).passed


def test_the_check_doubts_and_blocks_nothing():
    assert (CHECK.name, CHECK.effect, CHECK.blocking) == ("sources_disagree", "doubt", False)
