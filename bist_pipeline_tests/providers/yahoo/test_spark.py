"""The spark provider: twenty symbols a request, last prices alone."""

import json
import time
from collections import Counter
from datetime import UTC, datetime

import pytest

from bist_pipeline.core.clock import FixedClock
from bist_pipeline.core.errors import CircuitOpenError
from bist_pipeline.providers.contract import QUOTE_COLUMNS, Services
from bist_pipeline.providers.yahoo.spark import YAHOO_SPARK, build_spark
from bist_pipeline.settings import load_settings
from bist_pipeline_tests.providers.yahoo.quote_host import HTML, MOMENT, Said, WritingPacer, quote_host, spark

CLOCK = FixedClock(datetime.fromtimestamp(MOMENT + 900, UTC))
UNKNOWN = Said(404, {"spark": {"result": None, "error": {"code": "Not Found", "description": "No data found"}}})


@pytest.fixture
def host():
    with quote_host() as running:
        yield running


@pytest.fixture
def pacer():
    return WritingPacer()


@pytest.fixture
def provider(host, pacer):
    settings = load_settings(yahoo_hosts=(host.url,), yahoo_requests_per_second=0, yf_max_retries=1)
    return build_spark(settings, Services(pacer, CLOCK))


def codes(count):
    return [f"Z{number:04d}" for number in range(count)]


def soon():
    return time.monotonic() + 20


def test_92_symbols_take_five_requests_without_cookie_or_crumb(provider, host):
    answer = provider.quotes(codes(92), soon())
    assert Counter(host.routes) == {"spark": 5}
    assert max(len(heard.symbols) for heard in host.heard) == 20
    assert list(answer.quotes["symbol"]) == codes(92)
    assert tuple(answer.quotes.columns) == QUOTE_COLUMNS


def test_it_makes_no_bars(provider):
    answer = provider.quotes(codes(3), soon())
    assert not answer.bars
    assert answer.quotes[["open_try", "high_try", "low_try", "volume_shares"]].isna().all(axis=None)


def test_a_symbol_left_out_is_silent_and_a_failed_batch_is_failed(provider, host):
    def first_fails(heard):
        return Said(200, b"<html></html>", HTML) if "Z0000.IS" in heard.symbols else spark(heard)

    host.script["spark"] = first_fails
    answer = provider.quotes([*codes(25), "QUAGR"], soon())
    assert list(answer.quotes["symbol"]) == codes(25)[20:]
    assert answer.silent == ("QUAGR",)
    assert list(answer.failed) == codes(20)


def test_that_a_whole_list_is_unknown_is_believed_of_a_single_symbol_alone(provider, host):
    host.script["spark"] = [UNKNOWN]
    assert provider.quotes(["QUAGR"], soon()).silent == ("QUAGR",)
    answer = provider.quotes(codes(20), soon())
    assert answer.silent == ()
    assert list(answer.failed) == codes(20)


def test_an_open_circuit_is_passed_on(provider, host, pacer):
    pacer.shut, pacer.shut_after = CircuitOpenError("open", datetime(2026, 3, 2, 10, 0, tzinfo=UTC)), 0
    with pytest.raises(CircuitOpenError):
        provider.quotes(codes(50), soon())
    assert host.routes == []


def test_a_deadline_that_is_over_fails_what_is_left(provider, host):
    answer = provider.quotes(codes(30), time.monotonic() - 1)
    assert (list(answer.failed), host.routes) == (codes(30), [])
    assert all(reason.startswith("deadline") for reason in answer.failed.values())


def test_nothing_is_asked_for_nobody(provider, host):
    assert len(provider.quotes([], soon()).quotes) == 0
    assert host.routes == []


def test_a_reason_is_one_line(provider, host):
    host.script["spark"] = [Said(500, b"<html>\n<h1>\x00Oops</h1>\n</html>", HTML)]
    reasons = provider.quotes(["THYAO"], soon()).failed
    assert "\n" not in json.dumps(reasons["THYAO"]).replace("\\n", "\n")


def test_the_declaration_tells_of_the_session_in_progress_alone():
    assert YAHOO_SPARK.name == "yahoo_spark"
    assert YAHOO_SPARK.build is None
    assert YAHOO_SPARK.delay.total_seconds() == 900
