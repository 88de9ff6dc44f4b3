"""Every route's answer against what Yahoo was recorded to send."""

import json
from datetime import date, time

import pytest

from bist_pipeline.core.clock import FixedClock
from bist_pipeline.simulator.clock import ExchangeClock
from bist_pipeline.simulator.events import NoTradeUntil, Split
from bist_pipeline.simulator.hours import hours_of
from bist_pipeline.simulator.market import invent_market
from bist_pipeline.simulator.server import exchange
from bist_pipeline_tests.simulator.conftest import FIRST, LAST, TODAY, istanbul
from bist_pipeline_tests.simulator.wire import ask, chart, log_in, quotes

OPEN = hours_of(TODAY).open_at
# Fields of recorded answers about shares that no price needs.
NOT_PLAYED_IN_QUOTES = [
    "messageBoardId",
    "underlyingSymbol",
    "earnings",
    "isEarningsDateEstimate",
    "trailing",
    "dividend",
    "eps",
    "priceEps",
    "shares",
    "book",
    "marketCap",
    "forwardPE",
    "priceToBook",
    "averageAnalystRating",
    "Change",
    "displayName",
    "ipoExpectedDate",
    "pre",
    "post",
    "nameChangeDate",
    "prevName",
]


def test_a_chart_has_rows_events_and_a_forming_last_row(running):
    result = chart(running, "ZZAAA")
    stamps, quote = result["timestamp"], result["indicators"]["quote"][0]
    assert {len(column) for column in quote.values()} == {len(stamps)}
    assert len(result["indicators"]["adjclose"][0]["adjclose"]) == len(stamps)
    assert stamps[-2] == hours_of(date(2026, 8, 4)).open_at
    assert OPEN < stamps[-1] <= istanbul(11, 45).timestamp()
    assert stamps[-1] == result["meta"]["regularMarketTime"]
    assert quote["close"][-1] == pytest.approx(result["meta"]["regularMarketPrice"], rel=1e-6)
    assert result["events"]["splits"] == {
        str(OPEN): {"date": OPEN, "numerator": 4, "denominator": 1, "splitRatio": "4:1"}
    }


def test_a_dividend_is_told_by_the_open_of_its_day(running):
    told = chart(running, "ZZAAC")["events"]["dividends"]
    assert told[str(OPEN)] == {"amount": 0.25, "date": OPEN}


def test_events_are_told_where_they_are_asked_for_and_fall_within(running):
    midnight = OPEN - 10 * 3600
    assert "events" not in chart(running, "ZZAAA", "range=max")
    assert "events" not in chart(running, "ZZAAA", f"period1=0&period2={midnight}&events=split")
    assert "splits" in chart(running, "ZZAAA", f"period1={midnight}&period2={OPEN + 86400}&events=div,splits")["events"]
    assert "splits" in chart(running, "ZZAAA", "range=1d&events=split")["events"]


def test_a_split_share_that_has_not_traded_yet_tells_its_split():
    events = (Split("ZZAAA", TODAY, 4), NoTradeUntil("ZZAAA", TODAY, time(15)))
    market = invent_market(symbols=1, first=FIRST, last=LAST, events=events)
    with exchange(market, ExchangeClock(FixedClock(istanbul(10, 11)))) as running:
        result, quote = chart(running, "ZZAAA"), quotes(running, "ZZAAA")["ZZAAA"]
        running.clock.set(istanbul(9))
        before = chart(running, "ZZAAA")
    assert result["timestamp"][-1] < OPEN
    assert str(OPEN) in result["events"]["splits"]
    closes, whole = (told["indicators"]["quote"][0]["close"] for told in (result, before))
    assert closes == pytest.approx([close / 4 for close in whole], rel=1e-6)
    assert quote["regularMarketPrice"] == pytest.approx(closes[-1], rel=1e-6)
    assert quote["regularMarketPreviousClose"] == pytest.approx(closes[-2], rel=1e-6)


def test_a_fractional_ratio_is_written_as_a_fraction(running):
    split = next(iter(chart(running, "ZZAAB")["events"]["splits"].values()))
    assert 1 < split["numerator"] / split["denominator"] < 1.5
    assert split["splitRatio"] == f"{split['numerator']}:{split['denominator']}"


def test_a_period_ends_before_its_end_and_the_live_row_comes_all_the_same(running):
    yesterday = hours_of(date(2026, 8, 4)).open_at
    assert chart(running, "ZZAAB", f"period1=0&period2={yesterday}")["timestamp"][-1] < yesterday
    midnight = OPEN - 10 * 3600
    stamps = chart(running, "ZZAAB", f"period1={yesterday}&period2={midnight}")["timestamp"]
    assert [stamps[0], len(stamps)] == [yesterday, 2]
    assert stamps[1] > midnight


def test_a_period_without_rows_is_an_answer_without_time_stamps(running):
    weekend = hours_of(date(2026, 7, 31)).open_at + 86400
    result = chart(running, "ZZAAB", f"period1={weekend}&period2={weekend + 3600}")
    assert "timestamp" not in result
    assert result["indicators"] == {"quote": [{}], "adjclose": [{}]}


@pytest.mark.parametrize("span", ["1d", "5d", "1mo", "ytd", "max"])
def test_a_range_counts_back_from_now(running, span):
    rows = len(chart(running, "ZZAAB", f"range={span}")["timestamp"])
    everything = len(chart(running, "ZZAAB")["timestamp"])
    assert rows == {"1d": 1, "5d": 5}.get(span, rows)
    assert 0 < rows <= everything
    assert rows == everything or span not in {"ytd", "max"}


@pytest.mark.parametrize(
    ("target", "status", "description"),
    [
        ("THYAO.IS", 404, "No data found, symbol may be delisted"),
        ("ZZAAB", 404, "No data found, symbol may be delisted"),
        ("ZZAAF.IS", 404, "No data found, symbol may be delisted"),
        ("ZZAAG.IS", 404, "No data found, symbol may be delisted"),
        ("ZZAAB.IS?period1=0&period2=100", 400, "Data doesn't exist for startDate = 0, endDate = 100"),
        ("ZZAAB.IS?period1=x&period2=100", 400, "Invalid input - period1 and period2 must be epoch seconds"),
        ("ZZAAB.IS?interval=7d", 422, "Invalid input - interval=7d is not supported. Valid intervals: ["),
        (
            "ZZAAB.IS?interval=5m&period1=1770111238&period2=1770975238",
            422,
            "5m data not available for startTime=1770111238 and endTime=1770975238. "
            "The requested range must be within the last 60 days.",
        ),
    ],
)
def test_a_chart_that_does_not_exist_is_refused_in_yahoos_words(running, target, status, description):
    got = ask(running, f"/v8/finance/chart/{target}")
    assert got.status == status
    assert got.json["chart"]["result"] is None
    assert got.json["chart"]["error"]["description"].startswith(description)


def test_a_quote_agrees_with_the_chart_and_leaves_out_the_unknown(running):
    found = quotes(running, "ZZAAB", "THYAO", "ZZAAF", "ZYAAG")
    assert set(found) == {"ZZAAB", "ZYAAG"}
    quote, result = found["ZZAAB"], chart(running, "ZZAAB")
    last = {name: column[-1] for name, column in result["indicators"]["quote"][0].items()}
    assert quote["regularMarketPrice"] == pytest.approx(last["close"], rel=1e-6)
    assert quote["regularMarketOpen"] == pytest.approx(last["open"], rel=1e-6)
    assert quote["regularMarketDayHigh"] == pytest.approx(last["high"], rel=1e-6)
    assert quote["regularMarketDayLow"] == pytest.approx(last["low"], rel=1e-6)
    assert quote["regularMarketVolume"] == last["volume"]
    assert quote["regularMarketTime"] == result["timestamp"][-1]
    before = result["indicators"]["quote"][0]["close"][-2]
    assert quote["regularMarketPreviousClose"] == pytest.approx(before, rel=1e-6)
    assert (quote["marketState"], quote["exchangeDataDelayedBy"]) == ("REGULAR", 15)
    assert "SIMULATED" in quote["shortName"]


def test_on_the_day_of_a_split_the_previous_close_is_divided_already(running):
    quote = quotes(running, "ZZAAA")["ZZAAA"]
    running.clock.set(istanbul(20, 0, date(2026, 8, 4)))
    evening = quotes(running, "ZZAAA")["ZZAAA"]
    assert quote["regularMarketPreviousClose"] == pytest.approx(evening["regularMarketPrice"] / 4, rel=1e-6)


def test_a_share_that_has_not_traded_today_carries_the_session_before(running):
    waiting = quotes(running, "ZZAAD")["ZZAAD"]
    running.clock.set(istanbul(20, 0, date(2026, 8, 4)))
    evening = quotes(running, "ZZAAD")["ZZAAD"]
    names = ("Time", "Price", "Open", "DayHigh", "DayLow", "Volume", "PreviousClose")
    assert [waiting[f"regularMarket{name}"] for name in names] == [evening[f"regularMarket{name}"] for name in names]
    assert waiting["regularMarketTime"] < OPEN - 3600


def test_a_share_on_its_first_day_has_no_previous_close(running):
    quote = quotes(running, "ZZAAH")["ZZAAH"]
    assert "regularMarketPreviousClose" not in quote
    assert quote["firstTradeDateMilliseconds"] >= OPEN * 1000 - 300_000


def test_what_is_shown_is_fifteen_minutes_old(running):
    running.clock.set(istanbul(10, 9))
    assert quotes(running, "ZZAAB")["ZZAAB"]["regularMarketTime"] < OPEN - 3600
    running.clock.set(istanbul(10, 12))
    assert quotes(running, "ZZAAB")["ZZAAB"]["regularMarketTime"] == OPEN - 300
    running.clock.set(istanbul(19))
    last = quotes(running, "ZZAAB")["ZZAAB"]
    assert istanbul(18).timestamp() <= last["regularMarketTime"] < istanbul(18, 10).timestamp()
    assert last["marketState"] == "POSTPOST"


def test_quotes_need_a_cookie_and_its_own_crumb(running):
    cookie, crumb = log_in(running)
    for got in (
        ask(running, "/v7/finance/quote?symbols=ZZAAB.IS"),
        ask(running, f"/v7/finance/quote?symbols=ZZAAB.IS&crumb={crumb}"),
        ask(running, "/v7/finance/quote?symbols=ZZAAB.IS&crumb=wrong", cookie=cookie),
        ask(running, f"/v7/finance/quote?symbols=ZZAAB.IS&crumb={crumb}", cookie="A3=d=stranger"),
        ask(running, f"/v7/finance/quote?symbols=ZZAAB.IS&crumb={crumb}", cookie=log_in(running)[0]),
        ask(running, f"/v1/finance/screener?crumb={crumb}", method="POST", body={}),
    ):
        assert got.status == 401
        error = {"code": "Unauthorized", "description": "Invalid Crumb"}
        assert got.json == {"finance": {"result": None, "error": error}}
    assert ask(running, "/v1/test/getcrumb").status == 401
    assert len(crumb) == 11


def test_the_cookie_comes_with_404_as_from_yahoos_own_host(running):
    got = ask(running, "/")
    assert got.status == 404
    assert got.headers["Set-Cookie"].startswith("A3=")


def test_the_screener_turns_pages(running):
    cookie, crumb = log_in(running)

    def page(body):
        return ask(running, f"/v1/finance/screener?crumb={crumb}", method="POST", body=body, cookie=cookie)

    query = {"operator": "AND", "operands": [{"operator": "EQ", "operands": ["exchange", "IST"]}]}
    pages = [page({"offset": at, "size": 4, "query": query}).json["finance"]["result"][0] for at in (0, 4, 8)]
    assert [result["total"] for result in pages] == [9, 9, 9]
    assert [result["count"] for result in pages] == [4, 4, 1]
    shown = [quote["symbol"] for result in pages for quote in result["quotes"]]
    assert shown == sorted(set(shown))
    alone = quotes(running, "ZZAAB")["ZZAAB"]
    assert next(q for result in pages for q in result["quotes"] if q["symbol"] == "ZZAAB.IS") == alone
    elsewhere = {"operator": "EQ", "operands": ["exchange", "NMS"]}
    assert page({"query": elsewhere}).json["finance"]["result"][0]["total"] == 0
    assert page({"size": 251}).status == 400
    assert page([1]).status == 400


def test_spark_has_closes_alone_in_both_shapes(running):
    target = "finance/spark?symbols=ZZAAB.IS,THYAO.IS,ZZAAD.IS&range=1d&interval=5m"
    v7, v8 = (ask(running, f"/{version}/{target}").json for version in ("v7", "v8"))
    result = v7["spark"]["result"]
    assert [one["symbol"] for one in result] == ["ZZAAB.IS", "ZZAAD.IS"]
    response = result[0]["response"][0]
    assert list(response["indicators"]["quote"][0]) == ["close"]
    closes, stamps = response["indicators"]["quote"][0]["close"], response["timestamp"]
    assert len(closes) == len(stamps) > 10
    assert closes[-1] == pytest.approx(response["meta"]["regularMarketPrice"], rel=1e-6)
    assert stamps[-1] == response["meta"]["regularMarketTime"]
    assert all(stamp % 300 == 0 for stamp in stamps[:-1])
    assert v8["ZZAAB.IS"]["close"] == closes
    assert result[1]["response"][0]["timestamp"][-1] < OPEN - 3600


def test_spark_takes_twenty_symbols(running):
    for count, status in ((20, 200), (21, 400)):
        symbols = ",".join(f"ZZAB{letter}.IS" for letter in "ABCDEFGHIJKLMNOPQRSTU"[:count])
        assert ask(running, f"/v7/finance/spark?symbols={symbols}").status == status


@pytest.mark.realdata
def test_chart_and_quote_have_the_fields_that_yahoo_was_recorded_to_send(running, recordings):
    folder = recordings / "yahoo_recorded" / "yahoo-finance2"
    recorded = json.loads((folder / "chart-AAPL-2020-08-31-to-2020-11-07.json").read_text())
    real, ours = recorded["response"]["bodyJson"]["chart"]["result"][0], chart(running, "ZZAAA")
    assert list(ours) == [key for key in real if key in ours]
    assert set(ours["meta"]) == set(real["meta"])
    assert set(ours["indicators"]) == set(real["indicators"])
    assert set(ours["indicators"]["quote"][0]) == set(real["indicators"]["quote"][0])
    one, other = (next(iter(told["events"]["splits"].values())) for told in (real, ours))
    assert set(one) == set(other)
    quote = json.loads((folder / "quote-LDO.MI.json").read_text())["response"]["bodyJson"]["quoteResponse"]["result"][0]
    missing = set(quote) - set(quotes(running, "ZZAAB")["ZZAAB"])
    assert [name for name in missing if not any(part in name for part in NOT_PLAYED_IN_QUOTES)] == []


@pytest.mark.realdata
def test_error_bodies_are_those_that_yahoo_sent(running, recordings):
    cases = json.loads((recordings / "yahoo_recorded" / "error_bodies.json").read_text())["cases"]
    sent = {case["body"] for case in cases if "body" in case}
    interval = "interval=5m&period1=1770111238&period2=1770975238"
    targets = {
        "/v8/finance/chart/NOPE.IS": 404,
        f"/v8/finance/chart/ZZAAB.IS?{interval}": 422,
        "/v8/finance/chart/ZZAAB.IS?period1=1565740800&period2=1596067200": 400,
        "/v7/finance/quote?symbols=ZZAAB.IS": 401,
    }
    for target, status in targets.items():
        got = ask(running, target)
        assert got.status == status
        assert got.body.decode() in sent
