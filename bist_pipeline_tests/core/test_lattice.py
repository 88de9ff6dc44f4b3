"""Factors read off the grid: found exactly, or not at all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bist_pipeline.core.lattice import find_factors, on_grid
from bist_pipeline.core.ticks import snap

NEW, OLD = "2024-05-02", "2022-05-02"


def simulated(seed, factor, level, day=NEW, bars=12, width=0.06):
    """SIMULATED prices on the grid, times a factor, as single precision keeps them."""
    random = np.random.default_rng(seed)
    traded, _ = snap(level * np.exp(random.uniform(-width, width, 4 * bars)), day)
    return (traded * factor).astype(np.float32).astype(np.float64), np.full(4 * bars, np.datetime64(day))


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    factor=st.floats(0.05, 1.0),
    level=st.floats(2.0, 900.0),
    day=st.sampled_from([NEW, OLD]),
)
def test_a_factor_is_found_to_a_millionth_among_those_that_fit(seed, factor, level, day):
    prices, days = simulated(seed, factor, level, day)
    found = find_factors(prices, days, snap)
    if found.prices < 8:
        assert found.factors == ()
        return
    # A price of few ticks is known less well: single precision leaves 6e-8, the grid 1e-6 at 500 ticks.
    assert min(abs(other / factor - 1) for other in found.factors) < 1e-6
    assert list(found.factors) == sorted(found.factors, reverse=True)
    for other in found.factors:
        assert on_grid(*np.unique(prices, return_index=True)[:1], days[:1], other, snap).mean() >= 0.97


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), factor=st.floats(0.1, 1.0))
def test_every_other_factor_that_fits_is_a_simple_multiple(seed, factor):
    prices, days = simulated(seed, factor, 35.0)
    for other in find_factors(prices, days, snap).factors:
        times = factor / other * 10  # 35 lira have a tick of 0.02: the finest grids are a tenth of it
        assert abs(times - round(times)) < 1e-4 * times


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**6), level=st.floats(5.0, 500.0))
def test_numbers_off_every_grid_have_no_factor(seed, level):
    random = np.random.default_rng(seed)
    prices = level * np.exp(random.uniform(-0.06, 0.06, 48))
    assert find_factors(prices, np.full(48, np.datetime64(NEW)), snap).factors == ()


def test_prices_across_a_change_of_factor_have_none():
    before, days = simulated(1, 0.8, 40.0)
    after, _ = simulated(2, 0.77, 40.0)
    assert find_factors(np.append(before, after), np.append(days, days), snap).factors == ()


def test_one_stray_price_hides_no_factor_and_several_do():
    prices, days = simulated(3, 0.7, 40.0)
    assert find_factors(np.append(prices, 28.0137), np.append(days, days[:1]), snap).factors
    stray = 28.0 + np.array([0.0037, 0.0113, 0.0219, 0.0371])
    assert find_factors(np.append(prices, stray), np.append(days, days[:4]), snap).factors == ()


def test_a_handful_of_prices_and_those_that_are_none_say_nothing():
    few = [10.0, 10.01, 10.02, np.nan, -1.0, 0.0, np.inf, 10.03]
    assert find_factors(few, np.full(8, np.datetime64(NEW)), snap).factors == ()
    assert find_factors([], [], snap).prices == 0


# SKBNK, open, high, low and close of 2024-06-04 to 06-12, which Yahoo alone had adjusted for the rights issue of 06-13.
SKBNK = """4.090238 4.106031 4.003381 4.027069 4.034965 4.050758 3.853353 3.853353 3.877041 3.916522 3.837559 3.845455
3.861249 3.861249 3.703325 3.711221 3.687531 3.687531 3.537503 3.553296 3.553296 3.624362 3.553296 3.584881 3.569089
3.624362 3.521711 3.545400"""


def test_the_factor_of_recorded_prices_is_found():
    prices = np.array(SKBNK.split(), dtype=float)
    factors = find_factors(prices, np.full(len(prices), np.datetime64("2024-06-05")), snap).factors
    assert factors[0] == pytest.approx(0.789621, abs=2e-6)
