"""The client on the wire: what becomes of each kind of answer, and how often it is asked."""

import json
import time

import pytest

from bist_pipeline.core.errors import (
    BadPayloadError,
    CircuitOpenError,
    DeadlineError,
    PermanentProviderError,
    ProviderError,
    ThrottledError,
    TransientProviderError,
    UnknownSymbolError,
)
from bist_pipeline.providers.contract import Services
from bist_pipeline.providers.yahoo import _session
from bist_pipeline.providers.yahoo._client import MOST_THROTTLES, YahooClient
from bist_pipeline.providers.yahoo._errors import BadBody, BadField, UnauthorizedError
from bist_pipeline_tests.providers.yahoo.scripted import (
    HTML_PAGE,
    INVALID_CRUMB,
    NOT_FOUND,
    Step,
    circuit_open,
    scripted_host,
    settings_for,
)

GOOD = b'{"good": 1}'
THROTTLED = Step(429, b"Too Many Requests\r\n", content_type="text/html")
UNAVAILABLE = Step(503, HTML_PAGE, content_type="text/html")


def read_good(answer):
    if answer.body != GOOD:
        raise BadBody("not good")
    return json.loads(answer.body)["good"]


@pytest.fixture
def client(host, second_host, services):
    return YahooClient(settings_for(host, second_host), services, "yahoo_chart", sleep=lambda _: None)


def ask(client, **options):
    return client.send("chart", "/v8/finance/chart/THYAO.IS", {"interval": "1d"}, read_good, symbol="THYAO", **options)


def test_a_good_answer_is_read_and_costs_one_request(client, host, second_host, pacer):
    host.answer(GOOD)
    assert ask(client) == 1
    assert (len(host.seen), len(second_host.seen)) == (1, 0)
    assert [(a.family, a.host, a.provider, a.route, a.symbol, a.attempt) for a in pacer.asks] == [
        ("yahoo", host.url, "yahoo_chart", "chart", "THYAO", 1)
    ]
    reply = pacer.replies[0]
    assert (reply.outcome, reply.status, reply.bytes) == ("answered", 200, len(GOOD))
    assert 0 < reply.elapsed_seconds < 5


def test_the_query_arrives_as_it_was_meant(client, host):
    host.answer(GOOD)
    client.send("chart", "/v8/finance/chart/A.IS", {"events": "div|split", "symbols": "A.IS,B.IS"}, read_good)
    assert host.seen[0].query == {"events": "div|split", "symbols": "A.IS,B.IS"}
    assert host.seen[0].method == "GET"
    assert "application/json" in host.seen[0].headers["accept"]


def test_a_body_is_posted_as_json(client, host):
    host.answer(GOOD)
    ask(client, body={"size": 250})
    assert (host.seen[0].method, json.loads(host.seen[0].body)) == ("POST", {"size": 250})


@pytest.mark.parametrize(
    ("step", "outcome"),
    [
        (Step(kind="reset"), "connection"),
        (Step(200, GOOD * 1000, kind="cut"), "connection"),
        (Step(200, HTML_PAGE, content_type="text/html"), "bad_body"),
        (Step(200, GOOD[:5]), "bad_body"),
        (Step(200, b'{"quoteResponse": {}}'), "bad_body"),
        (Step(500, HTML_PAGE), "server_error"),
        (Step(502, b""), "server_error"),
        (UNAVAILABLE, "server_error"),
        (Step(404, HTML_PAGE, content_type="text/html"), "bad_body"),
        (Step(400, HTML_PAGE, content_type="text/html"), "bad_body"),
        (Step(302, b"", {"Location": "https://guce.yahoo.com/consent"}), "bad_body"),
        (Step(204, b""), "bad_body"),
    ],
    ids=lambda value: f"{value.kind}-{value.status}" if isinstance(value, Step) else value,
)
def test_a_fault_of_one_host_is_tried_again_at_the_next(client, host, second_host, pacer, step, outcome):
    host.will(step)
    second_host.answer(GOOD)
    assert ask(client) == 1
    assert pacer.outcomes == [outcome, "answered"]
    assert [a.host for a in pacer.asks] == [host.url, second_host.url]
    assert [a.attempt for a in pacer.asks] == [1, 2]
    assert pacer.waits == [1]


def test_a_host_that_nobody_listens_on_is_a_fault_of_connection(services, pacer, host):
    with scripted_host() as gone:
        pass
    client = YahooClient(settings_for(gone, host), services, "yahoo_chart", sleep=lambda _: None)
    host.answer(GOOD)
    assert ask(client) == 1
    assert pacer.outcomes == ["connection", "answered"]


def test_hosts_take_turns_and_tries_are_bounded(client, host, second_host, pacer):
    host.will(*[UNAVAILABLE] * 9)
    second_host.will(*[UNAVAILABLE] * 9)
    with pytest.raises(TransientProviderError, match=r"^THYAO: chart: http\S+ gave 503 <!DOCTYPE html>.*5 tries"):
        ask(client)
    assert [a.host for a in pacer.asks] == [host.url, second_host.url, host.url, second_host.url, host.url]
    assert pacer.waits == [1, 2, 3, 4]


def test_the_failure_shows_no_more_than_the_beginning_of_a_page_on_one_line(client, host, second_host):
    page = Step(500, b"line\r\n\x00\x1b[31m" + b"x" * 5000)
    host.will(*[page] * 3)
    second_host.will(*[page] * 2)
    with pytest.raises(TransientProviderError) as caught:
        ask(client)
    assert len(str(caught.value)) < 250
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("retries", [0, 2])
def test_the_number_of_further_tries_is_a_setting(host, services, pacer, retries):
    client = YahooClient(settings_for(host, yf_max_retries=retries), services, "x", sleep=lambda _: None)
    host.will(*[UNAVAILABLE] * 9)
    with pytest.raises(TransientProviderError):
        ask(client)
    assert len(pacer.asks) == 1 + retries


def test_yahoos_word_for_an_unknown_symbol_is_final(client, host, pacer):
    host.answer(NOT_FOUND, 404)
    with pytest.raises(UnknownSymbolError, match=r"^THYAO: chart: Not Found: No data found, symbol may be delisted$"):
        ask(client)
    assert pacer.outcomes == ["unknown"]


@pytest.mark.parametrize(
    "body",
    [
        HTML_PAGE,
        b"",
        b'{"finance":{"result":null,"error":{"code":"Not Found","description":"HTTP 404 Not Found"}}}',
        b'{"quoteSummary":{"result":null,"error":{"code":"Not Found","description":"No fundamentals data found"}}}',
        b'{"chart":{"result":null,"error":null}}',
        b'{"chart":{"result":null,"error":{"code":"Internal","description":"x"}}}',
        b"[" * 5000,
    ],
)
def test_any_other_404_is_no_delisting(client, host, second_host, pacer, body):
    host.will(*[Step(404, body)] * 3)
    second_host.will(*[Step(404, body)] * 3)
    with pytest.raises(TransientProviderError):
        ask(client)
    assert set(pacer.outcomes) == {"bad_body"}


def test_a_request_that_yahoo_refuses_is_not_repeated_and_its_words_are_passed_on(client, host, pacer):
    body = {"chart": {"result": None, "error": {"code": "Unprocessable Entity", "description": "last 60 days."}}}
    host.answer(body, 422)
    with pytest.raises(PermanentProviderError, match="Unprocessable Entity: last 60 days") as caught:
        ask(client)
    assert type(caught.value) is PermanentProviderError
    assert pacer.outcomes == ["refused"]


def test_no_data_in_the_range_is_no_delisting(client, host, pacer):
    body = {"chart": {"result": None, "error": {"code": "Bad Request", "description": "Data doesn't exist for x"}}}
    host.answer(body, 400)
    with pytest.raises(BadPayloadError, match="no bars"):
        ask(client)
    assert pacer.outcomes == ["refused"]


@pytest.mark.parametrize("status", [401, 403, 999])
def test_a_refused_session_is_renewed_once_and_the_request_sent_again(client, host, second_host, pacer, status):
    renewed = []
    client.on_unauthorized = lambda: renewed.append(1)
    host.will(Step(status, INVALID_CRUMB))
    host.answer(GOOD)
    assert ask(client) == 1
    assert renewed == [1]
    assert pacer.outcomes == ["unauthorized", "answered"]
    assert second_host.seen == []


def test_a_session_that_is_refused_twice_is_a_transient_failure_with_yahoos_words(client, host, pacer):
    host.will(*[Step(401, INVALID_CRUMB)] * 2)
    with pytest.raises(UnauthorizedError, match="Invalid Crumb") as caught:
        ask(client)
    assert caught.value.words == "Unauthorized: Invalid Crumb"
    assert pacer.outcomes == ["unauthorized"] * 2


def test_a_renewal_that_is_refused_itself_is_not_renewed_again(client, host, pacer):
    client.on_unauthorized = lambda: client.send("crumb", "/v1/test/getcrumb", {}, read_good)
    host.will(*[Step(401, INVALID_CRUMB)] * 5)
    with pytest.raises(UnauthorizedError, match="crumb: "):
        ask(client)
    assert [a.route for a in pacer.asks] == ["chart", "crumb"]


def test_a_renewed_crumb_reaches_the_next_try(client, host):
    crumb = ["old"]
    client.on_unauthorized = lambda: crumb.append("new")
    host.will(Step(401, INVALID_CRUMB))
    host.answer(GOOD)
    client.send("quote", "/v7/finance/quote", lambda: {"crumb": crumb[-1]}, read_good)
    assert [seen.query["crumb"] for seen in host.seen] == ["old", "new"]


def test_a_429_is_no_fault_of_the_host_and_costs_no_try(host, second_host, services, pacer):
    client = YahooClient(settings_for(host, second_host, yf_max_retries=0), services, "x", sleep=lambda _: None)
    host.will(*[THROTTLED] * 7)
    host.answer(GOOD)
    assert ask(client) == 1
    assert pacer.outcomes == ["throttled"] * 7 + ["answered"]
    assert second_host.seen == []
    assert pacer.waits == []


def test_the_pacer_ends_a_series_of_429s(client, host, pacer):
    host.will(*[THROTTLED] * 9)
    pacer.throttles_until_open = 3
    with pytest.raises(CircuitOpenError, match="open until"):
        ask(client)
    assert pacer.outcomes == ["throttled"] * 3


def test_without_a_pacer_that_ends_it_a_series_of_429s_ends_all_the_same(client, host, pacer):
    host.will(*[THROTTLED] * (MOST_THROTTLES + 5))
    with pytest.raises(ThrottledError, match=f"{MOST_THROTTLES} times"):
        ask(client)
    assert len(host.seen) == MOST_THROTTLES


def test_the_text_of_a_429_with_another_status_is_one(client, host, pacer):
    host.will(Step(200, b"Too Many Requests\r\n", content_type="text/plain"))
    host.answer(GOOD)
    assert client.send("crumb", "/v1/test/getcrumb", {}, lambda answer: answer.body) == GOOD
    assert pacer.outcomes == ["throttled", "answered"]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "120"}, 120.0),
        ({"Retry-After": "Fri, 07 Aug 2026 12:01:30 GMT"}, 90.0),  # the fixed clock shows 12:00
        ({"Retry-After": "Fri, 07 Aug 2026 11:00:00 GMT"}, 0.0),
        ({"Retry-After": "Fri, 07 Aug 2026 11:00:05 GMT", "Date": "Fri, 07 Aug 2026 11:00:00 GMT"}, 5.0),
        ({"Retry-After": "9" * 400}, 86_400.0),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_what_the_host_asks_for_reaches_the_pacer(client, host, pacer, headers, seconds):
    host.will(Step(429, b"Too Many Requests\r\n", headers))
    host.answer(GOOD)
    ask(client)
    assert pacer.replies[0].retry_after_seconds == seconds


def test_an_open_circuit_of_one_host_leads_to_the_other(client, host, second_host, pacer):
    pacer.open[host.url] = circuit_open(host.url)
    second_host.answer(GOOD)
    assert ask(client) == 1
    assert host.seen == []
    assert pacer.waits == []


@pytest.mark.parametrize("minutes", [(32, 40), (40, 32)])
def test_open_circuits_of_all_hosts_end_the_request_until_the_first_of_them_lets_one_through(
    client, host, second_host, pacer, minutes
):
    hosts = (host.url, second_host.url)
    pacer.open = {url: circuit_open(url, minute) for url, minute in zip(hosts, minutes, strict=True)}
    with pytest.raises(CircuitOpenError, match=r"^circuit of http\S+ open until 14:32; circuit of http") as caught:
        ask(client)
    assert (caught.value.until.minute, caught.value.is_of_one_host) == (32, False)
    assert all(url in str(caught.value) for url in hosts)
    assert pacer.asks == []


def test_the_only_host_of_a_request_is_not_the_only_one_of_the_family(client, host, second_host, pacer):
    pacer.open[second_host.url] = circuit_open(second_host.url)
    with pytest.raises(CircuitOpenError) as caught:
        ask(client, hosts=[second_host.url])
    assert caught.value.is_of_one_host


def test_the_familys_open_circuit_is_asked_for_once(client, host, second_host, pacer):
    asked = []

    def shut(ask, _deadline=None):
        asked.append(ask.host)
        raise circuit_open("yahoo")

    pacer.acquire = shut
    with pytest.raises(CircuitOpenError, match="circuit of yahoo") as caught:
        ask(client)
    assert (asked, caught.value.is_of_one_host) == ([host.url], False)


def test_a_host_whose_circuit_opens_on_the_way_leaves_the_tries_to_the_other(client, host, second_host, pacer):
    pacer.open[host.url] = circuit_open(host.url)
    second_host.will(UNAVAILABLE, UNAVAILABLE)
    second_host.answer(GOOD)
    assert ask(client) == 1
    assert [a.host for a in pacer.asks] == [second_host.url] * 3


def test_nothing_is_sent_after_the_deadline(client, host):
    with pytest.raises(DeadlineError, match="THYAO: chart"):
        ask(client, deadline=time.monotonic() - 1)
    assert host.seen == []


def test_no_wait_goes_beyond_the_deadline(client, host, pacer):
    host.will(UNAVAILABLE)
    pacer.wait_seconds = 60.0
    with pytest.raises(DeadlineError, match="503"):
        ask(client, deadline=time.monotonic() + 5)
    assert pacer.outcomes == ["server_error"]


def test_a_late_answer_is_not_waited_for_beyond_the_deadline(client, host, pacer):
    host.will(Step(200, GOOD, kind="late"))
    begun = time.monotonic()
    with pytest.raises(DeadlineError):
        ask(client, deadline=begun + 0.3)
    assert time.monotonic() - begun < 2
    assert pacer.outcomes == ["timeout"]


def test_a_late_answer_is_a_timeout_and_the_next_host_is_asked(client, host, second_host, pacer, monkeypatch):
    monkeypatch.setattr("bist_pipeline.providers.yahoo._request.TOTAL_SECONDS", 0.3)
    host.will(Step(200, GOOD, kind="late"))
    second_host.answer(GOOD)
    assert ask(client) == 1
    assert pacer.outcomes == ["timeout", "answered"]


def test_a_body_without_end_is_given_up(client, host, second_host, pacer, monkeypatch):
    monkeypatch.setattr(_session, "LONGEST_BODY", 100_000)
    host.will(Step(200, b"x" * 400_000))
    second_host.answer(GOOD)
    assert ask(client) == 1
    assert pacer.outcomes == ["connection", "answered"]
    assert "more than" in pacer.replies[0].detail


@pytest.mark.parametrize("error", [KeyboardInterrupt, KeyError, BadPayloadError("foreign")])
def test_leave_is_given_back_whatever_reading_does(client, host, pacer, error):
    def read(_):
        raise error

    host.answer(GOOD)
    with pytest.raises(error if isinstance(error, type) else type(error)):
        client.send("chart", "/", {}, read)
    assert pacer.held == 0
    assert len(pacer.replies) == 1


def test_leave_is_given_back_when_a_person_interrupts_the_request(client, host, pacer, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(client._sessions, "exchange", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ask(client)
    assert (pacer.held, pacer.outcomes) == (0, ["connection"])


def test_an_answer_that_reading_refuses_is_a_good_answer_of_the_host(client, host, pacer):
    def read(_):
        raise BadPayloadError("in USD")

    host.answer(GOOD)
    with pytest.raises(BadPayloadError, match="in USD"):
        client.send("chart", "/", {}, read)
    assert pacer.outcomes == ["answered"]


def test_an_odd_field_is_the_fault_of_the_symbol_and_asked_once(client, host, second_host, pacer):
    def read(_):
        raise BadField("its time is None")

    host.answer(GOOD)
    with pytest.raises(BadPayloadError, match=r"^THYAO: chart: Yahoo's answer cannot be used: its time is None$"):
        client.send("chart", "/", {}, read, symbol="THYAO")
    assert (pacer.outcomes, pacer.waits, second_host.seen) == (["answered"], [], [])
    assert pacer.replies[0].detail.endswith("its time is None")


SECRET = "haT3oykhHqZ"
ECHOES = [
    f"The requested URL /v7/finance/quote?symbols=A.IS&crumb={SECRET} was not found on this server",
    f"<p>GET /v7/finance/quote?crumb={SECRET}&amp;symbols=A.IS</p>",
    f"quote%3Fcrumb%3D{SECRET}%26symbols",
    f'{{"url": {{"Crumb" : "{SECRET}"}}}}',
    json.dumps({"said": json.dumps({"crumb": SECRET})}),
    f"{'x' * 60} crumb={SECRET}",
]


@pytest.mark.parametrize("body", ECHOES)
@pytest.mark.parametrize("status", [200, 401, 404, 502])
def test_a_crumb_that_a_page_repeats_is_not_passed_on(client, host, second_host, pacer, body, status):
    host.will(*[Step(status, body.encode())] * 9)
    second_host.will(*[Step(status, body.encode())] * 9)
    with pytest.raises(TransientProviderError) as caught:
        ask(client)
    told = [str(caught.value), *(reply.detail for reply in pacer.replies)]
    assert not [line for line in told if SECRET[:4] in line]


ERROR = {"finance": {"result": None, "error": {"code": SECRET, "description": SECRET}}}
DATA = {"chart": {"result": None, "error": {"code": "Not Found", "description": SECRET}}}


@pytest.mark.parametrize("route", ["cookie", "crumb"])
@pytest.mark.parametrize("body", [SECRET.encode(), json.dumps(ERROR).encode(), json.dumps(DATA).encode()])
@pytest.mark.parametrize("status", [200, 400, 401, 404, 422, 429, 500])
def test_nothing_of_an_answer_to_cookie_or_crumb_is_shown_or_stored(
    client, host, second_host, pacer, route, body, status
):
    pacer.throttles_until_open = 2
    for each in (host, second_host):
        each.will(*[Step(status, body)] * 9)
    with pytest.raises(ProviderError) as caught:
        client.send(route, "/", {}, read_good)
    assert SECRET not in str(caught.value) + repr(getattr(caught.value, "words", ""))
    assert pacer.replies
    assert not [reply for reply in pacer.replies if SECRET in reply.detail]


def test_without_a_pacer_nothing_is_sent(host):
    with pytest.raises(TransientProviderError, match="yahoo_chart cannot be asked without a database"):
        ask(YahooClient(settings_for(host), Services(), "yahoo_chart"))
    assert host.seen == []


def test_a_route_may_accept_other_statuses(client, host, pacer):
    host.will(Step(404, b"", {"Set-Cookie": "A3=abc; Domain=.yahoo.com"}))
    accept = frozenset({200, 404})
    answer = client.send("cookie", "/", {}, lambda answer: answer, accept=accept)
    assert (answer.status, answer.headers["set-cookie"]) == (404, "A3=abc; Domain=.yahoo.com")
    assert pacer.outcomes == ["answered"]


def test_other_hosts_may_be_named(client, host, second_host):
    second_host.answer(GOOD)
    assert ask(client, hosts=[second_host.url]) == 1
    assert host.seen == []
