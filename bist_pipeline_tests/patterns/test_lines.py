"""Lines through turning points and over bars, and the lowest bars between: the compiled loops against slow ones."""

import numpy as np
import pytest

from bist_pipeline.patterns.chart.flags import BULL_FLAG
from bist_pipeline.patterns.chart.high_tight_flag import HIGH_TIGHT_FLAG
from bist_pipeline.patterns.structures import lines
from bist_pipeline.patterns.structures._line_kernels import lines_over_bars, lowest_rows
from bist_pipeline.patterns.structures.view import look_at
from bist_pipeline_tests.patterns.drawing import Drawing, fixtures

DRAWN = Drawing(((12, 0.12), (20, 0.04), (29, 0.13), (35, 0.065), (41, 0.11), (45, 0.09), (52, 0.17)))


@pytest.fixture(scope="module")
def view():
    return look_at(DRAWN.tape())


def test_lines_are_those_of_least_squares_through_peaks_and_through_troughs(view):
    runs = lines.runs_between_lines(0.25)(view)
    assert len(runs)
    for i in range(len(runs)):
        size = (runs.rows[i] >= 0).sum()
        bars, prices = runs.rows[i, :size] - runs.last_row[i], runs.prices[i, :size]
        peaks = 0 if runs.own["first_kind"][i] > 0 else 1
        for side, begin in enumerate((peaks, 1 - peaks)):
            slope, value = np.polyfit(bars[begin::2], prices[begin::2], 1)
            assert runs.own["slopes"][i, side] == pytest.approx(slope, abs=1e-12)
            assert runs.own["values"][i, side] == pytest.approx(value, abs=1e-12)


def test_the_mirror_image_has_the_mirrored_lines_to_the_last_bit(view):
    upright, upside_down = lines.runs_between_lines(0.25)(view), lines.runs_between_lines(0.25)(view.mirrored())
    np.testing.assert_array_equal(upside_down.own["values"], -upright.own["values"][:, ::-1])
    np.testing.assert_array_equal(upside_down.own["slopes"], -upright.own["slopes"][:, ::-1])
    np.testing.assert_array_equal(upside_down.own["touches"], upright.own["touches"])


def test_lines_that_part_never_meet_and_lines_that_close_in_meet_where_they_are_level(view):
    runs = lines.runs_between_lines(0.25)(view)
    ahead = lines.bars_to_apex(runs)
    closing = runs.own["slopes"][:, 1] - runs.own["slopes"][:, 0]
    meet = (closing > 0) & (ahead > 0)
    assert meet.any()
    assert np.isinf(ahead[(closing <= 0) & (lines.width_at_start(runs) > 0)]).all()
    np.testing.assert_allclose(lines.width_at_start(runs)[meet] - closing[meet] * ahead[meet], 0.0, atol=1e-12)


def test_no_high_lies_above_the_line_over_bars_and_one_lies_on_it():
    high = np.array([0.10, 0.13, 0.09, 0.11, 0.08, 0.085, 0.07])
    value, slope, distance = lines_over_bars(high, np.array([1]), np.array([6]))
    below = value[0] + slope[0] * np.arange(-5, 1) - high[1:]
    assert slope[0] == pytest.approx(np.polyfit(np.arange(6), high[1:], 1)[0])
    assert below.min() == pytest.approx(0.0, abs=1e-15)
    assert distance[0] == pytest.approx(below.mean())


def test_the_lowest_row_of_a_span_is_that_of_its_lowest_usable_bar():
    rng = np.random.default_rng(2)
    low, usable = np.round(rng.normal(size=300), 1), rng.random(300) < 0.3
    first = rng.integers(0, 290, 200)
    last = first + rng.integers(0, 10, 200)
    found = lowest_rows(low, usable, first, last)
    assert (found < 0).any()
    for begin, end, row in zip(first.tolist(), last.tolist(), found.tolist(), strict=True):
        rows = [t for t in range(begin, end + 1) if usable[t]]
        assert row == min(rows, key=lambda t: (low[t], t), default=-1)


@pytest.mark.parametrize(
    ("pattern", "bar", "price", "rule", "given_back"),
    [
        (BULL_FLAG, 15, 0.08, "retrace", (0.14 - 0.08) / 0.17),
        (HIGH_TIGHT_FLAG, 56, 0.50, "pullback", 1 - np.exp(0.50 - 0.70)),
    ],
    ids=["bull_flag", "high_tight_flag"],
)
def test_a_bar_of_one_price_makes_no_point_of_a_flag_but_what_it_gave_back_counts(
    pattern, bar, price, rule, given_back
):
    drawing = fixtures()[pattern.name].passes
    locked = drawing.moved(shapes={**drawing.shapes, bar: (price,) * 4})
    found = pattern.candidates(look_at(locked.tape()))
    rested = found.take(
        (found.row(1) < locked.row(bar)) & (found.known > locked.row(bar)) & (found.row(0) < locked.row(bar))
    )
    (measure,) = [one.measure for one in pattern.rules if one.name == rule]
    assert len(rested)
    assert (rested.rows != locked.row(bar)).all()
    assert measure(rested) == pytest.approx(given_back, abs=1e-9)
