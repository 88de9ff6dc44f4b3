"""Checks that look at one row, or at the answer as a whole: one hit and one near miss each."""

import numpy as np
import pytest

from bist_pipeline.quality import (
    bars_on_closed_days,
    duplicate_bars,
    non_positive_prices,
    ohlc_order,
    symbols_answering,
)
from bist_pipeline_tests.market.raw_rows import SESSION
from bist_pipeline_tests.quality.inputs import given, hits

NAN = np.nan


def outcomes(answered=0, failed=0, missing=0, reason="timeout"):
    statuses = ["answered"] * answered + ["failed"] * failed + ["missing"] * missing
    return [(f"ZZ{n:02d}", status, "" if status == "answered" else reason) for n, status in enumerate(statuses)]


@pytest.mark.parametrize(
    ("counts", "passed"),
    [
        ({"answered": 79, "failed": 21}, False),
        ({"answered": 80, "failed": 20}, True),
        ({"answered": 4, "failed": 1}, True),
        ({"answered": 1, "failed": 1}, False),
        ({"answered": 1, "missing": 99}, True),
        ({"missing": 3}, False),
        ({"failed": 1}, False),
        ({"answered": 1}, True),
    ],
)
def test_more_than_a_fifth_failing_or_nobody_answering_stops_the_run(counts, passed):
    finding = symbols_answering.find(given(outcomes=outcomes(**counts)))
    assert finding.passed == passed
    asked = {"asked": sum(counts.values()), "answered": 0, "failed": 0, "missing": 0} | counts
    assert {name: finding.counts[name] for name in asked} == asked


def test_the_reasons_of_failing_are_told_the_most_frequent_first():
    mixed = [*outcomes(answered=1, failed=2), ("AKBNK", "failed", "HTTP 429"), ("XXX", "missing", "unknown symbol")]
    finding = symbols_answering.find(given(outcomes=mixed))
    assert finding.summary == (
        "1 of 5 symbols answered, 3 failed (75.0%; the limit is 20%), 1 unknown to the provider. "
        "Reasons: timeout (2); HTTP 429 (1)."
    )
    assert dict(zip(finding.rows["symbol"], finding.rows["detail"], strict=True)) == {
        "ZZ01": "failed: timeout",
        "ZZ02": "failed: timeout",
        "AKBNK": "failed: HTTP 429",
    }


def test_a_failure_without_a_reason_says_so():
    finding = symbols_answering.find(given(outcomes=[("AKBNK", "failed", "")]))
    assert finding.rows["detail"].tolist() == ["failed: no reason given"]


@pytest.mark.parametrize("day", ["2024-01-01", "2024-01-06", "2024-01-07", "2024-01-15"])
@pytest.mark.parametrize("volume", [0.0, 100.0, NAN])
def test_a_bar_on_a_day_without_a_session_is_found_whatever_its_volume(day, volume):
    finding = bars_on_closed_days.find(given({"session_date": day, "volume_raw": volume}, {}))
    assert hits(finding) == [("THYAO", day)]
    assert finding.counts == {"offending_rows": 1, "bars": 2, "days": 1, "with_volume": int(volume > 0)}


@pytest.mark.parametrize("day", ["2024-01-02", "2024-01-05", "2024-01-12"])
def test_bars_on_the_sessions_around_them_are_not(day):
    assert bars_on_closed_days.find(given({"session_date": day, "volume_raw": 0.0})).passed


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"high_raw": 1.0}, "high below low: open 250.0, high 1.0, low 248.3, close 252.0"),
        ({"high_raw": 251.9}, "high below open or close: open 250.0, high 251.9, low 248.3, close 252.0"),
        ({"low_raw": 250.1}, "low above open or close: open 250.0, high 255.5, low 250.1, close 252.0"),
        ({"low_raw": 253.0, "open_raw": NAN}, "low above open or close: open nan, high 255.5, low 253.0, close 252.0"),
        ({"high_raw": 252.0 * (1 - 2e-9)}, "high below open or close"),
    ],
)
def test_prices_out_of_order_are_found_and_named(change, told):
    finding = ohlc_order.find(given(change))
    assert hits(finding) == [("THYAO", SESSION)]
    assert told in finding.rows["detail"].item()


@pytest.mark.parametrize(
    "change",
    [
        {"high_raw": 252.0 * (1 - 1e-16)},
        {"high_raw": 252.0 * (1 - 9e-10)},
        {"low_raw": 250.0 * (1 + 9e-10)},
        {"high_raw": NAN},
        {"low_raw": NAN},
        {"high_raw": 252.0, "low_raw": 250.0},
    ],
)
def test_prices_in_order_up_to_the_residue_of_adjusting_are_not(change):
    assert ohlc_order.find(given(change)).passed


@pytest.mark.parametrize("name", ["open_raw", "high_raw", "low_raw", "close_raw"])
@pytest.mark.parametrize("price", [0.0, -0.01])
def test_a_price_of_zero_or_below_is_found(name, price):
    assert hits(non_positive_prices.find(given({name: price}))) == [("THYAO", SESSION)]


@pytest.mark.parametrize("change", [{"low_raw": 0.01}, {"adj_close_raw": -1.0}, {"volume_raw": 0.0}, {"low_raw": NAN}])
def test_a_small_price_and_a_negative_adjusted_close_are_not(change):
    assert non_positive_prices.find(given(change)).passed


def test_a_row_delivered_again_is_found_and_said_to_repeat_or_to_differ():
    rows = [
        {"occurrence": 2, "source_row": 9, "close_raw": 251.0},
        {"occurrence": 0, "source_row": 7, "volume_raw": NAN},
        {"occurrence": 1, "source_row": 8, "volume_raw": NAN},
    ]
    finding = duplicate_bars.find(given(*rows))
    assert sorted(finding.rows["detail"]) == [
        "row 8 repeats row 7: close 252.0, volume nan",
        "row 9 differs from row 7: close 251.0, volume 12345678.0",
    ]
    assert finding.counts == {"offending_rows": 2, "bars": 3, "differing": 1}


def test_equal_rows_of_another_symbol_or_session_are_no_duplicates():
    assert duplicate_bars.find(given({}, {"symbol": "AKBNK"}, {"session_date": "2024-01-04"})).passed


def test_rows_are_told_by_session_and_then_by_symbol():
    low = {"low_raw": -1.0}
    rows = [low | {"session_date": day, "symbol": s} for s in ("THYAO", "AKBNK") for day in ("2024-01-04", SESSION)]
    assert hits(non_positive_prices.find(given(*rows))) == [
        *(("AKBNK", SESSION), ("THYAO", SESSION)),
        *(("AKBNK", "2024-01-04"), ("THYAO", "2024-01-04")),
    ]
