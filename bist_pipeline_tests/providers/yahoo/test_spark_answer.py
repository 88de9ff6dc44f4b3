"""Reading answers of spark: both of its shapes, hostile ones, any JSON at all."""

import json
import math
from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bist_pipeline.providers.yahoo._errors import BadBody
from bist_pipeline.providers.yahoo._spark_answer import read_spark

MOMENT = 1_772_443_805
META = {
    "currency": "TRY",
    "symbol": "THYAO.IS",
    "regularMarketPrice": 301.5,
    "regularMarketTime": MOMENT,
    "chartPreviousClose": 299.0,
}


def item(symbol="THYAO.IS", meta=META, times=(), closes=()):
    response = {"meta": meta, "timestamp": list(times), "indicators": {"quote": [{"close": list(closes)}]}}
    return {"symbol": symbol, "response": [response]}


def nested(*items):
    return json.dumps({"spark": {"result": list(items), "error": None}}).encode()


def only(told):
    assert told.failed == {}
    assert len(told.quotes) == 1
    return told.quotes.iloc[0]


def test_spark_tells_last_price_its_time_and_the_close_before_and_no_bar():
    row = only(read_spark(nested(item(times=[MOMENT - 305], closes=[301.25]))))
    assert row["symbol"] == "THYAO"
    assert (row["last_try"], row["previous_close_try"]) == (301.5, 299.0)
    assert row["as_of"] == pd.Timestamp(MOMENT, unit="s", tz="UTC")
    assert row[["open_try", "high_try", "low_try", "volume_shares"]].isna().all()


def test_without_a_stated_price_the_last_close_that_is_none_of_the_nulls_counts():
    meta = {"currency": "TRY", "previousClose": 299.0, "chartPreviousClose": 250.0}
    row = only(read_spark(nested(item(meta=meta, times=[MOMENT, MOMENT + 300, MOMENT + 600], closes=[300, 301, None]))))
    assert (row["last_try"], row["previous_close_try"]) == (301.0, 299.0)
    assert row["as_of"] == pd.Timestamp(MOMENT + 300, unit="s", tz="UTC")


def test_the_flat_shape_of_version_8_is_read():
    flat = {
        "THYAO.IS": {"symbol": "THYAO.IS", "timestamp": [MOMENT], "close": [301.5], "previousClose": 299.0},
        "AKBNK.IS": {"symbol": "AKBNK.IS", "timestamp": [], "close": [], "chartPreviousClose": 60.0},
    }
    told = read_spark(json.dumps(flat).encode(), asked=["THYAO", "AKBNK", "GARAN"])
    assert told.quotes[["symbol", "last_try", "previous_close_try"]].to_numpy().tolist() == [["THYAO", 301.5, 299.0]]
    assert list(told.failed) == ["AKBNK"]
    assert told.silent(["THYAO", "AKBNK", "GARAN"]) == ("GARAN",)


@pytest.mark.parametrize("odd", [None, [], {}, {"timestamp": [MOMENT]}, {"timestamp": [MOMENT], "close": None}])
def test_in_the_flat_shape_too_a_symbol_without_a_price_fails_alone(odd):
    flat = {"THYAO.IS": {"timestamp": [MOMENT], "close": [301.5]}, "AKBNK.IS": odd, "error": None}
    told = read_spark(json.dumps(flat).encode(), asked=frozenset({"THYAO", "AKBNK"}))
    assert list(told.quotes["symbol"]) == ["THYAO"]
    assert list(told.failed) == ["AKBNK"]
    alone = read_spark(json.dumps({"AKBNK.IS": odd}).encode(), asked=frozenset({"AKBNK"}))
    assert list(alone.failed) == ["AKBNK"]


@pytest.mark.parametrize("row", [None, {}, {"response": []}])
def test_a_row_without_a_symbol_may_be_anybodys_who_is_not_answered_otherwise(row):
    told = read_spark(nested(item(), row), asked=frozenset({"THYAO", "AKBNK"}))
    assert list(told.quotes["symbol"]) == ["THYAO"]
    assert list(told.failed) == ["AKBNK"]


def test_a_meta_without_a_currency_is_that_of_istanbul_and_null_is_none():
    meta = {name: value for name, value in META.items() if name != "currency"}
    assert only(read_spark(nested(item(meta=meta))))["last_try"] == 301.5
    assert list(read_spark(nested(item(meta={**META, "currency": None}))).failed) == ["THYAO"]


@pytest.mark.parametrize(
    "broken",
    [
        {"symbol": "AKBNK.IS"},
        {"symbol": "AKBNK.IS", "response": []},
        {"symbol": "AKBNK.IS", "response": [None]},
        item("AKBNK.IS", meta={"currency": "TRY"}),
        item("AKBNK.IS", meta={"currency": "TRY"}, times=[MOMENT], closes=[300, 301]),
        item("AKBNK.IS", meta={**META, "currency": "USD"}),
        item("AKBNK.IS", meta={**META, "regularMarketTime": MOMENT + 61}),
    ],
)
def test_a_symbol_without_a_price_fails_alone(broken):
    told = read_spark(nested(item(), broken), now=datetime.fromtimestamp(MOMENT + 60, UTC))
    assert list(told.quotes["symbol"]) == ["THYAO"]
    assert list(told.failed) == ["AKBNK"]


@pytest.mark.parametrize(
    "body",
    [
        b"<html></html>",
        b"{}",  # would make every symbol look unknown
        b"[]",
        b'{"spark":{"result":null,"error":{"code":"Not Found","description":"No data found"}}}',
        b'{"finance":{"result":null,"error":{"code":"Unauthorized"}}}',
        b'{"THYAO.IS":{"symbol":"THYAO.IS"}}',  # nobody asked for it
        nested(item())[:-10],
    ],
)
def test_a_body_that_is_no_spark_is_refused_whole(body):
    with pytest.raises(BadBody):
        read_spark(body)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
LISTS = st.lists(ANYTHING | st.just(MOMENT) | st.just(301.5), max_size=3)
SERIES = st.fixed_dictionaries({"close": LISTS | ANYTHING}, optional={"timestamp": LISTS, "previousClose": ANYTHING})
RESPONSE = st.fixed_dictionaries({}, optional={"meta": st.just(META) | ANYTHING, "timestamp": LISTS})
ITEMS = st.lists(st.fixed_dictionaries({"symbol": st.just("A.IS"), "response": st.lists(RESPONSE, max_size=2)}))


@settings(max_examples=150, deadline=None)
@given(
    ANYTHING
    | st.dictionaries(st.text(max_size=5), SERIES, max_size=3)
    | ITEMS.map(lambda items: {"spark": {"result": items, "error": None}})
)
def test_any_json_is_read_or_refused_and_nothing_else(document):
    try:
        told = read_spark(json.dumps(document).encode())
    except BadBody:
        return
    assert (told.quotes["last_try"] > 0).all()
    assert told.quotes["as_of"].notna().all()
    assert not math.isnan(len(told.failed))
