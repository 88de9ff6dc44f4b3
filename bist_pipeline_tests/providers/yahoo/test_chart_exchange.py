"""The chart provider against the simulated exchange: the same histories, whatever goes wrong on the way."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.clock import FixedClock
from bist_pipeline.core.errors import TransientProviderError, UnknownSymbolError
from bist_pipeline.providers.archive.provider import ArchiveProvider
from bist_pipeline.providers.contract import RAW_BAR_COLUMNS, Services
from bist_pipeline.providers.yahoo.chart import build_chart, build_live_chart
from bist_pipeline.settings import Settings
from bist_pipeline.simulator.clock import ExchangeClock
from bist_pipeline.simulator.faults import parse_faults
from bist_pipeline.simulator.market import invent_market, replay_market
from bist_pipeline.simulator.server import exchange
from bist_pipeline_tests.providers.yahoo.charts import NOW
from bist_pipeline_tests.providers.yahoo.scripted import RecordingPacer

SYMBOLS = 12
FAULTS = ["429:0.3", "503:0.1", "html:0.05", "cut:0.05", "nulls:0.1", "reset:0.05"]


def serve(market, now=NOW):
    return exchange(market, ExchangeClock(FixedClock(now), now, running=False))


def build(running, build=build_chart, pacer=None):
    settings = Settings(
        yahoo_hosts=(running.url,), yahoo_requests_per_second=0, yf_max_retries=10, collector_max_workers=4
    )
    return build(settings, Services(pacer or RecordingPacer(), running.clock))


@pytest.fixture(scope="module")
def market():
    return invent_market(symbols=SYMBOLS, seed=11, first=date(2024, 1, 2), last=date(2026, 8, 7))


@pytest.fixture
def running(market):
    with serve(market) as running:
        yield running


def symbols_of(running):
    return running.market.symbols(NOW - timedelta(minutes=15))


def test_the_exchange_is_known_to_be_simulated(running):
    assert build(running).market_kind() == "simulated"


def test_faults_change_how_often_is_asked_and_nothing_that_is_told(running):
    calm = [build(running).history(symbol) for symbol in symbols_of(running)]
    running.set_faults(parse_faults(FAULTS))
    pacer = RecordingPacer()
    provider = build(running, pacer=pacer)
    for history in [*calm, *calm, *calm]:
        told = provider.history(history.symbol)
        pd.testing.assert_frame_equal(told.bars, history.bars, check_exact=True)
        pd.testing.assert_frame_equal(told.actions, history.actions, check_exact=True)
        assert told.as_of == history.as_of
    assert {"throttled", "server_error", "bad_body"} <= set(pacer.outcomes)
    assert len(pacer.outcomes) <= 2.5 * 3 * len(calm)
    assert pacer.held == 0


def test_an_outage_is_no_delisting_and_a_delisting_no_outage(running):
    with pytest.raises(UnknownSymbolError):
        build(running).history("NOSUCH")
    running.set_faults(parse_faults(["503:1"]))
    with pytest.raises(TransientProviderError, match="503"):
        build(running).history("NOSUCH")


def test_a_live_quote_is_the_newest_bar_of_the_history(running):
    symbols = symbols_of(running)
    answer = build(running, build_live_chart).quotes(symbols, 1e12)
    assert (len(answer.quotes), answer.silent, dict(answer.failed)) == (len(symbols), (), {})
    provider = build(running)
    for quote in answer.quotes.itertuples():
        history = provider.history(quote.symbol)
        assert history.as_of == quote.as_of
        newest = history.bars.iloc[-1]
        told = [quote.open_try, quote.high_try, quote.low_try, quote.last_try, quote.volume_shares]
        names = ["open_raw", "high_raw", "low_raw", "close_raw", "volume_raw"]
        assert told == pytest.approx(newest[names].tolist(), rel=1e-6)


@pytest.mark.realdata
def test_a_replayed_archive_has_the_bars_of_the_archive_bit_by_bit(recordings):
    folder = recordings / "bist_daily"
    archive = ArchiveProvider(folder, "fully_adjusted")
    market = replay_market(folder, "fully_adjusted")
    after = datetime(2026, 8, 10, 9, 0, tzinfo=UTC)
    with serve(market, after) as running:
        provider = build(running)
        assert provider.market_kind() == "replayed"
        for symbol in archive.symbols():
            expected, told = archive.history(symbol), provider.history(symbol)
            assert (told.basis, told.states_actions) == ("fully_adjusted", False)
            columns = list(RAW_BAR_COLUMNS[:-1])
            assert told.bars["session_date"].tolist() == expected.bars["session_date"].tolist()
            numbers = columns[1:]
            assert told.bars[numbers].to_numpy().tobytes() == np.ascontiguousarray(expected.bars[numbers]).tobytes()
