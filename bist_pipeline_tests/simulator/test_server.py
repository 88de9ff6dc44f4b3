"""Controls, the log, connections."""

import http.client
import json
import threading
from urllib.parse import urlsplit

import pytest

from bist_pipeline.core.clock import FixedClock
from bist_pipeline.core.errors import PortInUseError
from bist_pipeline.core.universe import load_universe
from bist_pipeline.simulator.clock import ExchangeClock
from bist_pipeline.simulator.errors import SimulatorError
from bist_pipeline.simulator.server import exchange
from bist_pipeline_tests.simulator.conftest import istanbul
from bist_pipeline_tests.simulator.wire import ask, chart, quotes


def test_it_says_what_it_is(running):
    got = ask(running, "/simulator")
    assert got.headers["X-Simulated"] == "SIMULATED"
    assert got.json == {
        "kind": "simulated",
        "label": "SIMULATED",
        "now": "2026-08-05T09:00:00+00:00",
        "basis": "as_traded",
        "symbols": 9,
        "seed": 7,
        "delay_minutes": 15.0,
        "requests": 0,
    }


def test_the_universe_is_read_by_the_pipeline(running, tmp_path):
    path = tmp_path / "universe.csv"
    path.write_bytes(ask(running, "/simulator/universe.csv").body)
    stocks = load_universe(str(path))
    assert list(stocks["symbol"]) == running.market.symbols(istanbul(11, 45))
    assert stocks["name"].str.contains("SIMULATED").all()
    assert stocks["sector"].str.contains("SIMULATED").all()


def test_the_clock_is_set_from_outside(running):
    assert ask(running, "/simulator/now", method="POST", body={"now": "2026-08-05T10:00+03:00"}).status == 200
    assert running.clock.now() == istanbul(10)
    assert quotes(running, "ZZAAB")["ZZAAB"]["regularMarketTime"] < istanbul(9).timestamp()
    for wrong in ({"now": "noon"}, {"now": "2026-08-05T10:00"}, {}, [1]):
        got = ask(running, "/simulator/now", method="POST", body=wrong)
        assert got.status == 400
        assert got.json["error"]
    assert running.clock.now() == istanbul(10)


def test_faults_are_set_from_outside_and_do_not_touch_the_controls(running):
    assert ask(running, "/simulator/faults", method="POST", body={"429": 1}).status == 200
    assert ask(running, "/v8/finance/chart/ZZAAB.IS").status == 429
    assert ask(running, "/simulator").status == 200
    assert ask(running, "/simulator/faults", method="POST", body={"418": 1}).status == 400
    assert ask(running, "/simulator/faults", method="POST", body={}).status == 200
    assert ask(running, "/v8/finance/chart/ZZAAB.IS").status == 200


def test_requests_are_counted_controls_are_not(running):
    chart(running, "ZZAAB")
    quotes(running, "ZZAAB")
    ask(running, "/nowhere")
    running.set_faults(type(running._faults)({"503": 1}))
    ask(running, "/v8/finance/chart/ZZAAB.IS")
    counts = ask(running, "/simulator/requests").json
    assert counts["total"] == 6 == len(running.requests)
    assert counts["by_route"] == {"chart": 2, "cookie": 1, "crumb": 1, "quote": 1, "other": 1}
    assert counts["by_status"] == {"200": 3, "404": 2, "503": 1}
    assert counts["by_fault"] == {"503": 1}
    assert counts["bytes"] == sum(request.bytes for request in running.requests)
    assert ask(running, "/simulator/nowhere").status == 404


def test_every_request_is_a_line_of_the_log(market, tmp_path):
    path = tmp_path / "requests.jsonl"
    with exchange(market, ExchangeClock(FixedClock(istanbul(12))), log=path) as running:
        ask(running, "/v8/finance/chart/ZZAAB.IS?range=5d")
        ask(running, "/v8/finance/chart/NOPE.IS")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["route"], line["status"], line["fault"]) for line in lines] == [
        ("chart", 200, ""),
        ("chart", 404, ""),
    ]
    assert lines[0]["path"] == "/v8/finance/chart/ZZAAB.IS?range=5d"
    assert lines[0]["moment"] == "2026-08-05T09:00:00+00:00"
    assert lines[1]["bytes"] == 108


def test_a_connection_is_kept_for_many_requests(running):
    connection = http.client.HTTPConnection(urlsplit(running.url).netloc, timeout=10)
    sockets = set()
    for _ in range(5):
        connection.request("GET", "/v8/finance/chart/ZZAAB.IS")
        assert connection.getresponse().read()
        sockets.add(id(connection.sock))
    assert len(sockets) == 1
    assert connection.sock is not None
    connection.close()


def test_many_ask_at_once_and_all_get_the_same(running):
    answers = []

    def client():
        answers.extend(ask(running, "/v8/finance/chart/ZZAAB.IS").body for _ in range(10))

    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == len(running.requests) == 80
    assert len(set(answers)) == 1


def test_a_wrong_method_is_refused(running):
    assert ask(running, "/v1/finance/screener").status == 405
    assert ask(running, "/v8/finance/chart/ZZAAB.IS", method="POST", body={}).status == 405


def test_an_exchange_that_ends_hangs_up_on_everybody(market):
    with exchange(market, ExchangeClock(FixedClock(istanbul(12)))) as running:
        connection = http.client.HTTPConnection(urlsplit(running.url).netloc, timeout=10)
        connection.request("GET", "/simulator")
        connection.getresponse().read()
    connection.close()
    with pytest.raises(ConnectionRefusedError):
        ask(running, "/simulator")


def test_a_taken_port_and_an_unwritable_log_are_refused(market, tmp_path):
    clock = ExchangeClock(FixedClock(istanbul(12)))
    with (
        exchange(market, clock) as running,
        pytest.raises(PortInUseError, match="choose another"),
        exchange(market, clock, port=urlsplit(running.url).port or 0),
    ):
        pytest.fail("two exchanges on one port")
    with pytest.raises(SimulatorError, match="cannot be written"), exchange(market, clock, log=tmp_path):
        pytest.fail("a folder is no log")
