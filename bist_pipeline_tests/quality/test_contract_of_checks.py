"""What every registered check keeps to; a new check is held to it without a line here."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.quality.contract import SAMPLE_ROWS, Check, CheckInput
from bist_pipeline.quality.registry import registered_checks
from bist_pipeline_tests.market.raw_rows import VALUES, raw_rows, small_schedule
from bist_pipeline_tests.quality.inputs import DAYS, given, of

CHECKS = list(registered_checks().values())
over_all_checks = pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)


def hostile():
    """Rows that trip every check, twice as many as a sample holds."""
    symbols = [f"ZZ{n:02d}" for n in range(2 * SAMPLE_ROWS)]
    good = [{"symbol": symbol, "session_date": day} for symbol in symbols for day in DAYS[:3]]
    halved = [{"symbol": s, "session_date": DAYS[3], **dict.fromkeys(VALUES[:4], 50.0)} for s in symbols]
    broken = [{"symbol": s, "session_date": DAYS[5], "high_raw": -1.0, "close_raw": 300.0} for s in symbols]
    closed = [{"symbol": s, "session_date": "2024-01-01", "volume_raw": np.nan} for s in symbols]
    again = [{"symbol": s, "session_date": DAYS[0], "occurrence": 1} for s in symbols]
    most = [{"symbol": f"YY{n:02d}", "session_date": d} for n in range(3 * SAMPLE_ROWS) for d in DAYS]
    flat = [
        {"symbol": s, "session_date": "2024-01-11", **dict.fromkeys(VALUES[:4], 9.0), "volume_raw": 0.0}
        for s in symbols
    ]
    traded = [row | {"session_date": "2024-01-11", "volume_raw": 5.0} for row in most]
    outcomes = [(s, "failed", "timeout") for s in symbols]
    return of(raw_rows(*good, *halved, *broken, *closed, *again, *most, *flat, *traded), outcomes)


def test_the_room_holds_the_checks_it_promises():
    assert set(registered_checks()) >= {
        *("symbols_answering", "bars_on_closed_days", "ohlc_order", "non_positive_prices", "missing_bars"),
        *("flat_zero_volume_bars", "price_limit_moves", "duplicate_bars", "stale_bars"),
    }


@over_all_checks
def test_a_check_declares_itself_and_blocks_only_for_faults_of_the_whole_answer(check):
    assert isinstance(check, Check)
    assert registered_checks()[check.name] is check
    assert check.name == check.name.lower()
    assert check.name.isidentifier()
    assert check.description.endswith(".")
    assert (check.severity == "error") == check.blocking
    assert check.blocking == (check.name == "symbols_answering")


@over_all_checks
def test_an_empty_range_passes_and_says_that_nothing_was_there(check):
    empty = [given(), CheckInput(raw_rows(), small_schedule().head(0), given().outcomes)]
    for range_ in empty:
        finding = check.find(range_)
        assert finding.passed
        assert finding.rows.empty
        assert finding.summary.startswith("Nothing to judge: ")


@over_all_checks
def test_rows_of_missing_numbers_trip_no_check_that_compares_them(check):
    nothing = dict.fromkeys(VALUES, np.nan)
    rows = [{"symbol": symbol, "session_date": day, **nothing} for symbol in ("THYAO", "AKBNK") for day in DAYS]
    assert check.find(given(*rows)).passed


@over_all_checks
def test_a_clean_range_passes(check):
    rows = [
        {"symbol": symbol, "session_date": day, "volume_raw": 1e6 + position}
        for symbol in ("THYAO", "AKBNK")
        for position, day in enumerate(DAYS)
    ]
    finding = check.find(given(*rows, outcomes=[("THYAO", "answered", ""), ("AKBNK", "answered", "")]))
    assert finding.passed, finding.summary
    assert not finding.summary.startswith("Nothing")


@over_all_checks
def test_what_is_found_is_counted_sampled_and_told_with_numbers(check):
    finding = check.find(hostile())
    assert not finding.passed
    assert list(finding.rows) == ["symbol", "session_date", "detail"]
    assert finding.rows.dtypes.astype(str).tolist() == ["str", "datetime64[us]", "str"]
    assert len(finding.sample) == SAMPLE_ROWS < len(finding.rows)
    assert finding.counts["offending_rows"] == len(finding.rows)
    assert any(character.isdigit() for character in finding.summary)
    assert all(isinstance(number, int | float) for number in finding.counts.values())
    assert finding.rows["detail"].str.len().between(1, 300).all()
    assert "\n" not in finding.summary


@over_all_checks
def test_the_same_rows_in_another_order_are_found_alike(check):
    ordered = hostile()
    shuffled = dataclasses.replace(ordered, raw=ordered.raw.sample(frac=1.0, random_state=3))
    keys = ["session_date", "symbol", "detail"]
    left, right = (check.find(x).rows.sort_values(keys, ignore_index=True) for x in (ordered, shuffled))
    pd.testing.assert_frame_equal(left, right)


@over_all_checks
def test_a_check_leaves_its_input_alone(check):
    input_, untouched = hostile(), hostile()
    check.find(input_)
    for field in dataclasses.fields(CheckInput):
        pd.testing.assert_frame_equal(getattr(input_, field.name), getattr(untouched, field.name))
