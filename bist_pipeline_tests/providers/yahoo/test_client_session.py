"""Cookies, user agents, and what the exchange says of itself."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from bist_pipeline.core.errors import SettingsError, TransientProviderError
from bist_pipeline.providers.yahoo._about import Note
from bist_pipeline.providers.yahoo._client import YahooClient
from bist_pipeline.providers.yahoo._session import is_loopback, is_yahoos_own
from bist_pipeline.settings import Settings
from bist_pipeline_tests.providers.yahoo.scripted import (
    HTML_PAGE,
    INVALID_CRUMB,
    Step,
    scripted_host,
    settings_for,
)

AGENTS = ("Agent/1", "Agent/2", "Agent/3")
NOTE = {"kind": "replayed", "basis": "fully_adjusted", "now": "2026-08-07T15:00:00+03:00", "label": "REPLAYED"}


def make_client(services, *hosts, **values):
    return YahooClient(settings_for(*hosts, **values), services, "yahoo_quote", sleep=lambda _: None)


def ask(client):
    return client.send("quote", "/", {}, lambda answer: answer)


def test_cookies_of_one_thread_travel_with_the_requests_of_all(services, host):
    client = make_client(services, host)
    host.will(Step(200, b"{}", {"Set-Cookie": "A3=abc; Path=/; Secure"}), Step(200, b"{}"))
    with ThreadPoolExecutor(1) as pool:
        pool.submit(ask, client).result()
    ask(client)
    assert ["cookie" in seen.headers for seen in host.seen] == [False, True]
    assert host.seen[1].headers["cookie"] == "A3=abc"


def test_cookies_of_one_client_are_none_of_anothers(services, host):
    host.will(Step(200, b"{}", {"Set-Cookie": "A3=abc"}), Step(200, b"{}"))
    ask(make_client(services, host))
    ask(make_client(services, host))
    assert "cookie" not in host.seen[1].headers


def test_a_new_session_has_no_cookies_of_the_old_one(services, host):
    client = make_client(services, host)
    host.will(Step(200, b"{}", {"Set-Cookie": "A3=abc"}), Step(401, INVALID_CRUMB), Step(200, b"{}"))
    ask(client)
    ask(client)
    assert ["cookie" in seen.headers for seen in host.seen] == [False, True, False]


def test_the_user_agent_stays_for_a_session_and_changes_with_it(services, host):
    client = make_client(services, host, yf_user_agents=AGENTS)
    host.will(*[Step(200, b"{}")] * 3, Step(401, INVALID_CRUMB), Step(200, b"{}"))
    for _ in range(4):
        ask(client)
    agents = [seen.headers["user-agent"] for seen in host.seen]
    assert len(set(agents[:4])) == 1
    assert agents[4] != agents[3]
    assert set(agents) <= set(AGENTS)


def test_threads_that_are_refused_together_renew_the_session_once(services, host, pacer):
    client = make_client(services, host)
    renewed = []
    client.on_unauthorized = lambda: renewed.append(1)
    generation = client._sessions.generation
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: client._renew(generation), range(4)))
    assert renewed == [1]


def test_an_exchange_that_says_what_it_is_is_believed(services, host, pacer):
    client = make_client(services, host)
    host.answer(NOTE)
    host.answer(NOTE)
    assert client.market_kind() == "replayed"
    assert client.about() == Note("replayed", "fully_adjusted", datetime(2026, 8, 7, 12, 0, tzinfo=UTC))
    assert {seen.path for seen in host.seen} == {"/simulator"}
    assert pacer.asks == []


def test_the_kind_of_market_is_asked_once(services, host):
    client = make_client(services, host)
    host.answer(NOTE)
    assert [client.market_kind() for _ in range(3)] == ["replayed"] * 3
    assert len(host.seen) == 1


def test_a_host_that_passes_yahoos_answers_on_is_the_real_market(services, host):
    host.will(Step(404, HTML_PAGE, content_type="text/html"))
    assert make_client(services, host).market_kind() == "real"


def test_yahoos_own_hosts_are_the_real_market_and_are_not_asked(services):
    client = YahooClient(Settings(), services, "yahoo_chart")
    assert (client.market_kind(), client.about()) == ("real", None)


@pytest.mark.parametrize(
    "step",
    [
        Step(200, b'{"kind": "invented"}', {"X-Simulated": "SIMULATED"}),
        Step(503, HTML_PAGE),
        Step(kind="reset"),
    ],
    ids=["unclear", "unavailable", "reset"],
)
def test_a_host_that_does_not_say_what_it_is_is_not_taken_for_real(services, host, step):
    host.will(step)
    with pytest.raises(TransientProviderError, match=host.url):
        make_client(services, host).market_kind()


def test_hosts_of_different_markets_are_refused(services, host, second_host):
    host.answer(NOTE)
    second_host.will(Step(404))
    with pytest.raises(SettingsError, match="YAHOO_HOSTS"):
        make_client(services, host, second_host).market_kind()


def test_a_dead_host_does_not_hide_what_the_other_says(services, second_host):
    with scripted_host() as gone:
        pass
    second_host.answer(NOTE)
    assert make_client(services, gone, second_host).market_kind() == "replayed"


@pytest.mark.parametrize(
    ("url", "own", "loopback"),
    [
        ("https://query2.finance.yahoo.com", True, False),
        ("https://fc.yahoo.com", True, False),
        ("https://yahoo.com.example.org", False, False),
        ("https://notyahoo.com", False, False),
        ("http://127.0.0.1:8000", False, True),
        ("http://localhost:8000", False, True),
        ("http://[::1]:8000", False, True),
    ],
)
def test_hosts_are_told_apart_by_their_names(url, own, loopback):
    assert (is_yahoos_own(url), is_loopback(url)) == (own, loopback)


def test_this_machine_is_asked_without_a_proxy(services, host, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    host.will(Step(200, b"{}"))
    assert ask(make_client(services, host)).status == 200


def test_a_browser_is_impersonated_where_the_host_is_not_this_machine(services, host, monkeypatch):
    monkeypatch.setattr("bist_pipeline.providers.yahoo._session.is_loopback", lambda _: False)
    host.will(*[Step(200, b"{}")] * 2)
    ask(make_client(services, host))
    ask(make_client(services, host, yf_user_agents=("Agent/1",)))
    assert "Chrome/" in host.seen[0].headers["user-agent"]
    assert host.seen[1].headers["user-agent"] == "Agent/1"
    assert host.seen[0].headers["accept"] == "application/json, text/plain, */*"
