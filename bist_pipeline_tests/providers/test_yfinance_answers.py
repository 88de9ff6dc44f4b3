"""What the yfinance provider makes of answers written by hand, sent by a server that says what a test lines up."""

import json
import math
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pandas as pd
import pytest

from bist_pipeline.core.clock import FixedClock
from bist_pipeline.core.errors import (
    BadPayloadError,
    PermanentProviderError,
    TransientProviderError,
    UnknownSymbolError,
)
from bist_pipeline.providers.contract import Services
from bist_pipeline.providers.yfinance_history.provider import build_yfinance
from bist_pipeline.settings import load_settings
from bist_pipeline_tests.providers.test_yfinance import RecordingPacer

NOW = datetime(2024, 1, 11, 9, 0, tzinfo=UTC)


def moment(day: str, clock: str = "10:00") -> int:
    return int(datetime.fromisoformat(f"{day}T{clock}+03:00").timestamp())


# A Thursday, a Friday, a null row, a Wednesday, and the session in progress with its extra live row.
DAYS = ["2024-01-04", "2024-01-05", "2024-01-08", "2024-01-10", "2024-01-11"]
LIVE = moment("2024-01-11", "11:40")
STAMPS = [*map(moment, DAYS), LIVE]
PRICES = {
    "open": [10.0, 11.0, None, 12.0, 13.0, 13.0],
    "high": [10.5, 11.5, None, 12.5, 13.5, 13.75],
    "low": [9.5, 10.5, None, 11.5, 12.5, 12.25],
    "close": [10.0, 11.0, None, 12.0, 13.0, 13.5],
    "volume": [100, 200, None, 0, 400, 450],
}


def chart(**meta):
    told = {
        "currency": "TRY",
        "symbol": "THYAO.IS",
        "exchangeTimezoneName": "Europe/Istanbul",
        "instrumentType": "EQUITY",
        "regularMarketTime": LIVE,
        "validRanges": ["1d", "max"],
        **meta,
    }
    adjusted = [None if close is None else close / 2 for close in PRICES["close"]]
    return {
        "meta": told,
        "timestamp": STAMPS,
        "indicators": {"quote": [PRICES], "adjclose": [{"adjclose": adjusted}]},
    }


def body(result, error=None):
    return json.dumps({"chart": {"result": result and [result], "error": error}}).encode()


def refusal(code, description):
    return body(None, {"code": code, "description": description})


class Scripted(ThreadingHTTPServer):
    """Answers charts with what is lined up, the last of it for ever; cookie and crumb as Yahoo does."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lined_up, self.asked = [], []

    def answer(self, path):
        if path == "/":
            return 404, b"", {"Set-Cookie": "A3=d; Path=/"}
        if path.startswith("/v1/test/getcrumb"):
            return 200, b"crumb.1", {}
        if path.startswith("/v8/finance/chart/"):
            status, content = self.lined_up.pop(0) if len(self.lined_up) > 1 else self.lined_up[0]
            return status, content, {"Retry-After": "7"} if status == 429 else {}
        return 404, b"<html>", {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Scripted

    def do_GET(self):
        if not self.path.startswith("/simulator"):
            self.server.asked.append((self.path, dict(self.headers)))
        status, content, headers = self.server.answer(self.path)
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def scripted():
    with Scripted() as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def server():
    with scripted() as running:
        yield running


@pytest.fixture
def pacer():
    return RecordingPacer()


@pytest.fixture
def read(server, pacer):
    """Line answers up and read a history from them."""

    def history(*answers, symbol="THYAO", now=NOW, **variables):
        server.lined_up = [answer if isinstance(answer, tuple) else (200, answer) for answer in answers]
        url = f"http://127.0.0.1:{server.server_port}"
        settings = load_settings(yahoo_hosts=url, yahoo_requests_per_second=0, **variables)
        return build_yfinance(settings, Services(pacer, FixedClock(now))).history(symbol)

    return history


def charts(server):
    return [path for path, _ in server.asked if path.startswith("/v8/")]


def test_rows_become_bars_and_the_live_row_replaces_the_one_before(read):
    bars = read(body(chart())).bars
    assert bars["session_date"].dt.strftime("%Y-%m-%d").tolist() == DAYS
    assert bars["source_row"].tolist() == [0, 1, 2, 3, 5]
    assert bars["close_raw"].tolist()[-2:] == [12.0, 13.5]
    assert bars["high_raw"].tolist()[-1] == 13.75
    assert bars["adj_close_raw"].tolist()[-1] == 6.75
    assert bars["volume_raw"].tolist()[-2:] == [0.0, 450.0]


def test_a_null_row_is_kept_and_its_volume_is_missing_too(read):
    row = read(body(chart())).bars.iloc[2]
    assert all(math.isnan(row[name]) for name in ("open_raw", "close_raw", "adj_close_raw", "volume_raw"))


def test_a_row_of_today_without_a_trade_takes_nothing_from_yesterdays_bar(read):
    quote = {name: [*values[:4], None] for name, values in PRICES.items()}
    result = {**chart(regularMarketTime=moment("2024-01-10", "17:59")), "timestamp": STAMPS[:5]}
    result["indicators"] = {"quote": [quote], "adjclose": [{"adjclose": quote["close"]}]}
    history = read(body(result))
    assert history.as_of == datetime(2024, 1, 10, 15, 10, tzinfo=UTC)
    assert history.bars["close_raw"].tolist()[-2:] == pytest.approx([12.0, math.nan], nan_ok=True)


def test_where_yahoo_states_no_adjusted_close_there_is_none(read):
    result = chart()
    del result["indicators"]["adjclose"]
    bars = read(body(result)).bars
    assert bars["adj_close_raw"].isna().all()
    assert bars["close_raw"].iloc[0] == 10.0


def test_an_infinite_adjusted_close_stays_for_cleaning_to_judge(read):
    result = chart()
    result["indicators"]["adjclose"][0]["adjclose"][1] = math.inf
    assert math.isinf(read(body(result)).bars["adj_close_raw"].iloc[1])


def test_an_action_on_a_day_without_a_row_keeps_its_day(read):
    result = chart()
    ninth, tenth = moment("2024-01-09"), moment("2024-01-10")
    result["events"] = {
        "splits": {str(ninth): {"date": ninth, "numerator": 3.0, "denominator": 2.0, "splitRatio": "3:2"}},
        "dividends": {str(tenth): {"date": tenth, "amount": 0.25}},
    }
    history = read(body(result))
    assert history.actions["ex_date"].tolist() == [pd.Timestamp("2024-01-09"), pd.Timestamp("2024-01-10")]
    assert history.actions["kind"].tolist() == ["split", "dividend"]
    assert history.actions["ratio"].iloc[0] == 1.5
    assert history.actions["amount_try"].iloc[1] == 0.25
    assert history.bars["session_date"].dt.strftime("%Y-%m-%d").tolist() == DAYS


@pytest.mark.parametrize("split", [{"numerator": 0.0, "denominator": 1.0}, {"numerator": 2.0, "denominator": -1.0}])
def test_a_split_that_is_none_is_noted_and_not_stored(read, split):
    result, day = chart(), moment("2024-01-10")
    result["events"] = {"splits": {str(day): {"date": day, "splitRatio": "odd", **split}}}
    history = read(body(result))
    assert history.actions.empty
    assert history.recognised["refused_actions"][0].startswith("split ")


def test_an_answer_under_another_code_is_noted(read):
    assert read(body(chart(symbol="TKHYO.IS"))).recognised["answered_as"] == "TKHYO.IS"


@pytest.mark.parametrize(
    ("meta", "words"),
    [
        ({"currency": "USD"}, "in USD, not in TRY"),
        ({"regularMarketTime": int(NOW.timestamp()) + 60}, "last trade is of 2024-01-11 09:01:00 UTC"),
    ],
)
def test_an_answer_that_is_no_history_of_ours_is_refused_for_good(read, server, meta, words):
    with pytest.raises(BadPayloadError, match=words):
        read(body(chart(**meta)))
    assert len(charts(server)) == 1


NO_ROWS = {**chart(), "timestamp": [], "indicators": {"quote": [{name: [] for name in PRICES}]}}
NO_TIMES = {name: value for name, value in chart().items() if name != "timestamp"}
UNEQUAL = {**chart(), "timestamp": STAMPS[:-1]}


@pytest.mark.parametrize(
    "answer",
    [
        body(NO_ROWS),
        body(NO_TIMES),
        body(UNEQUAL),
        body(None),
        b"{}",
        b"null",
        b"",
        body(chart())[:-30],
        b"<html>Will be right back</html>",
        (404, b"<html>not here</html>"),
        (404, b'{"finance":{"result":null,"error":{"code":"Not Found","description":"No data found"}}}'),
        (302, b""),
        (500, refusal("Not Found", "No data found, symbol may be delisted")),
        (503, b"upstream connect error"),
    ],
)
def test_what_is_no_chart_with_prices_is_transient_and_both_ways_are_tried_once(read, server, answer):
    with pytest.raises(TransientProviderError, match=r"^THYAO: "):
        read(answer)
    assert len(charts(server)) == 2


@pytest.mark.parametrize(
    "answer",
    [
        body({**chart(), "indicators": {"quote": [{}]}}),
        body({**chart(), "indicators": {}}),
        body(chart(regularMarketTime=None)),
        body(chart(exchangeTimezoneName="Nowhere")),
        b'{"chart":{"result":[],"error":null}}',
    ],
)
def test_a_field_that_is_missing_or_cannot_be_is_the_symbols_own_fault_and_asked_once(read, server, pacer, answer):
    with pytest.raises(BadPayloadError, match=r"^THYAO: .*cannot be used"):
        read(answer)
    assert len(charts(server)) == 1
    assert pacer.outcomes()[-1] == "answered"


def test_only_yahoos_own_words_make_an_unknown_symbol(read, server):
    with pytest.raises(UnknownSymbolError, match="symbol may be delisted"):
        read((404, refusal("Not Found", "No data found, symbol may be delisted")))
    assert len(charts(server)) == 1


@pytest.mark.parametrize(
    ("status", "words", "error"),
    [
        (400, ("Bad Request", "Data doesn't exist for startDate = 1, endDate = 2"), BadPayloadError),
        (422, ("Unprocessable Entity", "5m data not available"), PermanentProviderError),
    ],
)
def test_a_refusal_is_permanent_and_no_delisting(read, server, status, words, error):
    with pytest.raises(PermanentProviderError, match=words[1].split(",")[0]) as raised:
        read((status, refusal(*words)))
    assert type(raised.value) is error
    assert len(charts(server)) == 1


def test_a_refused_session_is_renewed_once(read, server, pacer):
    unauthorized = b'{"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Crumb"}}}'
    assert len(read((401, unauthorized), body(chart())).bars) == 5
    routes = ["yfinance:cookie", "yfinance:crumb", "yfinance:chart"]
    assert pacer.routes() == [*routes, *routes]
    assert pacer.outcomes()[2] == "unauthorized"


@pytest.mark.parametrize("status", [200, 401, 404, 500])
def test_nothing_of_a_refused_crumb_is_stored(read, server, pacer, status):
    chart_only, secret = server.answer, "haT3oykhHqZ" * 8
    server.answer = lambda path: (status, secret.encode(), {}) if "getcrumb" in path else chart_only(path)
    assert len(read(body(chart())).bars) == 5
    details = {ask.route: reply.detail for ask, reply in pacer.told}
    assert str(status) in details["yfinance:crumb"]
    assert not [detail for detail in details.values() if "haT3" in detail]


def test_a_429_tells_the_pacer_what_yahoo_asked_for(read, pacer):
    with pytest.raises(TransientProviderError):
        read((429, b"Too Many Requests\r\n"))
    reply = pacer.told[-1][1]
    assert (reply.outcome, reply.status, reply.retry_after_seconds) == ("throttled", 429, 7.0)


def test_the_text_of_a_429_counts_whatever_the_status(read, pacer, server):
    with pytest.raises(TransientProviderError):
        read((200, b"Too Many Requests\r\n"))
    assert pacer.outcomes()[-1] == "throttled"
    assert len(charts(server)) == 1


def test_it_asks_for_whole_days_from_the_origin_with_cookie_and_crumb(read, server):
    read(body(chart()))
    path, headers = server.asked[-1]
    query = dict(pair.split("=") for pair in path.partition("?")[2].split("&"))
    assert path.startswith("/v8/finance/chart/THYAO.IS?")
    assert int(query["period1"]) == datetime(2010, 1, 3, 22, tzinfo=UTC).timestamp()  # midnight in Istanbul, then UTC+2
    assert int(query["period2"]) > NOW.timestamp()
    assert (query["interval"], query["crumb"]) == ("1d", "crumb.1")
    assert headers["Cookie"] == "A3=d"


def test_a_user_agent_that_was_set_is_shown_with_every_request(read, server):
    read(body(chart()), yf_user_agents="'Browser/1.0'")
    assert {headers["User-Agent"] for _, headers in server.asked} == {"Browser/1.0"}
