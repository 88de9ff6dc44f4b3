"""What every registered check keeps to; a new check is held to it without a line here."""

import copy
import dataclasses

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.quality.contract import SAMPLE_ROWS, Check, CheckInput
from bist_pipeline.quality.registry import registered_checks
from bist_pipeline.schemas.market import EFFECTS
from bist_pipeline_tests.market.raw_rows import VALUES, raw_rows, small_schedule
from bist_pipeline_tests.quality.hostile import DAYS as HOSTILE_DAYS
from bist_pipeline_tests.quality.hostile import FAULTY, hostile, of_symbols, undone
from bist_pipeline_tests.quality.inputs import DAYS, given, judging

CHECKS = list(registered_checks().values())
over_all_checks = pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)

OPTIONAL = ["effect", "kind"]


@pytest.fixture(scope="module")
def market():
    return hostile()


@pytest.fixture(scope="module")
def findings(market):
    return {check.name: check.find(market) for check in CHECKS}


def keyed(rows):
    return rows.sort_values(["session_date", "symbol", "detail"], ignore_index=True)


def test_the_room_holds_the_checks_it_promises():
    assert set(registered_checks()) >= {
        *("symbols_answering", "bars_on_closed_days", "ohlc_order", "non_positive_prices", "non_finite_numbers"),
        *("number_width", "bar_range", "off_tick_prices", "price_limit_moves", "flat_zero_volume_bars"),
        *("missing_bars", "stale_bars", "truncated_sessions", "volume_unit_changes", "duplicate_bars"),
        *("actions_without_effect", "effects_without_action", "index_redenomination"),
    }


@over_all_checks
def test_a_check_declares_itself_and_blocks_only_for_faults_of_the_whole_answer(check):
    assert isinstance(check, Check)
    assert registered_checks()[check.name] is check
    assert check.name == check.name.lower()
    assert check.name.isidentifier()
    assert check.description.endswith(".")
    assert check.effect in EFFECTS
    assert (check.severity == "error") == check.blocking
    assert check.blocking == (check.name == "symbols_answering")


@over_all_checks
def test_an_empty_range_passes_and_says_that_nothing_was_there(check):
    for range_ in (given(), CheckInput(raw_rows(), small_schedule().head(0), given().outcomes)):
        finding = check.find(range_)
        assert finding.passed
        assert finding.rows.empty
        assert finding.summary.startswith("Nothing to judge: ")


@over_all_checks
def test_sessions_that_hold_no_row_are_nothing_to_judge(check, market):
    if check.name == "symbols_answering":
        return  # of what was asked, not of the sessions
    finding = check.find(judging(market, "2030-01-01", "2030-02-01"))
    assert finding.passed
    assert finding.rows.empty
    # Two sources are compared over all days, those around the judged ones included.
    assert finding.summary.startswith("Nothing to judge: ") or check.name == "sources_disagree"


@over_all_checks
def test_one_good_row_passes(check):
    assert check.find(given({"low_raw": 248.3}, outcomes=[("THYAO", "answered", "")])).passed


@over_all_checks
def test_rows_of_missing_numbers_trip_no_check_that_compares_them(check):
    nothing = dict.fromkeys(VALUES, np.nan)
    rows = [{"symbol": symbol, "session_date": day, **nothing} for symbol in ("THYAO", "AKBNK") for day in DAYS]
    assert check.find(given(*rows)).passed


@over_all_checks
@pytest.mark.parametrize("value", [np.inf, -np.inf, 0.0, -1.0, 1e308, 5e-324])
def test_numbers_that_are_no_prices_are_looked_at_without_a_warning(check, value):
    rows = [
        {"symbol": symbol, "session_date": day, **dict.fromkeys(VALUES[at:], value)}
        for symbol in (*(f"ZZ{n:02d}" for n in range(12)), "XU100")
        for at, day in enumerate(DAYS)
    ]
    check.find(given(*rows))


@over_all_checks
def test_a_clean_range_passes(check):
    rows = [
        {"symbol": symbol, "session_date": day, "low_raw": 248.3, "volume_raw": 1_000_001.0 + 2 * position}
        for symbol in ("THYAO", "AKBNK")
        for position, day in enumerate(DAYS)
    ]
    finding = check.find(given(*rows, outcomes=[("THYAO", "answered", ""), ("AKBNK", "answered", "")]))
    assert finding.passed, finding.summary


@over_all_checks
def test_what_is_found_is_counted_sampled_and_told_with_numbers(check, findings):
    finding = findings[check.name]
    assert not finding.passed
    columns = list(finding.rows)
    assert columns[:3] == ["symbol", "session_date", "detail"]
    assert [name for name in OPTIONAL if name in columns] == columns[3:]
    dtypes = finding.rows.dtypes.astype(str)
    assert dtypes.tolist() == ["str", "datetime64[us]", "str", *["str"] * (len(columns) - 3)]
    assert len(finding.sample) == SAMPLE_ROWS < len(finding.rows)
    assert finding.counts["offending_rows"] == len(finding.rows)
    assert any(character.isdigit() for character in finding.summary)
    assert all(isinstance(number, int | float) for number in finding.counts.values())
    assert finding.rows["detail"].str.len().between(1, 300).all()
    assert "\n" not in finding.summary


@over_all_checks
def test_effects_and_kinds_are_those_that_cleaning_knows(check, findings):
    rows = findings[check.name].rows
    assert set(rows.get("effect", [])) <= set(EFFECTS)
    assert set(rows.get("kind", [])) <= {"action", "fault", ""}


@over_all_checks
def test_the_same_rows_in_another_order_are_found_alike(check, market, findings):
    shuffled = dataclasses.replace(
        market, raw=market.raw.sample(frac=1.0, random_state=3), sessions=market.sessions.iloc[::-1]
    )
    pd.testing.assert_frame_equal(keyed(findings[check.name].rows), keyed(check.find(shuffled).rows))


@over_all_checks
def test_rows_from_which_nothing_had_to_be_undone_are_found_alike(check, market, findings):
    with_bars = dataclasses.replace(market, bars=undone(market))
    pd.testing.assert_frame_equal(findings[check.name].rows, check.find(with_bars).rows)


@over_all_checks
def test_only_the_sessions_judged_are_told_and_those_as_with_all_of_them(check, market, findings):
    first, last = pd.Timestamp(HOSTILE_DAYS[6]), pd.Timestamp(HOSTILE_DAYS[36])
    part, whole = check.find(judging(market, first, last)).rows, findings[check.name].rows
    if check.name == "symbols_answering":
        assert part["session_date"].isna().all()
        return
    assert part["session_date"].between(first, last).all()
    inside = whole[whole["session_date"].between(first, last)]
    keys = ["symbol", "session_date", *(name for name in OPTIONAL if name in whole)]
    pd.testing.assert_frame_equal(part[keys], inside[keys].reset_index(drop=True))


@over_all_checks
def test_a_symbol_is_judged_by_itself_unless_the_check_says_that_it_is_about_the_market(check, market, findings):
    if check.market_wide:
        return
    whole = findings[check.name].rows
    for symbol in (FAULTY[0], FAULTY[7], "YY03", "XZ01"):
        alone = check.find(of_symbols(market, [symbol])).rows
        mine = whole[whole["symbol"] == symbol].reset_index(drop=True)
        assert alone[["symbol", "session_date", "detail"]].to_dict("list") == mine[
            ["symbol", "session_date", "detail"]
        ].to_dict("list")


@over_all_checks
def test_a_check_leaves_its_input_alone(check, market):
    input_ = dataclasses.replace(market, bars=undone(market))
    untouched = copy.deepcopy(input_)
    check.find(input_)
    for field in dataclasses.fields(CheckInput):
        value = getattr(input_, field.name)
        if isinstance(value, pd.DataFrame):
            pd.testing.assert_frame_equal(value, getattr(untouched, field.name))
