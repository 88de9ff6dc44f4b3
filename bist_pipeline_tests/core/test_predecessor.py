"""The predecessor's variables, translated."""

import pytest

from bist_pipeline.core.errors import SettingsError
from bist_pipeline.core.predecessor import check_period, requests_per_second


@pytest.mark.parametrize(
    ("delays", "pause", "batch", "workers", "rate"),
    [
        ("1,3", "3", 50, 5, 50 / 23),  # the predecessor's own defaults: 50 symbols take 10 turns of 2 s, and 3 s
        ("1.0,3.0", None, 100, 4, 2.0),
        ("1-3", "0", 100, 1, 0.5),
        ("2", None, 100, 1, 0.5),
        ("[1.0, 3.0]", 0, 100, 1, 0.5),
        (' "1.0 3.0" ', None, 100, 1, 0.5),
        ("1s-3s", None, 100, 1, 0.5),
        ("0.5..1.5", None, 100, 4, 4.0),
        (None, "100", 100, 4, 1.0),
        ("0,0", 25.0, 50, 4, 2.0),
    ],
)
def test_delays_and_pauses_become_a_rate(delays, pause, batch, workers, rate):
    assert requests_per_second(delays, pause, batch, workers) == pytest.approx(rate)


def test_longer_delays_longer_pauses_and_fewer_workers_are_slower():
    rate = requests_per_second("1,3", "3", 50, 5)
    assert requests_per_second("2,3", "3", 50, 5) < rate
    assert requests_per_second("1,3", "4", 50, 5) < rate
    assert requests_per_second("1,3", "3", 50, 4) < rate


@pytest.mark.parametrize("text", ["", "fast", "1,2,3", "-1,3", "1;", "nan", "inf,inf", "1e3", "1,-3"])
def test_a_delay_that_is_none_is_refused_by_name(text):
    with pytest.raises(SettingsError, match=r"COLLECTOR_DELAY_RANGE = .*: give the shortest and the longest delay"):
        requests_per_second(text, None, 100, 4)


def test_a_range_the_wrong_way_round_is_refused():
    with pytest.raises(SettingsError, match="the first delay is longer"):
        requests_per_second("3,1", None, 100, 4)


@pytest.mark.parametrize("value", ["", "soon", "-1", -0.5, "nan", "inf"])
def test_a_pause_that_is_none_is_refused_by_name(value):
    with pytest.raises(SettingsError, match=r"BATCH_SLEEP_SECONDS = .*: give a number of seconds"):
        requests_per_second("1,3", value, 100, 4)


@pytest.mark.parametrize(("delays", "pause"), [("0.01,0.02", None), (None, "0.1"), ("90000", None)])
def test_a_pace_that_nobody_can_mean_is_refused(delays, pause):
    with pytest.raises(SettingsError, match="set YAHOO_REQUESTS_PER_SECOND instead"):
        requests_per_second(delays, pause, 100, 4)


@pytest.mark.parametrize(("delays", "pause"), [(None, None), ("0,0", "0"), (None, 0)])
def test_no_pause_at_all_is_no_pace(delays, pause):
    with pytest.raises(SettingsError, match="no pause at all sets no pace"):
        requests_per_second(delays, pause, 100, 4)


@pytest.mark.parametrize("value", ["3mo", "6mo", " MAX ", "'2y'"])
def test_the_periods_of_the_predecessor_are_understood(value):
    check_period("COLLECTION_PERIOD", value)


@pytest.mark.parametrize("value", ["", "3 months", "0d"])
def test_a_period_that_is_none_is_refused_by_name(value):
    with pytest.raises(SettingsError, match=r"PRIORITY_PERIOD = .* \(legal: 1d, 5d, 1mo"):
        check_period("PRIORITY_PERIOD", value)
