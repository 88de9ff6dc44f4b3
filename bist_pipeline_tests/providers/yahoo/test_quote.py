"""The quote provider: how many requests it takes, and what it does where Yahoo refuses it."""

import time
from collections import Counter
from datetime import UTC, datetime

import pytest

from bist_pipeline.core.clock import FixedClock
from bist_pipeline.core.errors import CircuitOpenError, TransientProviderError
from bist_pipeline.providers.contract import QUOTE_COLUMNS, Services
from bist_pipeline.providers.yahoo.quote import LONGEST_URL, YAHOO_QUOTE, build_quote
from bist_pipeline.settings import load_settings
from bist_pipeline_tests.providers.yahoo.quote_host import (
    HTML,
    INVALID_CRUMB,
    MOMENT,
    NO_ACCESS,
    PLAIN,
    Said,
    WritingPacer,
    quote,
    quote_host,
    quotes,
)

CLOCK = FixedClock(datetime.fromtimestamp(MOMENT + 900, UTC))
CONSENT = Said(307, headers={"Location": "https://guce.yahoo.com/consent?brandType=nonEu"}, kind=HTML)
UNTIL = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@pytest.fixture
def host():
    with quote_host() as running:
        yield running


@pytest.fixture
def pacer():
    return WritingPacer()


@pytest.fixture
def provider(host, pacer):
    return make(host, pacer)


def make(host, pacer, **more):
    settings = load_settings(yahoo_hosts=(host.url,), yahoo_requests_per_second=0, **more)
    return build_quote(settings, Services(pacer, CLOCK))


def codes(count):
    return [f"Z{number:04d}" for number in range(count)]


def soon():
    return time.monotonic() + 20


def screener(rows):
    """Pages of as many shares of the exchange as `rows`."""

    def page(heard):
        offset = heard.body["offset"]
        told = [quote(f"{code}.IS") for code in codes(rows)[offset : offset + heard.body["size"]]]
        return Said(content={"finance": {"result": [{"total": rows, "quotes": told}], "error": None}})

    return page


def test_a_refresh_of_92_symbols_takes_three_requests_and_the_next_one_a_single_one(provider, host):
    answer = provider.quotes(codes(92), soon())
    assert host.routes == ["cookie", "crumb", "quote"]
    assert list(answer.quotes["symbol"]) == codes(92)
    assert tuple(answer.quotes.columns) == QUOTE_COLUMNS
    assert (answer.silent, dict(answer.failed), answer.bars) == ((), {}, True)
    provider.quotes(codes(92), soon())
    assert host.routes[3:] == ["quote"]


def test_five_hundred_symbols_take_seven_requests_of_bearable_length(provider, host):
    assert len(provider.quotes(codes(500), soon()).quotes) == 500
    assert Counter(host.routes) == {"cookie": 1, "crumb": 1, "quote": 5}


def test_no_address_is_longer_than_what_every_proxy_takes(host, pacer):
    provider = make(host, pacer, collector_batch_size=1000)
    assert len(provider.quotes(codes(600), soon()).quotes) == 600
    assert max(len(host.url + heard.target) for heard in host.heard) <= LONGEST_URL
    assert host.routes.count("quote") <= 5


def test_a_symbol_that_a_good_answer_leaves_out_is_silent_and_repetitions_are_asked_once(provider, host):
    answer = provider.quotes(["THYAO", "QUAGR", "THYAO"], soon())
    assert list(answer.quotes["symbol"]) == ["THYAO"]
    assert answer.silent == ("QUAGR",)
    assert host.heard[-1].symbols == ["THYAO.IS", "QUAGR.IS"]


def test_nothing_is_asked_for_nobody(provider, host):
    answer = provider.quotes([], soon())
    assert (len(answer.quotes), tuple(answer.quotes.columns), host.routes) == (0, QUOTE_COLUMNS, [])


def test_a_failed_batch_fails_with_its_reason_and_the_others_stand(host, pacer):
    def second_fails(heard):
        return Said(503, b"<h1>Will be right back...</h1>", HTML) if "Z0010.IS" in heard.symbols else quotes(heard)

    host.script["quote"] = second_fails
    provider = make(host, pacer, collector_batch_size=10, yf_max_retries=1)
    answer = provider.quotes(codes(30), soon())
    assert list(answer.quotes["symbol"]) == codes(30)[:10] + codes(30)[20:]
    assert list(answer.failed) == codes(30)[10:20]
    assert "503" in answer.failed["Z0010"]
    assert answer.silent == ()


def test_a_quote_of_the_future_is_none(provider, host):
    late = quote("THYAO.IS", regularMarketTime=MOMENT + 901)
    host.script["quote"] = lambda _: Said(content={"quoteResponse": {"result": [late], "error": None}})
    assert "future" in provider.quotes(["THYAO"], soon()).failed["THYAO"]


def test_a_refused_session_is_renewed_once_and_the_crumb_with_it(provider, host, pacer):
    provider.quotes(["THYAO"], soon())
    host.forget()
    host.heard.clear()
    answer = provider.quotes(["THYAO"], soon())
    assert host.routes == ["quote", "cookie", "crumb", "quote"]
    assert list(answer.quotes["symbol"]) == ["THYAO"]
    assert ("quote", "unauthorized") in pacer.replies


def test_many_batches_at_once_renew_a_refused_session_together(host, pacer):
    provider = make(host, pacer, collector_batch_size=10, collector_max_workers=8)
    provider.quotes(codes(10), soon())

    def forget_on_second(heard):
        if "Z0010.IS" in heard.symbols and not forgotten:
            forgotten.append(heard)
            host.forget()
            return Said(401, INVALID_CRUMB)
        return quotes(heard)

    forgotten = []
    host.script["quote"] = forget_on_second
    host.heard.clear()
    assert len(provider.quotes(codes(80), soon()).quotes) == 80
    # One begun in the very moment of the renewal may renew once more; seven would if each did for itself.
    assert Counter(host.routes)["cookie"] <= 2


def test_where_quotes_are_refused_to_a_new_session_too_the_screener_is_asked(provider, host):
    host.script |= {"quote": [Said(401, NO_ACCESS)], "screener": screener(600)}
    answer = provider.quotes([*codes(500), "XU100"], soon())
    assert host.routes == ["cookie", "crumb", "quote", "cookie", "crumb", "quote", *["screener"] * 3]
    assert [heard.body["offset"] for heard in host.heard[-3:]] == [0, 250, 500]
    assert sorted(answer.quotes["symbol"]) == codes(500)
    # An index is no share: the screener does not have it, which says nothing of whether it exists.
    assert (answer.silent, list(answer.failed)) == ((), ["XU100"])
    assert "unable to access" in answer.failed["XU100"]


def test_pages_that_came_before_a_fault_of_the_screener_count(host, pacer):
    pages = screener(600)
    broken = Said(502, b"<html></html>", HTML)
    host.script |= {
        "quote": [Said(401, NO_ACCESS)],
        "screener": lambda heard: pages(heard) if heard.body["offset"] < 250 else broken,
    }
    answer = make(host, pacer, yf_max_retries=0).quotes(codes(300), soon())
    assert list(answer.quotes["symbol"]) == codes(250)
    assert list(answer.failed) == codes(300)[250:]
    assert "502" in answer.failed["Z0250"]


def test_where_the_screener_is_refused_too_another_provider_is_to_be_asked(provider, host):
    host.script |= {"quote": [Said(401, NO_ACCESS)], "screener": [Said(401, NO_ACCESS)]}
    with pytest.raises(TransientProviderError, match="unable to access"):
        provider.quotes(codes(3), soon())
    assert len(host.routes) <= 12


@pytest.mark.parametrize("route", ["cookie", "crumb"])
def test_where_yahoo_asks_for_consent_it_is_said_and_asked_once(provider, host, route):
    host.script[route] = [CONSENT]
    with pytest.raises(TransientProviderError, match=r"consent.*yahoo_spark"):
        provider.quotes(codes(3), soon())
    assert host.routes.count(route) == 1
    assert "quote" not in host.routes


def test_a_session_that_is_lost_for_good_costs_a_handful_of_requests(host, pacer):
    provider = make(host, pacer, collector_batch_size=10)
    provider.quotes(codes(10), soon())
    host.forget()
    host.heard.clear()
    host.script["cookie"] = [CONSENT]
    with pytest.raises(TransientProviderError, match="consent"):
        provider.quotes(codes(100), soon())
    assert host.routes == ["quote", "cookie"]
    host.script.pop("cookie")
    assert len(provider.quotes(codes(100), soon()).quotes) == 100


@pytest.mark.parametrize(
    "crumb",
    [
        Said(200, b"Too Many Requests\r\n", PLAIN),
        Said(200, b"<html>crumbcrumb</html>", HTML),
        Said(200, b"haT3oykhHqZ", HTML),
        Said(200, b"", PLAIN),
        Said(200, INVALID_CRUMB),
    ],
)
def test_what_is_no_crumb_is_never_sent_as_one(host, pacer, crumb):
    host.script["crumb"] = [crumb, Said(200, b"visitor1", PLAIN)]
    provider = make(host, pacer)
    assert list(provider.quotes(["THYAO"], soon()).quotes["symbol"]) == ["THYAO"]
    assert host.routes == ["cookie", "crumb", "crumb", "quote"]


def test_an_open_circuit_is_passed_on_where_nothing_was_answered(host, pacer):
    pacer.shut, pacer.shut_after = CircuitOpenError("yahoo: circuit open until 13:00", UNTIL), 0
    with pytest.raises(CircuitOpenError) as caught:
        make(host, pacer).quotes(codes(3), soon())
    assert caught.value.until == UNTIL
    assert host.routes == []


def test_where_the_host_of_cookies_is_shut_other_providers_may_be_asked(pacer):
    settings = load_settings(yahoo_hosts=("https://query2.finance.yahoo.com",))
    pacer.shut, pacer.shut_after = CircuitOpenError("fc.yahoo.com: open", UNTIL, is_of_one_host=True), 0
    with pytest.raises(TransientProviderError, match=r"no cookie.*yahoo_spark.*fc\.yahoo\.com: open") as caught:
        build_quote(settings, Services(pacer, CLOCK)).quotes(codes(3), soon())
    assert not isinstance(caught.value, CircuitOpenError)


def test_quotes_are_asked_for_with_their_currency_and_do_without_it(provider, host):
    lean = {name: value for name, value in quote("THYAO.IS").items() if name != "currency"}
    host.script["quote"] = lambda _: Said(content={"quoteResponse": {"result": [lean], "error": None}})
    assert list(provider.quotes(["THYAO"], soon()).quotes["symbol"]) == ["THYAO"]
    assert "currency" in host.heard[-1].query["fields"].split(",")


def test_a_refused_crumb_is_written_down_nowhere(host, pacer):
    host.script["crumb"] = [Said(200, b"haT3oyk hHqZ", PLAIN), Said(200, b"visitor1", PLAIN)]
    details = []
    pacer.release = lambda lease, ask, reply: details.append((reply.outcome, reply.detail))
    make(host, pacer).quotes(["THYAO"], soon())
    assert details[1] == ("bad_body", "200 no crumb")


def test_what_arrived_before_the_circuit_opened_is_used(host, pacer):
    pacer.shut, pacer.shut_after = CircuitOpenError("yahoo: circuit open until 13:00", UNTIL), 3
    answer = make(host, pacer, collector_batch_size=10).quotes(codes(30), soon())
    assert list(answer.quotes["symbol"]) == codes(10)
    assert set(answer.failed.values()) == {"yahoo: circuit open until 13:00"}
    assert len(answer.failed) == 20


def test_a_deadline_that_is_over_fails_what_is_left_without_a_request(provider, host):
    answer = provider.quotes(codes(3), time.monotonic() - 1)
    assert host.routes == []
    assert all(reason.startswith("deadline") for reason in answer.failed.values())
    assert list(answer.failed) == codes(3)


def test_without_a_pacer_nothing_is_asked(host):
    with pytest.raises(TransientProviderError, match="keeps the pace"):
        make(host, None).quotes(["THYAO"], soon())
    assert host.routes == []


def test_the_declaration_tells_of_the_session_in_progress_alone():
    assert YAHOO_QUOTE.name == "yahoo_quote"
    assert YAHOO_QUOTE.build is None
    assert YAHOO_QUOTE.delay.total_seconds() == 900
    assert "personal use" in YAHOO_QUOTE.terms
