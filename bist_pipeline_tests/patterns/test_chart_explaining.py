"""Why there is a pattern or none: the census of candidates, and the candidate that came nearest.

Belongs here: `reject_census` and `nearest`. Does not belong here: how an explanation is printed (`cli/`).
"""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.bars import Bars
from bist_pipeline.patterns.pivots.tape import Tape, read_tape
from bist_pipeline.patterns.registry import registered_charts
from bist_pipeline.patterns.structures.candidates import Candidates
from bist_pipeline.patterns.structures.census import reject_census
from bist_pipeline.patterns.structures.contract import ChartPattern
from bist_pipeline.patterns.structures.engine import Detected, detect
from bist_pipeline.patterns.structures.explaining import RECENT_BARS, Near, nearest
from bist_pipeline.patterns.structures.judging import rules_of
from bist_pipeline.patterns.structures.life import FATES
from bist_pipeline_tests.patterns.contract_market import market
from bist_pipeline_tests.patterns.drawing import Drawing, all_slacks, fixtures
from bist_pipeline_tests.patterns.test_drawn import breaking, passing

PATTERNS = registered_charts()
TOP = fixtures()["double_top"]
QUIET = Drawing(points=((1, 0.0),), quiet_bars=120)


def found_in(drawing: Drawing, pattern: ChartPattern) -> tuple[Tape, Detected]:
    tape = drawing.tape()
    (found,) = detect(tape, [pattern])
    return tape, found


def counted(census: pd.DataFrame) -> Counter[tuple[str, pd.Timestamp, str]]:
    """How often each outcome was told, by symbol and session."""
    told: Counter[tuple[str, pd.Timestamp, str]] = Counter()
    for symbol, session, text in zip(
        census["symbol"], pd.DatetimeIndex(census["session_date"]), census["outcomes"], strict=True
    ):
        told.update((symbol, session, outcome) for outcome in json.loads(text))
    return told


# ── the census ──


@pytest.fixture(scope="module")
def searched():
    tape = read_tape(market())
    return tape, detect(tape, PATTERNS.values())


def test_of_every_pattern_and_session_the_outcomes_sum_to_its_candidates(searched):
    tape, detected = searched
    told: Counter[tuple[str, str, pd.Timestamp]] = Counter()
    for (symbol, session, outcome), count in counted(reject_census(tape, detected)).items():
        told[outcome.split(".")[0], symbol, session] += count
    there: Counter[tuple[str, str, pd.Timestamp]] = Counter()
    for one in detected:
        for row in one.judged.candidates.known.tolist():
            there[one.pattern.name, tape.symbols[tape.symbol_index[row]], pd.Timestamp(tape.day[row])] += 1
    assert told == there
    assert {name for name, *_ in told} == set(PATTERNS)


def test_what_keeps_every_rule_is_kept_merged_or_broken_before(searched):
    tape, detected = searched
    totals = Counter[str]()
    for (_, _, outcome), count in counted(reject_census(tape, detected)).items():
        totals[outcome] += count
    fates = Counter[str]()
    for one in detected:
        own = {fate: totals[f"{one.pattern.name}.{fate}"] for fate in FATES}
        assert sum(own.values()) == len(one.found)
        assert own["kept"] == len(set(one.changes.structure.tolist()))
        fates.update(own)
        for position, rule in enumerate(rules_of(one.pattern)):
            assert totals[f"{one.pattern.name}.{rule.name}"] == (one.judged.broken == position).sum()
    assert min(fates.values()) > 0
    assert sum(totals.values()) == sum(len(one.judged.candidates) for one in detected)


def test_a_row_counts_what_it_lists_and_lists_it_in_order(searched):
    census = reject_census(*searched)
    assert not census.duplicated(["symbol", "session_date"]).any()
    assert census["outcomes"].map(json.loads).map(len).tolist() == census["candidates"].tolist()
    assert (census["candidates"] > 0).all()
    for text in census["outcomes"]:
        assert json.loads(text) == sorted(json.loads(text))


def test_the_first_session_that_is_asked_for_changes_no_row_of_the_census(searched):
    tape, detected = searched
    census = reject_census(tape, detected)
    middle = census["session_date"].sort_values().iloc[len(census) // 2]
    asked = reject_census(tape, detected, middle.date())
    pd.testing.assert_frame_equal(asked, census[census["session_date"] >= middle].reset_index(drop=True))
    nothing = reject_census(tape, detected, (census["session_date"].max() + pd.Timedelta(days=1)).date())
    assert len(nothing) == 0
    assert nothing.dtypes.to_dict() == census.dtypes.to_dict()


def test_a_census_of_no_bar_and_of_no_pattern_is_empty():
    empty = read_tape(Bars.from_frame(market().frame.iloc[:0]))
    assert len(reject_census(empty, detect(empty, PATTERNS.values()))) == 0
    assert len(reject_census(read_tape(market()), [])) == 0


def test_the_census_of_a_drawn_double_top_by_hand():
    """Turning points: 8 ↑, 14 ↓, 34 ↑, 46 ↓, 58 ↑; five of them in a row are known one bar after the last."""
    tape, found = found_in(TOP.passes, PATTERNS["double_top"])
    told = counted(reject_census(tape, [found]))
    known = pd.Timestamp(tape.day[TOP.passes.row(59)])
    assert told["DRAWN", known, "double_top.kept"] == 1
    # The larger scales see the same turns later.
    later = {
        outcome: sum(n for (_, day, o), n in told.items() if o == outcome and day > known) for _, _, outcome in told
    }
    assert later["double_top.same_structure"] >= 1
    assert sum(told.values()) == len(found.judged.candidates)


# ── the candidate that came nearest ──


def assert_breaks_alone(near: Near | None, pattern: ChartPattern, rule: str) -> None:
    """It broke this rule and no other, and by how much is told from the bound it misses."""
    assert near is not None
    broken = near.first_broken
    assert broken is not None
    assert [asked.rule.name for asked in near.asked] == [one.name for one in rules_of(pattern)]
    assert [asked.rule.name for asked in near.asked if not asked.keeps] == [rule] == [broken.rule.name]
    assert (near.fate, near.structure) == ("", -1)
    if np.isnan(broken.value):
        assert broken.slack == -np.inf
    else:
        is_short = broken.value < broken.rule.least
        assert broken.slack == (broken.value - broken.rule.least if is_short else broken.rule.most - broken.value) < 0


@pytest.mark.parametrize(("pattern", "rule", "drawing"), breaking())
def test_a_candidate_that_was_drawn_to_break_one_rule_is_told_with_that_rule(pattern, rule, drawing):
    tape, found = found_in(drawing, pattern)
    everything, slacks = all_slacks(pattern, tape)
    chosen = ~(slacks[rule] >= 0) & np.all([slacks[name] >= 0 for name in slacks if name != rule], axis=0)
    alone = set(_names(everything.take(chosen)))
    assert alone
    candidates = found.judged.candidates
    chosen = np.array([one in alone for one in _names(candidates)])
    judged = replace(found.judged, candidates=candidates.take(chosen), broken=found.judged.broken[chosen])
    near = nearest(tape, replace(found, judged=judged), recent_bars=len(tape))
    assert_breaks_alone(near, pattern, rule)
    assert near is not None
    assert (near.known_row, near.rows) in {(known, tuple(row for row in rows if row >= 0)) for known, _, rows in alone}


def _names(found: Candidates) -> list[tuple[int, float, tuple[int, ...]]]:
    """What tells one candidate from another: when it was known, the zigzag it comes from, its points."""
    return [
        (known, scale, tuple(rows))
        for known, scale, rows in zip(found.known.tolist(), found.scale.tolist(), found.rows.tolist(), strict=True)
    ]


@pytest.mark.parametrize(("pattern", "rule", "drawing"), breaking())
def test_of_all_candidates_one_that_keeps_as_many_rules_as_any_is_told(pattern, rule, drawing):
    tape, found = found_in(drawing, pattern)
    near = nearest(tape, found, recent_bars=len(tape))
    assert near is not None
    names = [one.name for one in rules_of(pattern)]
    kept = len(names) if near.first_broken is None else names.index(near.first_broken.rule.name)
    assert kept == found.judged.broken.max() >= names.index(rule)


@pytest.mark.parametrize("rule", TOP.breaks)
@pytest.mark.parametrize("name", ["double_top", "double_bottom"])
def test_of_a_double_top_drawn_to_break_one_rule_that_rule_is_named_and_by_how_much(name, rule):
    drawing = TOP.breaks[rule] if name == "double_top" else TOP.breaks[rule].flipped()
    pattern = PATTERNS[name]
    tape, found = found_in(drawing, pattern)
    assert_breaks_alone(nearest(tape, found, recent_bars=len(tape)), pattern, rule)


def test_a_rule_tells_how_far_it_is_from_its_bounds():
    tape, found = found_in(TOP.passes, PATTERNS["double_top"])
    near = nearest(tape, found)
    assert near is not None
    assert near.first_broken is None
    for asked in near.asked:
        assert asked.keeps
        assert asked.slack == min(asked.value - asked.rule.least, asked.rule.most - asked.value) >= 0


def test_a_valley_misses_by_what_it_is_too_shallow():
    drawing = TOP.breaks["valley_deep"]  # tops at 22 %, the valley at 14 %: 8 % where 10 % are asked
    tape, found = found_in(drawing, PATTERNS["double_top"])
    near = nearest(tape, found, recent_bars=len(tape))
    assert near is not None
    assert near.first_broken is not None
    assert near.first_broken.value == pytest.approx(0.8, rel=1e-12)
    assert near.first_broken.slack == pytest.approx(-0.2, rel=1e-12)


def test_its_points_are_told_in_the_shares_of_the_last_session():
    tape, found = found_in(TOP.passes, PATTERNS["double_top"])
    near = nearest(tape, found)
    assert near is not None
    assert near.rows == tuple(TOP.passes.row(bar) for bar, _ in TOP.passes.points[:5])
    expected = 10 * np.exp([price for _, price in TOP.passes.points[:5]])
    np.testing.assert_allclose(near.prices_try, expected, atol=1e-6)
    split = replace(tape, basis=np.where(np.arange(len(tape)) < len(tape) - 3, 1.0, 0.5))
    halved = nearest(split, detect(split, [found.pattern])[0])
    assert halved is not None
    assert halved.rows == near.rows
    np.testing.assert_allclose(halved.prices_try, expected / 2, atol=1e-6)


@pytest.mark.parametrize(("pattern", "drawing"), passing())
def test_of_a_passing_drawing_the_fate_is_told_and_no_rule(pattern, drawing):
    tape, found = found_in(drawing, pattern)
    near = nearest(tape, found, recent_bars=len(tape))
    assert near is not None
    assert near.first_broken is None
    assert near.fate == FATES[found.fates[near.structure]]
    rows = found.found.rows[near.structure]
    assert near.rows == tuple(rows[rows >= 0].tolist())
    assert near.known_row == found.found.known[near.structure]
    kept = np.flatnonzero(found.fates == FATES.index("kept"))
    assert set(found.changes.structure.tolist()) == set(kept.tolist())


def test_upside_down_the_nearest_is_the_same():
    tape, found = found_in(TOP.passes, PATTERNS["double_top"])
    turned, other = found_in(TOP.passes.flipped(), PATTERNS["double_bottom"])
    near, mirrored = nearest(tape, found), nearest(turned, other)
    assert near is not None
    assert mirrored is not None
    assert (mirrored.rows, mirrored.known_row, mirrored.fate) == (near.rows, near.known_row, near.fate)
    np.testing.assert_allclose(np.multiply(mirrored.prices_try, near.prices_try), 100.0)


def test_without_a_recent_candidate_there_is_nothing_to_tell():
    for pattern in (PATTERNS["double_top"], PATTERNS["head_and_shoulders"]):
        assert nearest(*found_in(QUIET, pattern)) is None
    tape, found = found_in(TOP.passes, PATTERNS["double_top"])
    since_newest = len(tape) - int(found.judged.candidates.known.max())
    assert nearest(tape, found, recent_bars=since_newest) is not None
    assert nearest(tape, found, recent_bars=since_newest - 1) is None


def test_a_month_is_recent():
    tape, found = found_in(TOP.passes, PATTERNS["double_top"])
    assert len(tape) - int(found.judged.candidates.known.max()) <= RECENT_BARS
    near = nearest(tape, found)
    assert near is not None
    assert near.known_row >= len(tape) - RECENT_BARS
