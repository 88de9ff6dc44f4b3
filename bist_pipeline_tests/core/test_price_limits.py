"""The daily price limit and the day on which it changed."""

from datetime import date

import numpy as np
import pytest

from bist_pipeline.core.price_limits import PRICE_LIMITS, limit_on


@pytest.mark.parametrize(
    ("day", "limit"),
    [("1980-01-01", 0.2), ("2020-03-12", 0.2), ("2020-03-13", 0.1), ("2020-03-13T18:00", 0.1), ("2026-11-20", 0.1)],
)
def test_the_limit_changed_on_one_day(day, limit):
    assert limit_on(np.datetime64(day, "us")) == limit


def test_limits_come_in_the_shape_of_the_sessions():
    sessions = np.array([["2020-03-12", "2020-03-13"]], dtype="datetime64[us]")
    np.testing.assert_array_equal(limit_on(sessions), [[0.2, 0.1]])
    assert limit_on(sessions[:0]).shape == (0, 2)
    assert limit_on([date(2020, 3, 12)]).tolist() == [0.2]


def test_the_table_ascends_so_that_a_line_may_be_added():
    days = [day for day, _ in PRICE_LIMITS]
    assert days == sorted(set(days))
