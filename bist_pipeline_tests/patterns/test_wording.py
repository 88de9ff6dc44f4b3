"""What rules measure, told of the mirror image: every word that names a side is swapped, and nothing else."""

import re

import pytest

from bist_pipeline.patterns.registry import registered_charts
from bist_pipeline.patterns.structures.wording import names_a_side, upside_down

PATTERNS = registered_charts()
FLIPPED = [name for name, pattern in PATTERNS.items() if pattern.flipped]
# A ratio is no side: "bars of one over bars of the other" would be told as "under".
RATIO = re.compile(r"\b(bars|volume|share|length|width|slope)\b[^,;:]* over (bars|mean|all|the least|the width)\b")


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("head over the higher shoulder", "head under the lower shoulder"),
        ("Highest high above the upper line", "Lowest low below the lower line"),
        ("how far the peak rose from top to top", "how far the trough fell from bottom to bottom"),
        ("parabola opening upward, in an upside rally", "parabola opening downward, in an downside rally"),
        ("follows the overall flow; cover, overnight and highway stay", "follows the overall flow; cover, overnight "
         "and highway stay"),
    ],
)  # fmt: skip
def test_words_that_name_a_side_are_swapped_as_whole_words(text, other):
    assert upside_down(text) == other
    assert upside_down(other) == text


@pytest.mark.parametrize("name", PATTERNS)
def test_told_upside_down_twice_a_description_is_itself(name):
    for rule in PATTERNS[name].rules:
        assert upside_down(upside_down(rule.description)) == rule.description


@pytest.mark.parametrize("name", FLIPPED)
def test_a_mirror_image_measures_the_same_of_the_other_side(name):
    own, other = PATTERNS[name].rules, PATTERNS[PATTERNS[name].mirror].rules
    assert [rule.name for rule in own] == [rule.name for rule in other]
    for ours, theirs in zip(own, other, strict=True):
        assert (ours.least, ours.most, ours.unit) == (theirs.least, theirs.most, theirs.unit)
        assert (ours.description != theirs.description) == names_a_side(theirs.description)


@pytest.mark.parametrize("name", FLIPPED)
def test_a_ratio_is_not_told_with_a_word_that_names_a_side(name):
    for rule in PATTERNS[PATTERNS[name].mirror].rules:
        assert not RATIO.search(rule.description), rule.description


def test_an_inverse_head_and_shoulders_has_its_head_under_its_shoulders():
    told = {rule.name: rule.description for rule in PATTERNS["inverse_head_and_shoulders"].rules}
    assert told["head_above_shoulders"] == "head under the lower shoulder"
    assert told["rise_before"].startswith("how far the trough and the peak before lie above the left shoulder")
