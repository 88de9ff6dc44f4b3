"""The contract that every registered term keeps. A new term is tested by being registered."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bist_pipeline.signals.contract import CANDLE_INPUTS, CLOSE_INPUT, Term
from bist_pipeline.signals.registry import registered_terms
from bist_pipeline_tests.signals.rows import CHANNELS, LINES, LIRA, make_inputs, mirrored

TERMS = list(registered_terms().values())
INPUTS = make_inputs(2000)
each_term = pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)


def compute(term: Term, inputs: dict[str, np.ndarray]) -> np.ndarray:
    return term.compute(*(inputs[name] for name in term.inputs))


@each_term
def test_values_are_float64_between_minus_one_and_one(term):
    values = compute(term, INPUTS)
    assert values.dtype == np.float64
    assert values.shape == (2000,)
    assert (np.abs(values) <= 1).all()


@each_term
def test_a_term_speaks_for_both_sides(term):
    values = compute(term, INPUTS)
    assert values.min() < -0.4
    assert values.max() > 0.4


@each_term
def test_unknown_input_makes_exactly_its_row_unknown(term):
    for position, name in enumerate(term.inputs):
        broken = INPUTS[name].copy()
        broken[position::7] = np.nan
        values = compute(term, INPUTS | {name: broken})
        np.testing.assert_array_equal(np.isnan(values), np.isnan(broken))


@each_term
def test_no_rows_give_no_values(term):
    assert compute(term, {name: array[:0] for name, array in INPUTS.items()}).shape == (0,)


@each_term
def test_a_price_that_never_moved_says_nothing(term):
    flat = {name: np.full(3, 12.5) for name in (CLOSE_INPUT, *LINES)}
    flat |= {name: np.full(3, 12.5) for pair in CHANNELS for name in pair}
    flat |= {name: np.full(3, 50.0) for name in ("rsi_14", "mfi_14", "stoch_k_14_3_3")}
    zero = ("atr_14", "macd_hist_12_26_9", "plus_di_14", "minus_di_14", "adx_14", "cmf_20", "roc_10")
    flat |= {name: np.zeros(3) for name in (*zero, "high_252_distance", "low_252_distance", *CANDLE_INPUTS)}
    np.testing.assert_array_equal(compute(term, flat), np.zeros(3))


@each_term
@pytest.mark.parametrize("factor", [4.0, 1 / 1024])
def test_scaling_prices_by_a_power_of_two_changes_no_bit(term, factor):
    scaled = INPUTS | {name: INPUTS[name] * factor for name in LIRA}
    np.testing.assert_array_equal(compute(term, scaled), compute(term, INPUTS))


@each_term
@pytest.mark.parametrize("factor", [100.0, 0.01])
def test_scaling_prices_by_a_hundred_changes_nothing_that_matters(term, factor):
    scaled = INPUTS | {name: INPUTS[name] * factor for name in LIRA}
    np.testing.assert_allclose(compute(term, scaled), compute(term, INPUTS), rtol=0, atol=1e-12)


@each_term
def test_exchanging_rises_and_falls_turns_the_sign(term):
    inputs = INPUTS | {"roc_10": np.clip(INPUTS["roc_10"], -40, 150)}  # below −50 % the reflected price is negative
    np.testing.assert_allclose(compute(term, mirrored(inputs)), -compute(term, inputs), rtol=0, atol=1e-9)


@each_term
@given(step=st.floats(1e-6, 0.4), seed=st.integers(0, 2**16))
def test_claimed_directions_hold(term, step, seed):
    inputs = make_inputs(64, seed)
    before = compute(term, inputs)
    for name in (*term.rises_with, *term.falls_with):
        moved = inputs[name] + step * (1 + np.abs(inputs[name]))
        moved = np.minimum(moved, np.maximum(inputs[name], 0.0)) if name == "high_252_distance" else moved
        change = compute(term, inputs | {name: moved}) - before
        assert (change * (1 if name in term.rises_with else -1) >= -1e-12).all()


@each_term
def test_a_row_has_the_same_bits_alone_as_among_others(term):
    whole = compute(term, INPUTS)
    for rows in (slice(0, 1), slice(3, 10), slice(1, 2000, 3), slice(None, None, -1)):
        part = compute(term, {name: array[rows] for name, array in INPUTS.items()})
        assert part.tobytes() == whole[rows].tobytes()


@each_term
def test_inputs_are_left_as_they_were(term):
    copies = {name: array.copy() for name, array in INPUTS.items()}
    compute(term, copies)
    for name, array in copies.items():
        np.testing.assert_array_equal(array, INPUTS[name])


@each_term
def test_a_term_says_what_it_is(term):
    assert term.name.isidentifier()
    assert term.name == term.name.lower()
    assert term.description.endswith(".")
    assert term.source
    assert term.version >= 1
