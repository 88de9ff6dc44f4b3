"""Drawn series: for every chart pattern one that passes, and for each of its rules one that breaks only that rule.

Belongs here: what must hold of every drawing. The drawings stand in `drawn/`, one module a family; a pattern or a rule
without one fails here.
"""

from collections.abc import Iterator

import numpy as np
import pytest

from bist_pipeline.patterns.registry import registered_charts
from bist_pipeline.patterns.structures.contract import ChartPattern
from bist_pipeline.patterns.structures.engine import Detected, detect
from bist_pipeline.patterns.structures.judging import MEASURABLE
from bist_pipeline.patterns.structures.life import FATES, STATES
from bist_pipeline_tests.patterns.drawing import Drawing, Fixture, all_slacks, fixtures

PATTERNS = registered_charts()

# By pattern and rule: why no drawing can break the rule alone.
UNDRAWN: dict[tuple[str, str], str] = {}


def sides() -> Iterator[tuple[ChartPattern, Fixture, bool]]:
    """Every pattern with its drawings, and whether they must be turned upside down for it.

    A pattern that is its own mirror image is looked for in both.
    """
    for pattern in PATTERNS.values():
        if pattern.name in fixtures():
            yield pattern, fixtures()[pattern.name], False
        if pattern.mirror in fixtures() and not (pattern.mirror != pattern.name and pattern.name in fixtures()):
            yield pattern, fixtures()[pattern.mirror], True


def passing() -> list:
    return [
        pytest.param(pattern, _turned(fixture.passes, is_flipped), id=f"{pattern.name}{'-flipped' * is_flipped}")
        for pattern, fixture, is_flipped in sides()
    ]


def ending() -> list:
    return [
        pytest.param(pattern, fixture, is_flipped, id=f"{pattern.name}{'-flipped' * is_flipped}")
        for pattern, fixture, is_flipped in sides()
    ]


def breaking() -> list:
    return [
        pytest.param(pattern, rule, _turned(drawing, is_flipped), id=f"{pattern.name}-{rule}{'-flipped' * is_flipped}")
        for pattern, fixture, is_flipped in sides()
        if not (is_flipped and pattern.mirror == pattern.name)
        for rule, drawing in fixture.breaks.items()
    ]


def _turned(drawing: Drawing, is_flipped: bool) -> Drawing:
    return drawing.flipped() if is_flipped else drawing


def _points(pattern: ChartPattern, drawing: Drawing) -> set[tuple[int, ...]]:
    """The points of everything that is kept."""
    (found,) = detect(drawing.tape(), [pattern])
    return {tuple(rows) for rows in found.found.rows[_kept(found)].tolist()}


def _kept(found: Detected) -> np.ndarray:
    return np.flatnonzero(found.fates == FATES.index("kept"))


@pytest.mark.parametrize(("pattern", "drawing"), passing())
def test_the_passing_drawing_is_found_and_its_last_leg_confirms_it(pattern, drawing):
    (found,) = detect(drawing.tape(), [pattern])
    assert len(_kept(found)) >= 1
    assert (found.changes.state == STATES.index("confirmed")).any()


@pytest.mark.parametrize(("pattern", "fixture", "is_flipped"), ending())
def test_target_and_stop_are_what_the_points_make_them(pattern, fixture, is_flipped):
    drawing = _turned(fixture.passes, is_flipped)
    tape = drawing.tape()
    (found,) = detect(tape, [pattern])
    (at,) = np.flatnonzero(found.changes.state == STATES.index("confirmed"))
    upright = -1 if pattern.flipped else 1
    # From the tape's unit to the drawing's, which starts at 10 lira.
    ends = [
        upright * float(log[at]) + np.log(tape.unit_try[0] / 10.0) for log in (found.changes.target, found.changes.stop)
    ]
    wanted = [-end if is_flipped else end for end in fixture.ends]
    assert ends == pytest.approx(wanted, abs=2e-6)


@pytest.mark.parametrize(("pattern", "rule", "drawing"), breaking())
def test_the_breaking_drawing_breaks_that_rule_alone_and_is_not_found(pattern, rule, drawing):
    alone = breaking_one(pattern, drawing)
    refused = {points for points, broken in alone if broken == rule}
    assert refused, sorted(alone)
    assert not refused & _points(pattern, drawing)


@pytest.mark.parametrize(
    ("pattern", "rule", "drawing"),
    [
        pytest.param(PATTERNS[name], rule, drawing, id=f"{name}-{rule}")
        for name, fixture in fixtures().items()
        if PATTERNS[name].mirror == name
        for rule, drawing in fixture.breaks.items()
    ],
)
def test_upside_down_its_own_mirror_image_is_refused_by_one_rule_as_well(pattern, rule, drawing):
    """By the same one or by its counterpart: the rule of the upper line is that of the lower one upside down."""
    refused = {points for points, broken in breaking_one(pattern, drawing) if broken == rule}
    assert refused <= {points for points, _ in breaking_one(pattern, drawing.flipped())}
    assert not refused & _points(pattern, drawing.flipped())


def breaking_one(pattern: ChartPattern, drawing: Drawing) -> set[tuple[tuple[int, ...], str]]:
    """Candidates that break exactly one rule: the rows of their points, and the rule."""
    found, slacks = all_slacks(pattern, drawing.tape())
    names = list(slacks)
    broken = ~(np.array([slacks[name] for name in names]) >= 0)
    return {
        (tuple(found.rows[i].tolist()), names[int(broken[:, i].argmax())]) for i in np.flatnonzero(broken.sum(0) == 1)
    }


@pytest.mark.parametrize("name", PATTERNS)
def test_every_rule_of_a_pattern_has_a_drawing(name):
    pattern = PATTERNS[name]
    fixture = fixtures().get(name) or fixtures().get(pattern.mirror)
    assert fixture is not None, f"{name}: there is no drawing of it"
    undrawn = {rule for owner, rule in UNDRAWN if owner in {name, pattern.mirror}}
    assert {rule.name for rule in pattern.rules} == {*fixture.breaks} | undrawn
    assert MEASURABLE.name not in fixture.breaks


def test_every_drawing_belongs_to_a_pattern():
    assert fixtures().keys() <= PATTERNS.keys()


def test_every_reason_for_a_missing_drawing_is_still_needed():
    for owner, rule in UNDRAWN:
        assert rule in {one.name for one in PATTERNS[owner].rules}
        assert rule not in fixtures()[owner].breaks
