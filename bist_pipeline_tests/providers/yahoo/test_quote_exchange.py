"""Quotes, screener and spark against the simulated exchange: three routes, one market; and with its faults."""

import time
from datetime import UTC, date, datetime

import pandas as pd
import pytest

from bist_pipeline.core.clock import SystemClock
from bist_pipeline.providers.contract import Services
from bist_pipeline.providers.yahoo import _screener
from bist_pipeline.providers.yahoo.quote import build_quote
from bist_pipeline.providers.yahoo.spark import build_spark
from bist_pipeline.settings import load_settings
from bist_pipeline.simulator.clock import ExchangeClock
from bist_pipeline.simulator.faults import parse_faults
from bist_pipeline.simulator.market import invent_market
from bist_pipeline.simulator.server import exchange
from bist_pipeline_tests.providers.yahoo.quote_host import WritingPacer

IN_SESSION = datetime(2026, 3, 4, 11, 0, tzinfo=UTC)
PRICES = ["open_try", "high_try", "low_try", "volume_shares"]


@pytest.fixture(scope="module")
def market():
    return invent_market(symbols=300, seed=7, first=date(2026, 1, 5), last=date(2026, 3, 6))


@pytest.fixture
def running(market):
    clock = ExchangeClock(SystemClock(), IN_SESSION, running=False)
    with exchange(market, clock) as running:
        yield running


def made(build, running, **more):
    settings = load_settings(yahoo_hosts=(running.url,), yahoo_requests_per_second=0, **more)
    return build(settings, Services(WritingPacer(), running.clock))


def test_quotes_and_spark_tell_of_the_same_trade(running, market):
    symbols = [*market.symbols(IN_SESSION)[:91], "QUAGR"]
    quotes = made(build_quote, running).quotes(symbols, time.monotonic() + 20)
    spark = made(build_spark, running).quotes(symbols, time.monotonic() + 20)
    assert [request.route for request in running.requests] == ["cookie", "crumb", "quote"] + ["spark"] * 5
    assert quotes.silent == spark.silent == ("QUAGR",)
    same = ["symbol", "as_of", "last_try", "previous_close_try"]
    both = [answer.quotes[same].sort_values("symbol", ignore_index=True) for answer in (quotes, spark)]
    pd.testing.assert_frame_equal(*both, rtol=1e-6)
    assert (quotes.quotes["as_of"] <= pd.Timestamp(IN_SESSION) - pd.Timedelta(minutes=15)).all()
    table = quotes.quotes
    assert ((table["low_try"] <= table["last_try"]) & (table["last_try"] <= table["high_try"])).all()


def test_the_screener_tells_the_same_quotes_as_the_quote_route(running, market):
    symbols = market.symbols(IN_SESSION)
    provider = made(build_quote, running)
    quotes = provider.quotes(symbols, time.monotonic() + 20).quotes
    pages = []
    while not pages or not pages[-1].is_last:
        page = provider._ask_page(sum(page.rows for page in pages), symbols, time.monotonic() + 20)
        pages.append(page)
    screened = pd.concat([page.told.quotes for page in pages])
    assert [page.rows for page in pages] == [_screener.PAGE_ROWS, len(symbols) - _screener.PAGE_ROWS]
    columns = ["symbol", "as_of", "last_try", *PRICES, "previous_close_try"]
    both = [frame[columns].sort_values("symbol", ignore_index=True) for frame in (quotes, screened)]
    pd.testing.assert_frame_equal(*both)


@pytest.mark.parametrize("build", [build_quote, build_spark])
def test_under_faults_every_symbol_is_told_or_failed_and_none_is_taken_for_unknown(running, market, build):
    running.set_faults(parse_faults(["503:0.1", "html:0.1", "cut:0.1", "reset:0.1", "nulls:0.3", "crumb:0.02"]))
    symbols = market.symbols(IN_SESSION)
    # One at a time: the faults are drawn in the order of the requests.
    provider = made(build, running, collector_batch_size=10, collector_max_workers=1, yf_max_retries=10)
    answer = provider.quotes(symbols, time.monotonic() + 20)
    assert len({request.fault for request in running.requests}) >= 4
    told = set(answer.quotes["symbol"])
    assert told | set(answer.failed) == set(symbols)
    assert not told & set(answer.failed)
    assert answer.silent == ()
    assert len(told) >= 0.9 * len(symbols)
