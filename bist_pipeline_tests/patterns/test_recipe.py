"""The README's recipe for a chart pattern holds as it is written."""

import re
from pathlib import Path

import pytest

from bist_pipeline.patterns.structures.contract import ChartPattern
from bist_pipeline.patterns.structures.engine import detect
from bist_pipeline.patterns.structures.life import STATES

README = Path(__file__).parents[2] / "README.md"


def written(path: str) -> dict:
    """Run the code block that follows the mention of a file."""
    text = README.read_text(encoding="utf-8")
    found = re.search(re.escape(f"`{path}`:") + r"\n+```python\n(.*?)```", text, re.DOTALL)
    assert found, f"README has no code for {path}"
    names: dict = {}
    exec(compile(found[1], path, "exec"), names)
    return names


def test_its_pattern_is_found_in_its_drawing_with_the_ends_that_it_names():
    names = written("bist_pipeline/patterns/chart/rising_troughs.py")
    upright = next(one for one in names.values() if isinstance(one, ChartPattern) and not one.flipped)
    mirror = next(one for one in names.values() if isinstance(one, ChartPattern) and one.flipped)
    (fixture,) = written("bist_pipeline_tests/patterns/drawn/rising_troughs.py")["DRAWINGS"]
    assert fixture.pattern == upright.name == mirror.mirror
    assert set(fixture.breaks) == {rule.name for rule in upright.rules}
    for pattern, drawing in ((upright, fixture.passes), (mirror, fixture.passes.flipped())):
        (found,) = detect(drawing.tape(), [pattern])
        at = found.changes.state == STATES.index("confirmed")
        assert at.sum() == 1
        apart = found.changes.target[at][0] - found.changes.stop[at][0]
        assert apart == pytest.approx(fixture.ends[0] - fixture.ends[1], abs=1e-9)
