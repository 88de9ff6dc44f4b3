"""Volume that is asked of the bar that confirms: in deviations or as a multiple, never both."""

from dataclasses import replace

import numpy as np
import pytest

from bist_pipeline.core.errors import RegistryError
from bist_pipeline.patterns.registry import registered_charts
from bist_pipeline.patterns.structures.engine import detect
from bist_pipeline.patterns.structures.life import STATES
from bist_pipeline_tests.patterns.drawing import Drawing, fixtures

VCP = registered_charts()["volatility_contraction"]
DRAWN = fixtures()["volatility_contraction"].passes
AT = 110  # the first bar of the drawing that closes above the last contraction's high


def confirmed(drawing: Drawing) -> list[int]:
    """Bars of the drawing that confirmed it."""
    (found,) = detect(drawing.tape(), [VCP])
    rows = found.changes.row[found.changes.state == STATES.index("confirmed")]
    return (rows - drawing.row(0)).tolist()


def on(volumes: dict[int, float]) -> Drawing:
    return replace(DRAWN, volumes=volumes)


def test_a_contraction_left_on_one_and_a_half_times_the_volume_of_fifty_sessions_is_confirmed():
    assert confirmed(on({AT: 1.6})) == [AT]


def test_left_on_less_it_waits_for_a_close_that_has_the_volume():
    assert confirmed(on({AT: 1.4})) == []
    assert confirmed(on({AT: 1.4, AT + 2: 1.6})) == [AT + 2]


def test_volume_before_the_break_confirms_nothing_and_raises_what_is_asked():
    assert confirmed(on({AT - 1: 5.0})) == []
    assert confirmed(on(dict.fromkeys(range(AT - 10, AT), 2.0) | {AT: 1.6})) == []


def test_the_ratio_is_that_of_the_fifty_sessions_before_and_not_known_before_them():
    tape = DRAWN.tape()
    assert np.isnan(tape.volume_ratio[:50]).all()
    expected = [tape.volume[t] / tape.volume[t - 50 : t].mean() for t in range(50, len(tape))]
    np.testing.assert_allclose(tape.volume_ratio[50:], expected, rtol=1e-12)


def test_without_any_volume_before_no_ratio_is_known():
    tape = replace(DRAWN.tape(), volume=np.zeros(len(DRAWN.tape())))
    assert np.isnan(tape.volume_ratio).all()


def test_both_at_once_are_refused():
    with pytest.raises(RegistryError, match="volatility_contraction: it asks the volume of its break twice"):
        replace(VCP, life=replace(VCP.life, volume_z=1.0))
