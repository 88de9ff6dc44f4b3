import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bist_pipeline.signals.candles import candle_sums
from bist_pipeline_tests.signals.rows import make_events


def sums(*events):
    frame = make_events(*events)
    rows = np.array([event[0] for event in events], dtype=np.int64)
    return tuple(array.tolist() for array in candle_sums(frame, rows, 2))


@pytest.mark.parametrize(("fits", "weight"), [(True, 1.0), (None, 0.5), (False, 0.25)])
def test_an_event_counts_by_how_it_fits_the_trend_before(fits, weight):
    assert sums((1, 100, "bullish", fits)) == ([0.0, weight], [0.0, 0.0])
    assert sums((1, -100, "bearish", fits)) == ([0.0, 0.0], [0.0, weight])


@pytest.mark.parametrize("strength", [80, -80, 200, -200])
def test_strength_counts_without_its_sign(strength):
    assert sums((0, strength, "bearish", True)) == ([0.0, 0.0], [abs(strength) / 100, 0.0])


def test_neutral_events_and_events_without_a_row_count_nothing():
    assert sums((0, 100, "neutral", None), (-1, 100, "bullish", True)) == ([0.0, 0.0], [0.0, 0.0])


def test_no_events_give_zeros():
    assert sums() == ([0.0, 0.0], [0.0, 0.0])


event = st.tuples(
    st.integers(0, 1),
    st.sampled_from([80, 100, 200, -80, -100, -200]),
    st.sampled_from(["bullish", "bearish", "neutral"]),
    st.sampled_from([True, False, None]),
)


@given(st.lists(event, min_size=1, max_size=12).flatmap(lambda e: st.tuples(st.just(e), st.permutations(e))))
def test_the_order_of_events_changes_no_bit(pair):
    assert sums(*pair[0]) == sums(*pair[1])
