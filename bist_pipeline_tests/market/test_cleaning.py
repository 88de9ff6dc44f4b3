"""What cleaning accepts, withholds and fills: one hit and one near miss per rule, and each rule's words."""

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.market.cleaning import ACCEPTED_COLUMNS, QUARANTINED_COLUMNS, clean
from bist_pipeline.market.rules import RULES
from bist_pipeline.schemas.market import DAILY_PRICES, QUARANTINE
from bist_pipeline_tests.market.raw_rows import SESSION, VALUES, raw_rows, small_schedule

NAN, INF = float("nan"), float("inf")
NOW = pd.Timestamp("2024-02-01", tz="UTC").as_unit("us")


def rules_of(*changes):
    """The rule that withholds each row, None for an accepted one, in the order of the rows."""
    raw = raw_rows(*(change | {"source_row": position} for position, change in enumerate(changes)))
    quarantined = clean(raw, small_schedule()).quarantined
    found = dict(zip(quarantined["source_row"], quarantined["rule"], strict=True))
    return [found.get(position) for position in range(len(changes))]


def only_reason(*changes):
    return clean(raw_rows(*changes), small_schedule()).quarantined["reason"].item()


def test_a_good_row_is_accepted_with_the_providers_bits():
    awkward = {"open_raw": 0.1 + 0.2, "high_raw": 1 / 3, "low_raw": 0.1, "close_raw": 0.2 + 1e-17, "volume_raw": 3.5}
    cleaned = clean(raw_rows(awkward), small_schedule())
    bar = cleaned.accepted.iloc[0]
    delivered = [awkward[name] for name in ("open_raw", "high_raw", "low_raw", "close_raw", "volume_raw")]
    stored = [bar[name] for name in ("open_try", "high_try", "low_try", "close_try", "volume_shares")]
    assert [value.hex() for value in stored] == [value.hex() for value in delivered]
    assert (bar["grade"], bar["filled"], bar["basis"], bar["source"]) == ("A", "", "as_traded", "archive:THYAO.csv")
    assert (bar["adjustment_factor"], bar["total_return_factor"]) == (1.0, 1.0)
    assert cleaned.quarantined.empty


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"session_date": "2010-01-01"}, "before_origin"),
        ({"session_date": "2024-01-01"}, "closed_day"),
        ({"session_date": "2024-01-06"}, "closed_day"),
        ({"session_date": "2024-01-15"}, "closed_day"),
        ({"session_date": None}, "closed_day"),
        ({"as_of": "2024-01-03T06:54:59Z"}, "future_session"),  # the opening match is at 06:55
        ({"close_raw": NAN}, "no_close"),
        *[({name: value}, "not_finite") for name in VALUES for value in (INF, -INF)],
        *[({name: value}, "not_positive") for name in VALUES[:4] for value in (0.0, -1.0)],
        ({"volume_raw": -1.0}, "negative_volume"),
        ({"high_raw": 248.0, "low_raw": 256.0}, "high_below_low"),
        ({"high_raw": 248.0, "low_raw": 248.01, "open_raw": NAN}, "high_below_low"),
        ({"high_raw": 251.99}, "high_below_body"),
        ({"high_raw": 249.0, "close_raw": 248.5}, "high_below_body"),
        ({"low_raw": 250.01}, "low_above_body"),
        ({"low_raw": 253.0, "open_raw": NAN}, "low_above_body"),
        ({"high_raw": NAN, "low_raw": 253.0}, "low_above_body"),
    ],
)
def test_an_unusable_row_is_withheld_by_the_rule_it_breaks(change, rule):
    assert rules_of(change) == [rule]


@pytest.mark.parametrize(
    "change",
    [
        {"session_date": "2024-01-02"},
        {"session_date": "2024-01-12"},
        {"as_of": "2024-01-03T07:00:00Z"},
        {"open_raw": NAN, "high_raw": NAN, "low_raw": NAN, "volume_raw": NAN, "adj_close_raw": NAN},
        {"adj_close_raw": -3.0},
        {"low_raw": 5e-324},
        {"volume_raw": 0.0},
        {"high_raw": 252.0},
        {"low_raw": 250.0},
        {"open_raw": 252.0, "high_raw": 252.0, "low_raw": 252.0},
    ],
)
def test_a_row_just_inside_every_rule_is_accepted(change):
    assert rules_of(change) == [None]


@pytest.mark.parametrize(
    ("change", "accepted"),
    [
        ({"high_raw": 252.0 * (1 - 1e-16)}, True),
        ({"high_raw": 252.0 * (1 - 9e-10)}, True),
        ({"high_raw": 252.0 * (1 - 2e-9)}, False),
        ({"low_raw": 250.0 * (1 + 9e-10)}, True),
        ({"low_raw": 250.0 * (1 + 2e-9)}, False),
    ],
)
def test_the_residue_of_adjusting_is_accepted_unchanged_and_more_is_not(change, accepted):
    bars = clean(raw_rows(change), small_schedule()).accepted
    assert len(bars) == accepted
    for name, value in change.items():
        assert bars[name.replace("_raw", "_try")].tolist() == [value] * accepted


@pytest.mark.parametrize(
    ("day", "told"),
    [
        ("2024-01-01", "New Year's Day"),
        ("2024-01-06", "Saturday"),
        ("2024-01-07", "Sunday"),
        ("2024-01-15", "outside the schedule, 2024-01-01 to 2024-01-12"),
    ],
)
def test_a_bar_on_a_closed_day_is_withheld_whatever_its_volume_and_says_why_the_day_was_closed(day, told):
    for volume in (0.0, 1e6):
        reason = only_reason({"session_date": day, "volume_raw": volume})
        assert f"THYAO on {day} breaks closed_day" in reason
        assert told in reason
        assert f"volume {volume}" in reason


@pytest.mark.parametrize(
    ("change", "numbers"),
    [
        ({"session_date": "2009-12-31"}, ["2010-01-04"]),
        ({"as_of": "2024-01-03T06:00:00Z"}, ["2024-01-03 07:00 UTC", "2024-01-03 06:00 UTC"]),
        ({"close_raw": NAN}, ["open 250.0", "volume 12345678.0"]),
        ({"volume_raw": INF}, ["volume inf"]),
        ({"low_raw": -0.5}, ["low -0.5"]),
        ({"volume_raw": -3.0}, ["-3.0"]),
        ({"high_raw": 1.0, "low_raw": 2.0}, ["high 1.0", "low 2.0"]),
        ({"high_raw": 251.123456789012}, ["251.123456789012", "open 250.0", "close 252.0"]),
        ({"low_raw": 250.5}, ["low 250.5", "open 250.0", "close 252.0"]),
    ],
)
def test_a_reason_is_one_sentence_with_symbol_session_rule_and_numbers(change, numbers):
    row = clean(raw_rows(change), small_schedule()).quarantined.iloc[0]
    day = change.get("session_date", SESSION)
    assert row["reason"].startswith(f"THYAO on {day} breaks {row['rule']}: ")
    assert row["reason"].endswith(".")
    assert "\n" not in row["reason"]
    for number in numbers:
        assert number in row["reason"]


def test_of_equal_rows_the_first_stays_and_the_repetitions_go():
    again = [{"occurrence": n, "volume_raw": NAN} for n in range(3)]
    assert rules_of(*again) == [None, "duplicate_row", "duplicate_row"]
    assert rules_of(*reversed(again)) == ["duplicate_row", "duplicate_row", None]
    assert "row 9 repeats row 7 value for value" in only_reason({}, {"occurrence": 1, "source_row": 9})


@pytest.mark.parametrize("name", VALUES)
def test_rows_that_differ_in_any_value_all_go(name):
    assert rules_of({}, {"occurrence": 1, name: 251.0}) == ["conflicting_duplicates"] * 2
    assert rules_of({name: NAN}, {"occurrence": 1}) == ["conflicting_duplicates"] * 2


def test_a_repetition_among_differing_rows_leaves_none():
    rows = [{}, {"occurrence": 1}, {"occurrence": 2, "close_raw": 251.0}]
    assert rules_of(*rows) == ["conflicting_duplicates", "duplicate_row", "conflicting_duplicates"]


def test_rows_of_another_symbol_or_day_are_no_repetition():
    rows = [{}, {"symbol": "AKBNK", "close_raw": 251.0}, {"session_date": "2024-01-04", "close_raw": 251.0}]
    assert rules_of(*rows) == [None, None, None]


def test_a_wrongly_counted_repetition_never_makes_two_bars_of_one_session():
    assert rules_of({}, {}) == [None, "duplicate_row"]
    assert rules_of({"occurrence": 4}, {"occurrence": 4, "close_raw": 251.0}) == ["conflicting_duplicates"] * 2


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"session_date": "2009-12-26", "close_raw": NAN}, "before_origin"),
        ({"session_date": "2024-01-06", "as_of": "2024-01-01T00:00:00Z"}, "closed_day"),
        ({"as_of": "2024-01-01T00:00:00Z", "close_raw": NAN}, "future_session"),
        ({"close_raw": NAN, "open_raw": INF}, "no_close"),
        ({"open_raw": INF, "low_raw": -1.0}, "not_finite"),
        ({"open_raw": -1.0, "volume_raw": -1.0}, "not_positive"),
        ({"volume_raw": -1.0, "high_raw": 1.0}, "negative_volume"),
        ({"high_raw": 1.0}, "high_below_low"),
        ({"high_raw": 251.0, "low_raw": 250.5}, "high_below_body"),
    ],
)
def test_the_first_rule_broken_is_the_one_named(change, rule):
    assert rules_of(change) == [rule]


def test_a_closed_day_is_named_before_its_repetitions():
    assert (
        rules_of({"session_date": "2024-01-01"}, {"session_date": "2024-01-01", "occurrence": 1}) == ["closed_day"] * 2
    )


@pytest.mark.parametrize(
    ("missing", "filled", "expected"),
    [
        (["open"], "open_try", (252.0, 255.5, 248.3)),
        (["high"], "high_try", (250.0, 252.0, 248.3)),
        (["low"], "low_try", (250.0, 255.5, 250.0)),
        (["high", "low"], "high_try,low_try", (250.0, 252.0, 250.0)),
        (["open", "high", "low"], "open_try,high_try,low_try", (252.0, 252.0, 252.0)),
        (["open", "low"], "open_try,low_try", (252.0, 255.5, 252.0)),
    ],
)
def test_missing_prices_are_filled_from_the_close_and_never_contradict_the_open(missing, filled, expected):
    bar = clean(raw_rows({f"{name}_raw": NAN for name in missing}), small_schedule()).accepted.iloc[0]
    assert (bar["open_try"], bar["high_try"], bar["low_try"]) == expected
    assert (bar["close_try"], bar["volume_shares"]) == (252.0, 12_345_678.0)
    assert (bar["grade"], bar["filled"]) == ("B", filled)


def test_a_falling_bar_without_high_and_low_is_filled_the_other_way_round():
    bar = clean(raw_rows({"close_raw": 249.0, "high_raw": NAN, "low_raw": NAN}), small_schedule()).accepted.iloc[0]
    assert (bar["high_try"], bar["low_try"]) == (250.0, 249.0)


def test_a_missing_volume_becomes_zero_and_is_flagged():
    bars = clean(raw_rows({"volume_raw": NAN}, {"symbol": "AKBNK", "volume_raw": 0.0}), small_schedule()).accepted
    assert bars["volume_shares"].tolist() == [0.0, 0.0]
    assert bars["grade"].tolist() == ["B", "A"]
    assert bars["filled"].tolist() == ["volume_shares", ""]


@pytest.mark.parametrize(
    ("day", "as_of", "final"),
    [
        (SESSION, "2024-01-03T15:09:59Z", False),
        (SESSION, "2024-01-03T15:10:00Z", True),
        ("2024-01-12", "2024-01-12T09:39:59Z", False),
        ("2024-01-12", "2024-01-12T09:40:00Z", True),
        (SESSION, "2024-01-03T07:00:00Z", False),
    ],
)
def test_a_bar_is_final_from_the_moment_its_session_is(day, as_of, final):
    assert clean(raw_rows({"session_date": day, "as_of": as_of}), small_schedule()).accepted["is_final"].tolist() == [
        final
    ]


def test_rows_keep_the_order_in_which_they_were_delivered():
    days = ["2024-01-05", "2024-01-03", "2024-01-01", "2024-01-04", "2024-01-06"]
    cleaned = clean(raw_rows(*({"session_date": day} for day in days)), small_schedule())
    assert cleaned.accepted["session_date"].dt.day.tolist() == [5, 3, 4]
    assert cleaned.quarantined["session_date"].dt.day.tolist() == [1, 6]


@pytest.mark.parametrize("schedule", [small_schedule(), small_schedule().head(0)], ids=["schedule", "empty schedule"])
@pytest.mark.parametrize(
    "raw", [raw_rows(), raw_rows({}, {"symbol": "AKBNK", "close_raw": NAN})], ids=["no rows", "rows"]
)
def test_both_frames_always_meet_their_tables_contracts(raw, schedule):
    cleaned = clean(raw, schedule)
    assert tuple(cleaned.accepted) == ACCEPTED_COLUMNS
    assert tuple(cleaned.quarantined) == QUARANTINED_COLUMNS
    DAILY_PRICES.frame.validate(cleaned.accepted.assign(updated_at=NOW))
    QUARANTINE.frame.validate(cleaned.quarantined.assign(quarantined_at=NOW))


def test_the_raw_values_of_a_withheld_row_are_kept():
    raw = raw_rows({"high_raw": 1 / 3, "open_raw": NAN, "occurrence": 0})
    withheld = clean(raw, small_schedule()).quarantined
    kept = [name for name in QUARANTINED_COLUMNS if name not in ("rule", "reason")]
    pd.testing.assert_frame_equal(withheld[kept], raw[kept], check_exact=True)


def test_cleaning_leaves_its_inputs_alone():
    raw, schedule = raw_rows({}, {"open_raw": NAN}, {"session_date": "2024-01-01"}), small_schedule()
    before = raw.copy(), schedule.copy()
    clean(raw, schedule)
    pd.testing.assert_frame_equal(raw, before[0])
    pd.testing.assert_frame_equal(schedule, before[1])


def test_rules_have_distinct_names_and_say_what_they_forbid():
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.says.endswith(".") for rule in RULES)
    assert [rule.name for rule in RULES] == [
        *("before_origin", "closed_day", "future_session", "duplicate_row", "conflicting_duplicates", "no_close"),
        *("not_finite", "not_positive", "negative_volume", "high_below_low", "high_below_body", "low_above_body"),
    ]


def test_a_high_below_the_low_by_residue_alone_is_accepted():
    flat = {"open_raw": NAN, "close_raw": 252.0, "high_raw": 252.0, "low_raw": float(np.nextafter(252.0, 300.0))}
    assert rules_of(flat) == [None]
