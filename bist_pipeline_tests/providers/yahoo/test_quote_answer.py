"""Reading answers of the quote route: recorded ones, hostile ones, any JSON at all."""

import hashlib
import json
import math
from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bist_pipeline.providers.contract import QUOTE_COLUMNS
from bist_pipeline.providers.yahoo._errors import BadBody
from bist_pipeline.providers.yahoo._quote_answer import empty_quotes, read_quotes

# 2026-03-02 12:30:05 in Istanbul.
MOMENT = 1_772_443_805
GOOD = {
    "symbol": "THYAO.IS",
    "currency": "TRY",
    "regularMarketTime": MOMENT,
    "regularMarketPrice": 301.5,
    "regularMarketOpen": 298.0,
    "regularMarketDayHigh": 303.25,
    "regularMarketDayLow": 297.5,
    "regularMarketVolume": 12_345_678,
    "regularMarketPreviousClose": 299.0,
}

# What each recorded exchange with Yahoo ends as: the symbols told of, and those that the answer has without a quote.
NO_PRICE, NO_INSTRUMENT = "Yahoo's quote has no price", "Yahoo has the code without an instrument behind it"
RECORDED_FAILURES = {
    "quote-ADH.json": {"ADH": NO_PRICE},
    "quote-BRKS.json": {"BRKS": NO_INSTRUMENT},
    "quote-SI.json": {"SI": NO_INSTRUMENT},
    "quote-SIMP.json": {"SIMP": NO_INSTRUMENT},
}
RECORDED_EMPTY = {"quote-AAPL220121C00025000.json", "quote-APS.AX.json", "quote-SIX.json"}


def answer(*rows, error=None):
    return json.dumps({"quoteResponse": {"result": list(rows), "error": error}}).encode()


def read_row(told):
    assert len(told.quotes) == 1
    return told.quotes.iloc[0]


def test_a_quote_becomes_a_row_of_the_contract():
    body = answer(GOOD)
    told = read_quotes(body)
    row = read_row(told)
    assert tuple(told.quotes.columns) == QUOTE_COLUMNS
    assert row["symbol"] == "THYAO"
    assert row["as_of"] == pd.Timestamp("2026-03-02 12:30:05", tz="Europe/Istanbul")
    prices = ["last_try", "open_try", "high_try", "low_try", "volume_shares", "previous_close_try"]
    assert row[prices].tolist() == [301.5, 298.0, 303.25, 297.5, 12_345_678, 299.0]
    assert row["payload_hash"] == hashlib.sha256(body).hexdigest()
    assert told.failed == {}


def test_a_table_without_quotes_has_the_types_of_one_with_some():
    assert empty_quotes().dtypes.to_dict() == read_quotes(answer(GOOD)).quotes.dtypes.to_dict()
    assert str(empty_quotes()["as_of"].dtype) == "datetime64[us, UTC]"


@pytest.mark.parametrize("field", ["Open", "DayHigh", "DayLow", "Volume", "PreviousClose"])
@pytest.mark.parametrize("nothing", [None, "Infinity", "298.5", math.inf, math.nan, True, {}, [], 10**400, -1])
def test_what_is_no_number_is_missing_and_the_quote_stands(field, nothing):
    told = read_quotes(answer({**GOOD, f"regularMarket{field}": nothing}))
    row = read_row(told)
    names = {"Open": "open_try", "DayHigh": "high_try", "DayLow": "low_try", "Volume": "volume_shares"}
    assert math.isnan(row[names.get(field, "previous_close_try")])
    assert row["last_try"] == 301.5


def test_an_open_of_zero_is_an_open_that_yahoo_has_not_got_yet():
    row = read_row(read_quotes(answer({**GOOD, "regularMarketOpen": 0, "regularMarketVolume": 0})))
    assert math.isnan(row["open_try"])
    assert row["volume_shares"] == 0


def test_a_formatted_number_is_read_too():
    row = read_row(read_quotes(answer({**GOOD, "regularMarketOpen": {"raw": 298.5, "fmt": "298.50"}})))
    assert row["open_try"] == 298.5


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"regularMarketPrice": None}, "no price"),
        ({"regularMarketPrice": "Infinity"}, "no price"),
        ({"regularMarketPrice": 0}, "no price"),
        ({"regularMarketTime": None}, "no time"),
        ({"regularMarketTime": 0}, "no time"),
        ({"regularMarketTime": MOMENT * 1000}, "no time"),  # milliseconds
        ({"regularMarketTime": "2026-03-02"}, "no time"),
        ({"currency": "USD"}, "in USD, not in TRY"),
        ({"currency": None}, "in no currency, not in TRY"),
        ({"regularMarketTime": MOMENT + 61}, "of the future"),
        ({"quoteType": "NONE"}, "without an instrument"),
    ],
)
def test_a_quote_without_price_time_or_lira_fails_alone(change, reason):
    other = {**GOOD, "symbol": "AKBNK.IS"}
    now = datetime.fromtimestamp(MOMENT + 60, UTC)
    told = read_quotes(answer({**GOOD, **change}, other), now=now)
    assert list(told.quotes["symbol"]) == ["AKBNK"]
    assert list(told.failed) == ["THYAO"]
    assert reason in told.failed["THYAO"]


@pytest.mark.parametrize("row", [None, {}, {"symbol": None}, {"symbol": ""}, {"symbol": "\ud800"}, 7])
def test_a_row_without_a_symbol_may_be_anybodys_who_is_not_answered_otherwise(row):
    told = read_quotes(answer(GOOD, row), asked=frozenset({"THYAO", "GARAN"}))
    assert list(told.quotes["symbol"]) == ["THYAO"]
    assert list(told.failed) == ["GARAN"]
    assert "without a symbol" in told.failed["GARAN"]
    assert told.silent(["THYAO", "GARAN"]) == ()


def without_currency(**more):
    return {**{name: value for name, value in GOOD.items() if name != "currency"}, **more}


@pytest.mark.parametrize("more", [{}, {"symbol": "THYAO", "exchange": "IST"}])
def test_where_yahoo_leaves_the_currency_out_a_share_of_istanbul_is_in_lira(more):
    assert read_row(read_quotes(answer(without_currency(**more))))["last_try"] == 301.5


@pytest.mark.parametrize("more", [{"symbol": "AAPL"}, {"symbol": "AAPL", "exchange": "NMS"}, {"symbol": "THYAO.ISX"}])
def test_where_yahoo_leaves_the_currency_out_no_other_share_is_in_lira(more):
    assert "no currency" in next(iter(read_quotes(answer(without_currency(**more))).failed.values()))


def test_a_symbol_nobody_asked_for_is_left_out_and_one_left_out_is_silent():
    asked = ["THYAO", "GARAN"]
    told = read_quotes(answer(GOOD, {**GOOD, "symbol": "AAPL"}), asked=asked)
    assert list(told.quotes["symbol"]) == ["THYAO"]
    assert told.silent(asked) == ("GARAN",)


def test_of_two_rows_for_one_symbol_the_later_wins():
    early = {**GOOD, "regularMarketTime": MOMENT - 300, "regularMarketPrice": 300.0}
    for rows in ((GOOD, early), (early, GOOD)):
        assert read_row(read_quotes(answer(*rows)))["last_try"] == 301.5


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"Too Many Requests\r\n",
        b"<!DOCTYPE html><html></html>",
        answer(GOOD)[:-20],
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"null",
        b"[]",
        b"{}",
        b'{"chart":{"result":null,"error":{"code":"Not Found","description":"No data found"}}}',
        b'{"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Crumb"}}}',
        b'{"quoteResponse":null}',
        b'{"quoteResponse":{"result":null,"error":null}}',
        b'{"quoteResponse":{"result":{},"error":null}}',
        answer(GOOD, error={"code": "internal-error", "description": "upstream"}),
    ],
)
def test_a_body_that_is_no_answer_of_this_route_is_refused_whole(body):
    with pytest.raises(BadBody):
        read_quotes(body)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
ROWS = st.lists(
    st.fixed_dictionaries({}, optional={field: ANYTHING | st.just(value) for field, value in GOOD.items()}), max_size=4
)


@settings(max_examples=150, deadline=None)
@given(ANYTHING | ROWS.map(lambda rows: {"quoteResponse": {"result": rows, "error": None}}))
def test_any_json_is_read_or_refused_and_nothing_else(document):
    body = json.dumps(document).encode()
    try:
        told = read_quotes(body, currency=None)
    except BadBody:
        return
    assert (told.quotes["last_try"] > 0).all()
    assert told.quotes["as_of"].notna().all()
    assert not set(told.quotes["symbol"]) & set(told.failed)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_and_nothing_else(body):
    with pytest.raises(BadBody):
        read_quotes(body)


@pytest.mark.realdata
def test_every_recorded_quote_ends_as_expected(recordings):
    table = {}
    for path in sorted((recordings / "yahoo_recorded" / "yahoo-finance2").glob("quote-*.json")):
        recorded = json.loads(path.read_text(encoding="utf-8"))["response"]
        told = read_quotes(json.dumps(recorded["bodyJson"]).encode(), currency=None)
        table[path.name] = told
        expected = set() if path.name in RECORDED_EMPTY else set(path.stem.removeprefix("quote-").split("-fields")[:1])
        if path.name == "quote-AAPL-BABA.json":
            expected = {"AAPL", "BABA"}
        assert {*told.quotes["symbol"], *told.failed} == expected, path.name
        assert told.failed == RECORDED_FAILURES.get(path.name, {}), path.name
    assert len(table) == 35


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # Values read off the recordings by eye.
        ("AZT.OL", (19.54, 19.02, 20.45, 19.02, 569_599, 19.0, "2025-02-17 10:38:10")),
        ("OCDO.L", (308.8, 308.2, 315.4158, 308.2, 113_925, 315.2, "2025-02-17 10:38:44")),
        ("WSKT.JK", (202, math.nan, 202, 202, 0, 202, "2024-07-23 20:00:00")),  # its open is 0
        ("AFRAF", (8.46, 8.08, 8.08, 8.08, 1, math.nan, "2025-02-14 20:00:00")),  # its previous close is 0
        ("0P000071W8.TO", (152.63, math.nan, math.nan, math.nan, math.nan, 152.74, "2025-02-14 20:00:00")),
    ],
)
def test_recorded_values_are_read_as_yahoo_wrote_them(recordings, name, expected):
    path = recordings / "yahoo_recorded" / "yahoo-finance2" / f"quote-{name}.json"
    recorded = json.loads(path.read_text(encoding="utf-8"))["response"]["bodyJson"]
    row = read_row(read_quotes(json.dumps(recorded).encode(), currency=None))
    *numbers, moment = expected
    columns = ["last_try", "open_try", "high_try", "low_try", "volume_shares", "previous_close_try"]
    assert row[columns].tolist() == pytest.approx(numbers, nan_ok=True)
    assert row["as_of"] == pd.Timestamp(moment, tz="UTC")
    assert set(read_quotes(json.dumps(recorded).encode()).failed) == {name}
