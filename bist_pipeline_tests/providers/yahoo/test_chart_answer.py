"""Reading a chart: every value as Yahoo states it, and nothing that is no chart."""

import json
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bist_pipeline.providers.yahoo._chart_answer import Event, read_chart
from bist_pipeline.providers.yahoo._errors import BadBody, BadField
from bist_pipeline_tests.providers.yahoo.charts import DAYS, answer, chart, edited, opening, with_nulls


def read(document):
    return read_chart(answer(document))


def test_values_arrive_bit_by_bit():
    told = read(edited(chart(), close=[129.0399932861328, 134.17999267578125, 0.1, 12]))
    assert told.columns["close"].tolist() == [129.0399932861328, 134.17999267578125, 0.1, 12.0]
    assert told.columns["volume"].tolist() == [1000.0, 2000.0, 3000.0, 4000.0]
    assert told.seconds.tolist() == [opening(day) for day in DAYS]


def test_nulls_become_nan_and_zeros_stay():
    told = read(edited(with_nulls(chart(), 1), volume=[0, None, 1, 2]))
    assert np.isnan(told.columns["close"]).tolist() == [False, True, False, False]
    assert told.columns["volume"][0] == 0


def test_infinity_is_kept_for_cleaning_to_withhold():
    body = json.dumps(chart()).replace("50.5", "Infinity").encode()
    assert read(body).columns["adjclose"][0] == np.inf


def test_a_day_is_the_day_at_the_exchange():
    # 00:30 in Istanbul is still the day before in UTC; and 2015 had summer time.
    seconds = [opening(date(2015, 7, 1)), opening(date(2026, 8, 7)) - 9 * 3600 - 1800]
    told = read(edited(chart(DAYS[:2]), timestamp=seconds))
    assert told.days().tolist() == [date(2015, 7, 1), date(2026, 8, 7)]


def test_a_chart_without_adjusted_closes_has_none():
    assert np.isnan(read(edited(chart(), adjclose=[{}])).columns["adjclose"]).all()
    assert np.isnan(read(edited(chart(), adjclose=[])).columns["adjclose"]).all()


def test_an_answer_without_timestamps_is_a_chart_without_rows():
    document = chart([])
    del document["chart"]["result"][0]["timestamp"]
    document["chart"]["result"][0]["indicators"] = {"quote": [{}]}
    assert len(read(document).seconds) == 0


def split(**told):
    return {"splits": {"1": {"date": opening(DAYS[1]), **told}}}


@pytest.mark.parametrize(
    ("told", "ratio"),
    [
        ({"numerator": 4, "denominator": 1, "splitRatio": "4:1"}, 4.0),
        ({"numerator": 3.0792917, "denominator": 1.0}, 3.0792917),
        ({"numerator": 1, "denominator": 4}, 0.25),
        ({"splitRatio": "3:2"}, 1.5),
        ({"numerator": 0, "denominator": 0, "splitRatio": "3:1"}, 3.0),
        ({"numerator": None, "denominator": 1, "splitRatio": "2:1"}, 2.0),
    ],
)
def test_a_split_is_new_shares_per_old_share(told, ratio):
    assert read(edited(chart(), events=split(**told))).events == (Event(opening(DAYS[1]), "split", ratio),)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"numerator": 0, "denominator": 1},
        {"numerator": -2, "denominator": 1},
        {"numerator": 2, "denominator": 0, "splitRatio": "2:0"},
        {"splitRatio": "two for one"},
        {"splitRatio": "nan:1"},
    ],
)
def test_a_split_that_makes_no_sense_is_said_and_not_stored(told):
    found = read(edited(chart(), events=split(**told)))
    assert found.events == ()
    assert len(found.refused_events) == 1


def test_dividends_are_amounts_and_those_that_are_none_are_said():
    dividends = {str(n): {"date": opening(DAYS[n]), "amount": amount} for n, amount in enumerate([0.5, -1, None])}
    found = read(edited(chart(), events={"dividends": dividends}))
    assert found.events == (Event(opening(DAYS[0]), "dividend", 0.5),)
    assert len(found.refused_events) == 2


def test_an_event_without_a_date_has_that_of_its_key():
    events = {"dividends": {str(opening(DAYS[2])): {"amount": 1.5}}}
    assert read(edited(chart(), events=events)).events == (Event(opening(DAYS[2]), "dividend", 1.5),)


def _without(name):
    document = chart()
    del document["chart"]["result"][0]["meta"][name]
    return document


BAD = {
    "HTML": b"<!DOCTYPE html><html></html>",
    "nothing": b"",
    "cut": json.dumps(chart()).encode()[:300],
    "no UTF-8": b'{"chart": "\xff\xfe"}',
    "deep": b"[" * 100_000,
    "a list": b"[]",
    "another route": b'{"quoteResponse": {"result": [], "error": null}}',
    "an error": b'{"chart": {"result": null, "error": {"code": "Not Found", "description": "x"}}}',
    "a short column": edited(chart(), low=[1.0, 2.0]),
    "a short adjusted column": edited(chart(), adjclose=[{"adjclose": [1.0]}]),
    "no list": b'{"chart": {"result": null, "error": null}}',
}
ODD = {
    "no result": b'{"chart": {"result": [], "error": null}}',
    "no meta": b'{"chart": {"result": [{"timestamp": []}], "error": null}}',
    "no zone": _without("exchangeTimezoneName"),
    "strange zone": edited(chart(), meta_exchangeTimezoneName="../../etc/passwd"),
    "no market time": _without("regularMarketTime"),
    "market time in words": edited(chart(), meta_regularMarketTime="now"),
    "milliseconds": edited(chart(), timestamp=[1000 * opening(day) for day in DAYS]),
    "null timestamp": edited(chart(), timestamp=[None, 1, 2, 3]),
    "words for timestamps": edited(chart(), timestamp=["a", "b", "c", "d"]),
    "a missing column": edited(chart(), low=None),
    "words for prices": edited(chart(), open=["1", "x", "2", "3"]),
    "a huge number": edited(chart(), volume=[10**400, 1, 1, 1]),
    "objects for prices": edited(chart(), open=[{}, 1, 2, 3]),
    "prices in lists": edited(chart(), open=[[1], [1], [2], [3]]),
    "events in a list": edited(chart(), events=[1]),
    "events without content": edited(chart(), events={"splits": {"1": 2}}),
    "an event of no date": edited(chart(), events={"splits": {"x": {"numerator": 2, "denominator": 1}}}),
    "null for a result": b'{"chart": {"result": [null], "error": null}}',
    "no indicators": edited(chart(), open=None, high=None, low=None, close=None, volume=None),
    "an event of a strange key": edited(chart(), events={"splits": {"\u00b2": {"numerator": 2, "denominator": 1}}}),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_whole_chart_may_be_better_at_another_host(name):
    with pytest.raises(BadBody):
        read(BAD[name])


@pytest.mark.parametrize("name", ODD)
def test_a_field_that_is_missing_or_cannot_be_is_the_symbols_own_fault(name):
    with pytest.raises(BadField):
        read(ODD[name])


def test_a_dated_event_may_have_any_key():
    event = {"date": opening(DAYS[1]), "numerator": 2, "denominator": 1}
    assert len(read(edited(chart(), events={"splits": {"\u00b2": event}})).events) == 1


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
PLACES = [
    ("meta",), ("meta", "regularMarketTime"), ("meta", "exchangeTimezoneName"), ("timestamp",), ("indicators",),
    ("indicators", "quote"), ("indicators", "adjclose"), ("events",), ("events", "splits"), ("events", "dividends"),
]  # fmt: skip


@given(place=st.sampled_from(PLACES), value=JSON_VALUES)
def test_whatever_stands_in_any_place_it_is_read_or_refused(place, value):
    document = edited(chart(), events={})
    part = document["chart"]["result"][0]
    for name in place[:-1]:
        part = part[name]
    part[place[-1]] = value
    try:
        read_chart(answer(json.dumps(document).encode()))
    except (BadBody, BadField):
        return
