"""Each fault as it arrives on the wire."""

import http.client
import json
import socket
import time
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from bist_pipeline.core.clock import FixedClock
from bist_pipeline.simulator.clock import ExchangeClock
from bist_pipeline.simulator.errors import SimulatorError
from bist_pipeline.simulator.faults import KINDS, Faults, parse_faults
from bist_pipeline.simulator.server import exchange
from bist_pipeline_tests.simulator.conftest import istanbul
from bist_pipeline_tests.simulator.wire import ask, chart, log_in

CHART = "/v8/finance/chart/ZZAAB.IS?range=max"


def play(running, kind):
    running.set_faults(parse_faults([f"{kind}:1"]))


def raw(running, target):
    """Send a request and read until the other side ends the connection."""
    where = urlsplit(running.url)
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_faults_are_read_as_people_write_them():
    assert parse_faults(["429:0.3", "nulls:1", "late: 0"]).chances == {"429": 0.3, "nulls": 1.0, "late": 0.0}
    assert parse_faults([]).chances == {}


@pytest.mark.parametrize("text", ["418:0.5", "429", "429:often", "429:1.5", "429:-0.1", "429:nan", ""])
def test_a_fault_that_cannot_be_played_is_refused(text):
    with pytest.raises(SimulatorError, match=r"legal"):
        parse_faults([text])


@pytest.mark.parametrize("target", [CHART, "/", "/v1/test/getcrumb", "/v7/finance/quote?symbols=ZZAAB.IS"])
def test_throttling_is_plain_text_on_every_route(running, target):
    play(running, "429")
    got = ask(running, target)
    assert (got.status, got.body) == (429, b"Too Many Requests\r\n")
    assert got.headers["Content-Type"].startswith("text/plain")
    assert got.headers["X-Simulated"] == "SIMULATED"


@pytest.mark.parametrize(("kind", "status"), [("500", 500), ("502", 502), ("503", 503), ("html", 200)])
def test_broken_hosts_send_pages(running, kind, status):
    play(running, kind)
    got = ask(running, CHART)
    assert got.status == status
    assert got.headers["Content-Type"].startswith("text/html")
    assert got.body.startswith(b"<!DOCTYPE html>")


def test_json_is_cut_with_a_right_length_and_with_a_wrong_one(running):
    whole = ask(running, CHART).body
    play(running, "cut")
    short = set()
    for _ in range(20):
        head, _, body = raw(running, CHART).partition(b"\r\n\r\n")
        length = int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0])
        assert body == whole[: len(body)]
        assert 0 < len(body) < len(whole)
        with pytest.raises(ValueError, match=r".*"):
            json.loads(body)
        short.add(length == len(body))
    assert short == {True, False}


def test_a_reset_is_a_reset(running):
    play(running, "reset")
    for target in (CHART, "/"):
        with pytest.raises(ConnectionResetError):
            ask(running, target)
    assert [(r.status, r.fault) for r in running.requests] == [(0, "reset"), (0, "reset")]


def test_a_late_answer_is_late_and_right(market):
    clock = ExchangeClock(FixedClock(istanbul(12)))
    with exchange(market, clock, late=timedelta(seconds=0.3)) as running:
        right = ask(running, CHART).body
        play(running, "late")
        begin = time.monotonic()
        assert ask(running, CHART).body == right
        assert time.monotonic() - begin >= 0.3


def test_an_exchange_that_ends_waits_for_no_late_answer(market):
    with exchange(market, ExchangeClock(FixedClock(istanbul(12))), late=timedelta(hours=1)) as running:
        play(running, "late")
        where = urlsplit(running.url)
        connection = http.client.HTTPConnection(where.netloc, timeout=10)
        connection.request("GET", CHART)
    connection.close()


def test_a_known_symbol_is_said_to_be_delisted(running):
    play(running, "404")
    got = ask(running, CHART)
    assert got.status == 404
    assert got.json["chart"]["error"]["description"] == "No data found, symbol may be delisted"


def test_a_good_crumb_is_refused_where_one_is_needed(running):
    cookie, crumb = log_in(running)
    play(running, "crumb")
    got = ask(running, f"/v7/finance/quote?symbols=ZZAAB.IS&crumb={crumb}", cookie=cookie)
    assert got.status == 401
    assert got.json["finance"]["error"]["description"] == "Invalid Crumb"
    assert ask(running, CHART).status == 200
    assert [r.fault for r in running.requests[-2:]] == ["crumb", ""]


def test_null_rows_lie_in_the_middle_and_are_never_all(running):
    good = chart(running, "ZZAAB")
    play(running, "nulls")
    for _ in range(10):
        result = chart(running, "ZZAAB")
        columns = [*result["indicators"]["quote"][0].values(), result["indicators"]["adjclose"][0]["adjclose"]]
        lost = {at for at, value in enumerate(columns[0]) if value is None}
        assert 0 < len(lost) < len(good["timestamp"]) / 2
        assert not {0, len(good["timestamp"]) - 1} & lost
        for column, whole in zip(columns, [*good["indicators"]["quote"][0].values(), None], strict=True):
            assert {at for at, value in enumerate(column) if value is None} == lost
            if whole:
                assert [v for v in column if v is not None] == [v for at, v in enumerate(whole) if at not in lost]
    assert None not in chart(running, "ZZAAB", "range=1d")["indicators"]["quote"][0]["close"]


def test_some_quotes_lose_prices(running):
    cookie, crumb = log_in(running)
    play(running, "nulls")
    symbols = ",".join(f"{symbol}.IS" for symbol in running.market.symbols(istanbul(11)))
    lost = 0
    for _ in range(10):
        got = ask(running, f"/v7/finance/quote?symbols={symbols}&crumb={crumb}", cookie=cookie)
        found = got.json["quoteResponse"]["result"]
        assert all(quote["regularMarketPrice"] for quote in found)
        lost += sum(quote["regularMarketVolume"] is None for quote in found)
    assert 0 < lost < 60


def test_the_same_seed_meets_the_same_faults_and_each_request_draws_anew(market):
    faults = parse_faults([f"{kind}:0.1" for kind in KINDS if kind not in {"late", "reset"}])

    def met():
        with exchange(market, ExchangeClock(FixedClock(istanbul(12))), faults=faults, seed=3) as running:
            for _ in range(120):
                try:
                    ask(running, CHART)
                except http.client.IncompleteRead:
                    continue
            return [request.fault for request in running.requests]

    first = met()
    assert met() == first
    assert len(set(first)) == len(faults.chances)  # `crumb` falls away on charts, no fault counts as one
    assert 25 < first.count("") < 80


def test_faults_can_be_ended(running):
    play(running, "503")
    assert ask(running, CHART).status == 503
    running.set_faults(Faults())
    assert ask(running, CHART).status == 200
