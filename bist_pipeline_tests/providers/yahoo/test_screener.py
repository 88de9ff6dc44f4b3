"""Reading pages of the screener."""

import json

import pytest

from bist_pipeline.providers.yahoo._errors import BadBody
from bist_pipeline.providers.yahoo._screener import PAGE_ROWS, page_request, read_screener

ROW = {
    "symbol": "THYAO.IS",
    "currency": "TRY",
    "regularMarketTime": 1_772_443_805,
    "regularMarketPrice": 301.5,
    "regularMarketOpen": {"raw": 298.0, "fmt": "298.00"},
}


def page(rows, total):
    return json.dumps({"finance": {"result": [{"total": total, "quotes": rows}], "error": None}}).encode()


def test_a_page_tells_its_quotes_and_how_many_there_are():
    read = read_screener(page([ROW, {**ROW, "symbol": "AKBNK.IS"}], 501), asked=["THYAO", "GARAN"])
    assert read.told.quotes[["symbol", "last_try", "open_try"]].to_numpy().tolist() == [["THYAO", 301.5, 298.0]]
    assert (read.rows, read.total) == (2, 501)


def test_the_last_page_is_the_one_that_reaches_the_total_or_has_no_rows():
    last = [read_screener(page([ROW], 501), offset=offset).is_last for offset in (0, 250, 499, 500, 501)]
    assert last == [False, False, False, True, True]
    assert read_screener(page([], 501), offset=250).is_last


def test_a_page_is_asked_for_in_yahoos_limits_and_in_an_order_that_stands_still():
    request = page_request(500)
    assert (request["offset"], request["size"]) == (500, PAGE_ROWS)
    assert PAGE_ROWS <= 250
    assert request["sortField"] == "ticker"
    assert "IST" in json.dumps(request["query"])


@pytest.mark.parametrize(
    "body",
    [
        b"<html></html>",
        b'{"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Crumb"}}}',
        b'{"finance":{"result":[],"error":null}}',
        b'{"finance":{"result":[{"total":3}],"error":null}}',
        b'{"finance":{"result":[{"total":3,"quotes":[null]}],"error":null}}',
        b'{"finance":{"result":[{"total":null,"quotes":[]}],"error":null}}',
        page([ROW], 1)[:-5],
    ],
)
def test_a_body_that_is_no_page_is_refused(body):
    with pytest.raises(BadBody):
        read_screener(body)
