"""The yfinance provider against the simulated exchange, on the wire: what it delivers, and what it does not send."""

import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.calendar import load_calendar
from bist_pipeline.core.clock import SystemClock
from bist_pipeline.core.errors import (
    CircuitOpenError,
    SymbolError,
    ThrottledError,
    TransientProviderError,
    UnknownSymbolError,
)
from bist_pipeline.providers.contract import Services
from bist_pipeline.providers.pacing.contract import Ask, Lease, Reply
from bist_pipeline.providers.yfinance_history.provider import YFINANCE, build_yfinance
from bist_pipeline.settings import load_settings
from bist_pipeline.simulator.clock import ExchangeClock
from bist_pipeline.simulator.events import Dividend, Split
from bist_pipeline.simulator.faults import parse_faults
from bist_pipeline.simulator.market import invent_market
from bist_pipeline.simulator.server import exchange

FIRST, LAST = date(2023, 1, 2), date(2024, 6, 12)
AT_NOON = datetime(2024, 6, 12, 9, 0, tzinfo=UTC)
SPLIT, DIVIDEND = Split("ZZAAA", date(2024, 3, 5), 2.0), Dividend("ZZAAA", date(2024, 5, 7), 1.5)


@dataclass
class RecordingPacer:
    """Gives leave at once, and keeps what it was asked and told."""

    shut: set[str] = field(default_factory=set)
    asked: list[Ask] = field(default_factory=list)
    told: list[tuple[Ask, Reply]] = field(default_factory=list)

    def acquire(self, ask: Ask, deadline: float | None = None) -> Lease:
        if ask.host in self.shut:
            raise CircuitOpenError(f"{ask.host} is closed until noon", AT_NOON, is_of_one_host=True)
        self.asked.append(ask)
        return Lease(str(len(self.asked)), 0.0)

    def release(self, lease: Lease, ask: Ask, reply: Reply) -> None:
        assert self.asked[int(lease.key) - 1] is ask
        self.told.append((ask, reply))

    def retry_wait(self, attempt: int) -> float:
        return 0.0

    def routes(self):
        return [ask.route for ask in self.asked]

    def outcomes(self):
        return [reply.outcome for _, reply in self.told]


@pytest.fixture(scope="module")
def market():
    return invent_market(symbols=4, seed=3, first=FIRST, last=LAST, events=[SPLIT, DIVIDEND])


@pytest.fixture
def start(market):
    """Start exchanges of one market; each call gives another host."""
    with ExitStack() as running:

        def begin(*faults, at=AT_NOON):
            clock = ExchangeClock(SystemClock(), at, running=False)
            return running.enter_context(exchange(market, clock, faults=parse_faults(faults)))

        yield begin


@dataclass
class Site:
    """A provider, what it asks, and the pacer between them."""

    hosts: tuple
    pacer: RecordingPacer = field(default_factory=RecordingPacer)

    def __post_init__(self):
        urls = ",".join(host.url for host in self.hosts)
        settings = load_settings(yahoo_hosts=urls, yahoo_requests_per_second=0)
        self.provider = build_yfinance(settings, Services(self.pacer, self.hosts[0].clock))

    def received(self):
        return [request for host in self.hosts for request in host.requests]


def test_the_bars_are_those_of_the_exchange(start, market):
    host = start()
    history = Site((host,)).provider.history("ZZAAB")
    sessions = load_calendar().sessions(FIRST, LAST)
    assert history.bars["session_date"].to_numpy().astype("datetime64[D]").tolist() == sessions.tolist()
    assert history.bars["source_row"].tolist() == list(range(len(sessions)))
    assert (history.bars["low_raw"] <= history.bars["close_raw"]).all()
    assert (history.basis, history.states_actions) == ("split_adjusted", True)
    assert history.source == "yfinance:ZZAAB.IS"


def test_the_history_is_the_one_that_the_chart_provider_tells(start):
    from bist_pipeline.providers.yahoo.chart import YAHOO_CHART

    site = Site((start(),))
    chart = YAHOO_CHART.build(site.provider.settings, site.provider.services)
    for symbol in ("ZZAAA", "ZZAAB", "ZZAAC", "ZZAAD"):
        ours, theirs = site.provider.history(symbol), chart.history(symbol)
        pd.testing.assert_frame_equal(ours.bars, theirs.bars, check_exact=True)
        pd.testing.assert_frame_equal(ours.actions, theirs.actions, check_exact=True)
        assert (ours.as_of, ours.basis, ours.states_actions) == (theirs.as_of, theirs.basis, theirs.states_actions)
        assert site.provider.version(symbol) == chart.version(symbol)
    assert site.provider.market_kind() == chart.market_kind() == "simulated"
    assert (site.provider.family, site.provider.delay) == (chart.family, chart.delay)


def test_splits_and_dividends_stand_on_their_days(start):
    actions = Site((start(),)).provider.history("ZZAAA").actions
    on = actions.set_index(actions["ex_date"].dt.date)
    assert on.loc[SPLIT.on, ["kind", "ratio"]].tolist() == ["split", 2.0]
    assert on.loc[DIVIDEND.on, ["kind", "amount_try"]].tolist() == ["dividend", 1.5]


def test_a_forming_bar_is_as_of_its_last_trade_and_a_closed_one_final(start):
    before, after = start(), start(at=datetime(2024, 6, 12, 16, 0, tzinfo=UTC))
    forming = Site((before,)).provider.history("ZZAAB").as_of
    assert AT_NOON - timedelta(minutes=30) < forming <= AT_NOON - timedelta(minutes=15)
    assert Site((after,)).provider.history("ZZAAB").as_of == datetime(2024, 6, 12, 15, 10, tzinfo=UTC)


def test_the_first_symbol_costs_cookie_crumb_and_chart_and_the_next_one_chart(start):
    site = Site((start(),))
    site.provider.history("ZZAAA")
    assert site.pacer.routes() == ["yfinance:cookie", "yfinance:crumb", "yfinance:chart"]
    site.provider.history("ZZAAB")
    assert site.pacer.routes()[3:] == ["yfinance:chart"]
    assert [request.route for request in site.received()] == ["cookie", "crumb", "chart", "chart"]
    assert {(ask.family, ask.provider) for ask in site.pacer.asked} == {("yahoo", "yfinance")}
    assert [ask.symbol for ask in site.pacer.asked] == ["", "", "ZZAAA", "ZZAAB"]
    assert all(reply.bytes > 10_000 for ask, reply in site.pacer.told if ask.symbol)


def test_a_second_reading_asks_again_and_sees_the_later_state(start):
    host = start()
    provider = Site((host,)).provider
    early = provider.history("ZZAAB")
    host.clock.set(AT_NOON + timedelta(hours=2))
    late = provider.history("ZZAAB")
    assert late.as_of > early.as_of
    assert late.bars["volume_raw"].iloc[-1] > early.bars["volume_raw"].iloc[-1]


@pytest.mark.parametrize("fault", ["500", "502", "503", "html", "cut", "reset"])
def test_an_outage_is_transient_and_never_a_delisting(start, fault):
    host = start()
    site = Site((host,))
    site.provider.history("ZZAAB")
    host.set_faults(parse_faults([f"{fault}:1"]))
    with pytest.raises(TransientProviderError, match=r"^ZZAAA: ") as raised:
        site.provider.history("ZZAAA")
    assert "delisted" not in str(raised.value)
    assert [(ask.route, ask.attempt) for ask in site.pacer.asked[3:]] == [("yfinance:chart", 1), ("yfinance:chart", 2)]
    assert len(site.received()) == len(site.pacer.told) == 5
    assert not set(site.pacer.outcomes()[3:]) & {"answered", "unknown"}


@pytest.mark.parametrize("fault", ["503", "html", "reset"])
def test_an_outage_from_the_start_costs_one_request_for_the_session_and_one_for_each_way(start, fault):
    site = Site((start(f"{fault}:1"),))
    with pytest.raises(TransientProviderError):
        site.provider.history("ZZAAA")
    charts = [route for route in site.pacer.routes() if route == "yfinance:chart"]
    assert len(charts) == 2
    assert len(site.received()) == len(site.pacer.told) <= 4


def test_where_the_first_host_fails_download_asks_the_second(start):
    site = Site((start(), start()))
    site.provider.history("ZZAAB")
    site.hosts[0].set_faults(parse_faults(["503:1"]))
    history = site.provider.history("ZZAAA")
    assert history.recognised["host"] == site.hosts[1].url
    assert [reply.outcome for _, reply in site.pacer.told[3:]] == ["server_error", "answered"]
    site.hosts[0].set_faults(parse_faults([]))
    again = site.provider.history("ZZAAA")
    assert again.recognised["host"] == site.hosts[0].url
    pd.testing.assert_frame_equal(history.bars, again.bars, check_exact=True)
    pd.testing.assert_frame_equal(history.actions, again.actions, check_exact=True)


def test_a_404_in_yahoos_words_is_an_unknown_symbol_and_is_asked_once(start):
    site = Site((start(),))
    with pytest.raises(UnknownSymbolError, match=r"^NOSUCH: "):
        site.provider.history("NOSUCH")
    assert site.pacer.outcomes() == ["answered", "answered", "unknown"]
    assert len(site.received()) == 3


@pytest.mark.parametrize("warm", [True, False], ids=["chart", "cookie"])
def test_a_429_sends_no_further_request(start, warm):
    host = start()
    site = Site((host, start()))
    if warm:
        site.provider.history("ZZAAB")
    before = len(site.received())
    host.set_faults(parse_faults(["429:1"]))
    with pytest.raises(ThrottledError, match="429 Too Many Requests"):
        site.provider.history("ZZAAA")
    assert len(site.received()) == before + 1
    assert site.pacer.outcomes()[-1] == "throttled"
    assert site.pacer.told[-1][1].status == 429


def test_an_open_circuit_passes_through_and_nothing_is_sent(start):
    site = Site((start(), start()))
    site.pacer.shut = {host.url for host in site.hosts}
    with pytest.raises(CircuitOpenError, match="until noon") as caught:
        site.provider.history("ZZAAA")
    assert not caught.value.is_of_one_host
    assert all(host.url in str(caught.value) for host in site.hosts)
    assert site.received() == []


def test_the_familys_open_circuit_ends_it_at_once(start):
    site, asked = Site((start(), start())), []

    def shut(ask, deadline=None):
        asked.append(ask.host)
        raise CircuitOpenError("yahoo is closed until noon", AT_NOON)

    site.pacer.acquire = shut
    with pytest.raises(CircuitOpenError, match="yahoo is closed"):
        site.provider.history("ZZAAA")
    assert asked == [site.hosts[0].url]


def test_an_odd_symbol_beside_one_open_circuit_is_a_failed_symbol_and_no_open_circuit(start):
    site = Site((start(), start()))
    site.provider.history("ZZAAB")
    site.pacer.shut = {site.hosts[1].url}
    site.hosts[0].set_faults(parse_faults(["html:1"]))
    with pytest.raises(TransientProviderError, match=r"^ZZAAA: ") as caught:
        site.provider.history("ZZAAA")
    assert not isinstance(caught.value, CircuitOpenError)
    sent = [(ask.host, ask.attempt) for ask in site.pacer.asked[3:]]
    assert sent == [(site.hosts[0].url, 1), (site.hosts[0].url, 2)]
    site.hosts[0].set_faults(parse_faults([]))
    assert site.provider.history("ZZAAC").recognised["host"] == site.hosts[0].url


def test_where_one_circuit_is_open_both_ways_are_gone_to_the_other_host(start):
    site = Site((start(), start("503:1")))
    site.pacer.shut = {site.hosts[0].url}
    with pytest.raises(TransientProviderError, match="503") as caught:
        site.provider.history("ZZAAA")
    assert not isinstance(caught.value, CircuitOpenError)
    assert [ask.attempt for ask in site.pacer.asked if ask.symbol] == [1, 2]


def test_a_host_that_opens_between_the_two_ways_leaves_nothing_to_ask(start):
    site = Site((start("503:1"), start()))
    site.pacer.shut = {site.hosts[1].url}

    def waits_until_the_first_opens(attempt):
        site.pacer.shut.add(site.hosts[0].url)
        return 0.0

    site.pacer.retry_wait = waits_until_the_first_opens
    with pytest.raises(CircuitOpenError) as caught:
        site.provider.history("ZZAAA")
    assert not caught.value.is_of_one_host


@pytest.mark.parametrize("route", ["yfinance:cookie", "yfinance:crumb"])
def test_where_the_circuit_of_cookies_or_crumbs_is_open_charts_do_without(start, route):
    site = Site((start(),))
    leave = site.pacer.acquire

    def acquire(ask, deadline=None):
        if ask.route == route:
            raise CircuitOpenError("fc.yahoo.com is closed until noon", AT_NOON, is_of_one_host=True)
        return leave(ask, deadline)

    site.pacer.acquire = acquire
    assert len(site.provider.history("ZZAAA").bars) > 300
    assert site.pacer.routes()[-1] == "yfinance:chart"


def test_where_one_hosts_circuit_is_open_the_other_is_asked(start):
    site = Site((start(), start()))
    site.pacer.shut = {site.hosts[0].url}
    assert site.provider.history("ZZAAA").recognised["host"] == site.hosts[1].url
    assert site.hosts[0].requests == []


def test_without_a_pacer_nothing_is_sent(start):
    host = start()
    provider = build_yfinance(load_settings(yahoo_hosts=host.url, yahoo_requests_per_second=0), Services())
    with pytest.raises(TransientProviderError, match="database that keeps the pace"):
        provider.history("ZZAAA")
    assert host.requests == []


def test_every_request_that_arrives_had_leave_and_was_told_of_under_any_faults(start):
    site = Site((start("429:0.1", "503:0.2", "html:0.2", "cut:0.2", "reset:0.2", "nulls:0.3"), start("reset:0.5")))
    ends = Counter()
    for _ in range(15):
        for symbol in ("ZZAAA", "ZZAAB"):
            try:
                ends[len(site.provider.history(symbol).bars) > 300] += 1
            except TransientProviderError as error:
                ends[type(error).__name__] += 1
    assert len(site.received()) == len(site.pacer.asked) == len(site.pacer.told)
    assert set(ends) <= {True, "TransientProviderError", "ThrottledError"}
    assert ends[True] >= 5


def test_null_rows_are_kept_with_nothing_in_them(start):
    host = start()
    provider = Site((host,)).provider
    whole = provider.history("ZZAAB").bars
    host.set_faults(parse_faults(["nulls:1"]))
    holed = provider.history("ZZAAB").bars
    missing = holed["close_raw"].isna()
    assert missing.any()
    assert holed["session_date"].equals(whole["session_date"])
    assert np.array_equal(holed.loc[~missing, "close_raw"], whole.loc[~missing, "close_raw"])


def test_threads_get_each_their_own_symbol(start):
    provider = Site((start(),)).provider
    symbols = ["ZZAAA", "ZZAAB", "ZZAAC", "ZZAAD"] * 2
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(provider.history, symbols))
    for symbol, history in zip(symbols, together, strict=True):
        pd.testing.assert_frame_equal(history.bars, provider.history(symbol).bars, check_exact=True)


def test_two_providers_of_one_process_keep_their_hosts_apart(start):
    one, other = Site((start(),)), Site((start(),))
    for _ in range(2):
        one.provider.history("ZZAAA")
        other.provider.history("ZZAAA")
    assert [request.route for request in one.received()] == ["cookie", "crumb", "chart", "chart"]
    assert [request.route for request in other.received()][-2:] == ["chart", "chart"]
    assert {ask.host for ask in one.pacer.asked} == {one.hosts[0].url}


def test_the_library_opens_no_cache_on_disk(start):
    from yfinance import cache

    Site((start(),)).provider.history("ZZAAA")
    assert [manager._db for manager in (cache._TzDBManager, cache._CookieDBManager, cache._ISINDBManager)] == [None] * 3


def test_the_version_is_made_of_the_clock_and_costs_nothing(start):
    host = start()
    site = Site((host,))
    marks = []
    for at in ("2024-06-12T15:24", "2024-06-12T15:26", "2024-06-13T05:59", "2024-06-13T06:00", "2024-06-13T15:24"):
        host.clock.set(datetime.fromisoformat(at).replace(tzinfo=UTC))
        marks.append(site.provider.version("ZZAAA"))
    assert marks[1] == marks[2]
    assert marks[3] == marks[4]
    assert len(set(marks)) == 3
    assert site.received() == []
    with pytest.raises(SymbolError):
        site.provider.version("no symbol")


def test_it_is_declared_as_a_fallback_for_history_alone():
    assert (YFINANCE.name, YFINANCE.build_live) == ("yfinance", None)
    assert "personal use" in YFINANCE.terms


def test_declaring_it_loads_neither_the_library_nor_http():
    code = (
        "import sys, bist_pipeline.providers.yfinance_history.provider;"
        "sys.exit(' '.join({'yfinance', 'curl_cffi', 'requests'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=_CHECKOUT)
    assert (done.returncode, done.stderr.strip()) == (0, "")


_CHECKOUT = Path(__file__).parents[2]


def test_it_leaves_no_thread_behind(start):
    before = set(threading.enumerate())
    host = start()
    Site((host,)).provider.history("ZZAAA")
    new = {thread.name for thread in threading.enumerate()} - {thread.name for thread in before}
    assert not [name for name in new if "yfinance" in name.lower() or "multitasking" in name.lower()]
