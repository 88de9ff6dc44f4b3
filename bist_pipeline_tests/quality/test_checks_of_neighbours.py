"""Checks that compare a bar with its neighbours in time or in the market: one hit and one near miss each."""

import numpy as np
import pytest

from bist_pipeline.quality import flat_zero_volume_bars, missing_bars, price_limit_moves, stale_bars
from bist_pipeline.quality.contract import CheckInput
from bist_pipeline_tests.market.raw_rows import raw_rows, small_schedule
from bist_pipeline_tests.quality.inputs import DAYS, given, given_closes, hits, of

NAN = np.nan


def named(count):
    return [f"ZZ{n:02d}" for n in range(count)]


def test_a_hole_where_half_of_the_listed_symbols_have_a_bar_is_found():
    closes = {"AAA": [1.0, NAN, 1.0], "BBB": [1.0, NAN, 1.0], "CCC": [1.0, 1.0, 1.0], "DDD": [1.0, 1.0, 1.0]}
    finding = missing_bars.find(given_closes(closes))
    assert hits(finding) == [("AAA", DAYS[1]), ("BBB", DAYS[1])]
    assert finding.rows["detail"].tolist() == ["no bar; 2 of 4 symbols have one (50%)"] * 2
    assert finding.rows["kind"].tolist() == ["", ""]
    assert finding.counts["thin_sessions"] == 0


def with_holes(holes, symbols):
    """Three sessions; `holes` of the symbols lack the second one."""
    return given_closes({name: [1.0, NAN if n < holes else 1.0, 1.0] for n, name in enumerate(named(symbols))})


def test_a_hole_of_most_of_the_market_is_the_providers_fault():
    finding = missing_bars.find(with_holes(6, 10))
    assert hits(finding) == [(name, DAYS[1]) for name in named(6)]
    assert finding.rows["kind"].tolist() == ["fault"] * 6
    assert finding.rows["detail"][0] == "no bar; 4 of 10 symbols have one (40%)"
    assert finding.counts["thin_sessions"] == 1
    assert "1 session on which most symbols lack a bar" in finding.summary


@pytest.mark.parametrize(("holes", "symbols"), [(5, 10), (8, 9)], ids=["half of the market", "too few to say"])
def test_a_hole_of_half_of_the_market_or_of_a_few_symbols_may_be_a_halt(holes, symbols):
    finding = missing_bars.find(with_holes(holes, symbols))
    assert finding.rows["kind"].tolist() == [""] * holes
    assert finding.counts["thin_sessions"] == 0


def test_what_lies_before_the_first_and_after_the_last_bar_is_no_hole_and_counts_for_nobody():
    closes = {"NEW": [NAN, NAN, 1.0], "OLD": [1.0, NAN, NAN], "AAA": [1.0, NAN, 1.0], "BBB": [1.0, 1.0, 1.0]}
    finding = missing_bars.find(given_closes(closes))
    assert hits(finding) == [("AAA", DAYS[1])]
    assert finding.rows["detail"].item() == "no bar; 1 of 2 symbols have one (50%)"


def test_days_without_a_session_are_no_hole_and_a_row_without_a_close_is():
    days = ["2024-01-05", "2024-01-08", "2024-01-09"]
    assert missing_bars.find(given_closes({"AAA": [1.0, 1.0, 1.0]}, days)).passed
    rows = [{"session_date": day, "symbol": s} for day in days for s in ("AAA", "BBB")]
    rows[2] |= {"close_raw": NAN}
    assert hits(missing_bars.find(given(*rows))) == [("AAA", "2024-01-08")]


def flat_bar(symbol, volume, close=10.0, **change):
    prices = dict.fromkeys(("open_raw", "high_raw", "low_raw", "close_raw"), close)
    return {"symbol": symbol, "volume_raw": volume} | prices | change


def test_a_flat_bar_without_volume_while_most_traded_is_found():
    finding = flat_zero_volume_bars.find(given(flat_bar("AAA", 0.0), flat_bar("BBB", 1.0), flat_bar("CCC", 1.0)))
    assert [symbol for symbol, _ in hits(finding)] == ["AAA"]
    assert finding.rows["detail"].item() == "only 10.0, volume 0; 2 of 3 symbols traded"


@pytest.mark.parametrize(
    "rows",
    [
        [flat_bar("AAA", 0.0), flat_bar("BBB", 1.0)],
        [flat_bar("AAA", 1.0), flat_bar("BBB", 1.0), flat_bar("CCC", 1.0)],
        [flat_bar("AAA", NAN), flat_bar("BBB", 1.0), flat_bar("CCC", 1.0)],
        [flat_bar("AAA", 0.0, high_raw=10.01), flat_bar("BBB", 1.0), flat_bar("CCC", 1.0)],
        [flat_bar("AAA", 0.0, open_raw=NAN), flat_bar("BBB", 1.0), flat_bar("CCC", 1.0)],
    ],
    ids=["half traded", "volume", "volume missing", "not flat", "open missing"],
)
def test_a_bar_that_is_not_flat_or_has_volume_or_stands_in_a_market_at_rest_is_not(rows):
    assert flat_zero_volume_bars.find(given(*rows)).passed


def test_flatness_forgives_the_residue_of_adjusting():
    nearly = flat_bar("AAA", 0.0, high_raw=float(np.nextafter(10.0, 11.0)))
    assert not flat_zero_volume_bars.find(given(nearly, flat_bar("BBB", 1.0), flat_bar("CCC", 1.0))).passed


def around_the_change_of_limit(moves):
    """One symbol over the sessions of 2020-03-11 to 2020-03-16, each close moved by a share of the one before."""
    days = ["2020-03-11", "2020-03-12", "2020-03-13", "2020-03-16"]
    closes = 100.0 * np.cumprod([1.0, *(1 + move for move in moves)])
    sessions = small_schedule().head(4).assign(session_date=np.array(days, dtype="datetime64[us]"), is_session=True)
    raw = raw_rows(*({"session_date": day, "close_raw": close} for day, close in zip(days, closes, strict=True)))
    return CheckInput(raw, sessions[["session_date", "is_session"]], given().outcomes)


@pytest.mark.parametrize(
    ("moves", "found"),
    [
        ((0.2005, 0.1005, 0.1005), []),
        ((-0.2005, -0.1005, -0.1005), []),
        ((0.202, 0.1, 0.1), ["2020-03-12"]),
        ((-0.202, -0.1, -0.1), ["2020-03-12"]),
        ((0.2, 0.102, -0.102), ["2020-03-13", "2020-03-16"]),
        ((0.0, 0.19, 0.0), ["2020-03-13"]),
        ((0.19, 0.0, 0.0), []),
    ],
)
def test_a_move_is_held_against_the_limit_of_its_own_day(moves, found):
    assert [day for _, day in hits(price_limit_moves.find(around_the_change_of_limit(moves)))] == found


def test_a_move_is_told_with_its_numbers():
    finding = price_limit_moves.find(around_the_change_of_limit((0.0, 0.5, 0.0)))
    assert finding.rows["detail"].item() == "close 150.0 after 100.0: +50.00%, the limit is ±10%"
    assert finding.counts == {"offending_rows": 1, "moves": 3, "symbols": 1}


@pytest.mark.parametrize(
    ("closes", "found"),
    [
        ([10.0, NAN, 12.09], []),
        ([10.0, NAN, 12.12], [DAYS[2]]),
        ([10.0, NAN, NAN, 7.3], []),
        ([10.0, NAN, 8.0], [DAYS[2]]),
    ],
)
def test_a_move_across_a_gap_is_held_against_the_limit_of_its_sessions(closes, found):
    finding = price_limit_moves.find(given_closes({"AAA": closes}))
    assert [day for _, day in hits(finding)] == found
    assert finding.rows["detail"].str.endswith("the limit is ±10%, compounded over 2 sessions").all()


def test_a_move_across_a_weekend_or_holiday_is_held_against_the_limit_of_one_session():
    assert hits(price_limit_moves.find(given_closes({"AAA": [10.0, 20.0]}, DAYS[3:5]))) == [("AAA", DAYS[4])]


def test_a_bar_on_a_closed_day_between_two_sessions_does_not_hide_or_invent_a_move():
    days = ["2024-01-05", "2024-01-06", "2024-01-08"]
    assert price_limit_moves.find(given_closes({"AAA": [10.0, 20.0, 10.5]}, days)).passed
    assert hits(price_limit_moves.find(given_closes({"AAA": [10.0, 15.0, 20.0]}, days))) == [("AAA", "2024-01-08")]


@pytest.mark.parametrize("close", [0.0, -10.0, np.inf])
def test_a_close_that_is_no_price_is_no_base_for_a_move(close):
    assert price_limit_moves.find(given_closes({"AAA": [10.0, close, 10.0]})).passed


def test_each_symbol_is_compared_with_itself_and_by_its_first_occurrence():
    assert price_limit_moves.find(given_closes({"AAA": [10.0, 10.5], "BBB": [100.0, 101.0]})).passed
    days = [{"session_date": DAYS[0]}, {"session_date": DAYS[1]}]
    again = {"session_date": DAYS[1], "occurrence": 1, "close_raw": 999.0}
    assert price_limit_moves.find(given(*days, again)).passed
    assert price_limit_moves.find(given(again, *days)).passed


def test_a_bar_copied_whole_with_its_volume_is_found():
    finding = stale_bars.find(given({"session_date": DAYS[0]}, {"session_date": DAYS[1]}))
    assert hits(finding) == [("THYAO", DAYS[1])]
    assert finding.rows["detail"].item().startswith("whole bar copied: close 252.0, volume 12345678.0")
    assert finding.counts["copied"] == 1


@pytest.mark.parametrize("name", ["open_raw", "high_raw", "low_raw", "close_raw", "volume_raw"])
def test_a_bar_that_differs_in_one_value_is_not(name):
    assert stale_bars.find(given({"session_date": DAYS[0]}, {"session_date": DAYS[1], name: 251.0})).passed


def test_a_halted_symbol_that_repeats_its_bar_without_volume_is_not():
    assert stale_bars.find(given(*({"session_date": day, "volume_raw": 0.0} for day in DAYS))).passed


def test_an_equal_bar_after_a_gap_is_not():
    assert stale_bars.find(given({"session_date": DAYS[0]}, {"session_date": DAYS[2]})).passed


def standing_still(still, symbols):
    """Two sessions on which `still` of `symbols` keep their close."""
    return given_closes({name: [10.0, 10.0 if n < still else 10.5] for n, name in enumerate(named(symbols))})


def test_closes_that_stand_still_over_most_of_the_market_are_found():
    finding = stale_bars.find(standing_still(6, 10))
    assert hits(finding) == [(name, DAYS[1]) for name in named(6)]
    assert finding.counts == {"offending_rows": 6, "bars": 10, "copied": 0, "stale_sessions": 1}
    assert finding.rows["detail"][0] == "close copied: close 10.0, volume 1001.0; 60% of the closes unchanged"


@pytest.mark.parametrize(("still", "symbols"), [(5, 10), (9, 9)], ids=["half of the market", "too few symbols"])
def test_closes_that_stand_still_over_half_of_the_market_or_in_a_small_run_are_not(still, symbols):
    assert stale_bars.find(standing_still(still, symbols)).passed


def test_rows_outside_the_sessions_of_the_range_are_nothing_to_judge():
    raw = raw_rows({"session_date": "2024-02-05"}, {"session_date": "2024-02-06"})
    for room in (missing_bars, flat_zero_volume_bars, price_limit_moves, stale_bars):
        finding = room.find(of(raw))
        assert finding.passed
        assert finding.summary.startswith("Nothing to judge")
