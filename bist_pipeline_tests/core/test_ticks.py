"""The price grid: the exchange's tables by hand, and what snapping keeps and corrects."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bist_pipeline.core.ticks import ON_GRID, snap, tick_size

OLD, NEW = date(2023, 11, 3), date(2023, 11, 6)

# As the exchange announced them: first and last price of each band, and its tick.
OLD_TABLE = [("0.01", "19.99", "0.01"), ("20", "49.98", "0.02"), ("50", "99.95", "0.05"), ("100", "5000", "0.10")]
NEW_TABLE = [
    *OLD_TABLE[:3],
    *[("100", "249.90", "0.10"), ("250", "499.75", "0.25"), ("500", "999.50", "0.50"), ("1000", "2499", "1")],
    ("2500", "50000", "2.50"),
]
BANDS = [(OLD, *band) for band in OLD_TABLE] + [(NEW, *band) for band in NEW_TABLE]


@pytest.mark.parametrize(("day", "first", "last", "tick"), BANDS)
def test_each_band_has_its_tick_from_its_first_price_to_its_last(day, first, last, tick):
    assert tick_size([float(first), float(last)], day).tolist() == [float(tick)] * 2


def test_the_table_changed_between_two_sessions():
    assert tick_size(300.0, [OLD, NEW]).tolist() == [0.10, 0.25]
    assert tick_size(300.0, np.datetime64("2010-01-04")) == 0.10


@st.composite
def traded_prices(draw):
    """A price of the grid as a decimal, and a session of its table."""
    day, first, last, tick = draw(st.sampled_from(BANDS))
    steps = draw(st.integers(0, int((Decimal(last) - Decimal(first)) / Decimal(tick))))
    return Decimal(first) + steps * Decimal(tick), day


@given(traded_prices())
def test_a_traded_price_is_left_as_it_is_to_the_bit(traded):
    price, day = traded
    snapped, residual = snap(float(price), day)
    assert snapped.item().hex() == float(price).hex()
    assert residual == 0.0


@given(traded_prices())
def test_single_precision_is_taken_off_a_traded_price(traded):
    price, day = traded
    snapped, residual = snap(np.float64(np.float32(float(price))), day)
    assert snapped.item().hex() == float(price).hex()
    assert residual <= ON_GRID


def test_a_recorded_price_in_single_precision_is_the_decimal_that_was_traded():
    assert snap([12.9399995803833, 29.040000915527344, 53.650001525878906], NEW)[0].tolist() == [12.94, 29.04, 53.65]


@pytest.mark.parametrize(
    ("price", "residual"), [(12.345, 0.5), (21.01, 0.5), (251.10, 0.4), (129.04, 0.4), (9.998, 0.2)]
)
def test_a_price_between_two_ticks_says_how_far_off_it_is(price, residual):
    assert snap(price, NEW)[1].item() == pytest.approx(residual, abs=1e-9)


def test_a_price_just_below_the_border_of_a_band_snaps_to_the_border():
    below = np.nextafter([20.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0], 0.0)
    snapped, residual = snap(below, NEW)
    assert snapped.tolist() == [20.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0]
    assert (residual < ON_GRID).all()


def test_nothing_snaps_to_zero_and_no_number_that_is_none_gets_a_tick():
    assert snap(0.00001, NEW)[0] == 0.01
    assert snap(0.00001, NEW)[1] > ON_GRID
    for array in (*snap([np.nan, np.inf, -np.inf], NEW), tick_size([np.nan, np.inf, -np.inf], NEW)):
        assert np.isnan(array).all()
