"""The chart provider on the wire: what it asks, and what it asks again."""

import json
import time
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.calendar import OVERRIDES_FILE
from bist_pipeline.core.clock import FixedClock
from bist_pipeline.core.errors import (
    BadPayloadError,
    CircuitOpenError,
    TransientProviderError,
    UnknownSymbolError,
)
from bist_pipeline.providers.contract import QUOTE_COLUMNS, Services
from bist_pipeline.providers.registry import registered_providers
from bist_pipeline.providers.yahoo.chart import YAHOO_CHART, build_chart, build_live_chart
from bist_pipeline.settings import Settings
from bist_pipeline_tests.providers.yahoo.charts import DAYS, MARKET_TIME, NOW, chart, edited, opening, with_nulls
from bist_pipeline_tests.providers.yahoo.scripted import NOT_FOUND, Step, circuit_open, settings_for

REAL = Step(404, b"")  # what a host that passes Yahoo's answers on says of /simulator


def make_provider(host, services, build=build_chart, **values):
    host.will(REAL)
    made = build(settings_for(host, **values), services)
    assert made.market_kind() == "real"
    host.seen.clear()
    return made


@pytest.fixture
def provider(host, services):
    return make_provider(host, services, yf_max_retries=0)


@pytest.fixture
def live(host, services):
    return make_provider(host, services, build_live_chart, collector_max_workers=1, yf_max_retries=0)


def test_the_provider_is_found_with_its_terms():
    assert registered_providers()["yahoo_chart"] is YAHOO_CHART
    assert "personal use" in YAHOO_CHART.terms
    assert YAHOO_CHART.delay == timedelta(minutes=15)


def test_a_history_is_one_request_for_everything_since_the_origin(provider, host):
    host.answer(chart())
    history = provider.history("THYAO")
    assert len(history.bars) == 4
    assert [seen.path for seen in host.seen] == ["/v8/finance/chart/THYAO.IS"]
    query = host.seen[0].query
    assert datetime.fromtimestamp(int(query["period1"]), UTC) == datetime(2010, 1, 3, 22, 0, tzinfo=UTC)
    assert datetime.fromtimestamp(int(query["period2"]), UTC) == NOW + timedelta(days=1)
    assert (query["interval"], query["events"], query["includeAdjustedClose"]) == ("1d", "div|split", "true")


def test_only_asking_tells_which_symbols_there_are(provider):
    assert provider.symbols() is None


def test_the_version_is_told_without_asking(provider, host):
    assert provider.version("THYAO") == "1:2026-08-06:morning"
    assert host.seen == []


def test_the_version_knows_a_desks_own_closures(provider, tmp_path):
    (tmp_path / OVERRIDES_FILE).write_text("session_date,kind,reason\n2026-08-06,closed,Snow\n")
    provider = build_chart(provider.settings.with_home(tmp_path), Services(None, FixedClock(NOW)))
    assert provider.version("THYAO") == "1:2026-08-05:morning"


def test_an_unknown_symbol_is_named(provider, host):
    host.answer(NOT_FOUND, 404)
    with pytest.raises(UnknownSymbolError, match="NOSUCH"):
        provider.history("NOSUCH")


def test_a_chart_without_bars_is_not_asked_for_again(provider, host):
    host.answer(edited(chart([]), timestamp=None))
    with pytest.raises(BadPayloadError, match="no bars"):
        provider.history("THYAO")
    assert len(host.seen) == 1


def test_null_rows_are_filled_from_a_second_answer(provider, host):
    host.answer(with_nulls(chart(), 1))
    host.answer(chart())
    history = provider.history("THYAO")
    assert history.bars["close_raw"].tolist() == [101.0, 102.0, 103.0, 104.0]
    assert history.bars["adj_close_raw"].notna().all()
    assert history.recognised["null_rows"] == {"rows": 1, "filled": 1, "asked_again": 1}


def test_rows_that_are_null_again_stay_null(provider, host):
    host.answer(with_nulls(chart(), 1))
    host.answer(with_nulls(chart(), 1))
    history = provider.history("THYAO")
    assert history.bars["close_raw"].isna().tolist() == [False, True, False, False]
    told = history.recognised["null_rows"]
    assert (told["rows"], told["filled"], told["asked_again"]) == (1, 0, 1)
    assert len(host.seen) == 2


def test_no_more_than_two_further_answers_are_asked_for(provider, host):
    for rows in [(0, 1, 2), (1, 2), (1, 0)]:
        host.answer(with_nulls(chart(), *rows))
    history = provider.history("THYAO")
    assert history.bars["close_raw"].isna().tolist() == [False, True, False, False]
    assert len(host.seen) == 3


def test_the_row_of_today_may_be_null(provider, host):
    host.answer(with_nulls(chart(), 3))
    assert "null_rows" not in provider.history("THYAO").recognised
    assert len(host.seen) == 1


def test_a_null_row_of_a_closed_day_is_no_reason_to_ask_again(provider, host):
    days = [date(2026, 8, 1), *DAYS]  # a Saturday
    host.answer(with_nulls(chart(days), 0))
    provider.history("THYAO")
    assert len(host.seen) == 1


@pytest.mark.parametrize(
    "other",
    [
        edited(chart(), close=[50.5, 51.0, 51.5, 52.0]),
        edited(chart(), events={"splits": {"1": {"date": opening(DAYS[3]), "numerator": 2, "denominator": 1}}}),
        chart(DAYS[1:]),
    ],
    ids=["other prices", "another split", "other days"],
)
def test_a_second_answer_that_differs_otherwise_fills_nothing(provider, host, other):
    host.answer(with_nulls(chart(), 1))
    host.answer(other)
    history = provider.history("THYAO")
    assert np.isnan(history.bars["close_raw"].iloc[1])
    assert "differs" in history.recognised["null_rows"]["left"]


def test_todays_row_may_move_on_between_two_answers(provider, host):
    host.answer(with_nulls(chart(), 1))
    host.answer(edited(chart(), close=[101.0, 102.0, 103.0, 110.0]))
    assert provider.history("THYAO").bars["close_raw"].tolist() == [101.0, 102.0, 103.0, 104.0]


def test_a_second_answer_that_fails_does_not_cost_the_first(provider, host):
    host.answer(with_nulls(chart(), 1))
    host.answer(b"", 503)
    history = provider.history("THYAO")
    assert len(history.bars) == 4
    assert "503" in history.recognised["null_rows"]["left"]


def test_what_was_recognised_can_be_stored(provider, host):
    host.answer(with_nulls(chart(symbol="TRALT.IS"), 1))
    host.answer(chart(symbol="TRALT.IS"))
    recognised = dict(provider.history("THYAO").recognised)
    assert json.loads(json.dumps(recognised)) == recognised


def test_two_readings_of_one_answer_are_equal(provider, host):
    host.answer(chart())
    host.answer(chart())
    first, second = provider.history("THYAO"), provider.history("THYAO")
    pd.testing.assert_frame_equal(first.bars, second.bars, check_exact=True)
    assert first.payload_hash == second.payload_hash


def ask_live(live, *symbols, seconds=5.0):
    return live.quotes(symbols, time.monotonic() + seconds)


def test_a_chart_of_one_day_tells_a_quote(live, host):
    host.answer(chart(DAYS[3:], chartPreviousClose=99.5, regularMarketDayHigh=103.0))
    answer = ask_live(live, "THYAO")
    assert tuple(answer.quotes.columns) == QUOTE_COLUMNS
    row = answer.quotes.iloc[0]
    assert (row["symbol"], row["as_of"]) == ("THYAO", pd.Timestamp(MARKET_TIME, unit="s", tz="UTC"))
    prices = [row[f"{name}_try"] for name in ("last", "open", "high", "low", "previous_close")]
    assert prices == [101.0, 100.0, 103.0, 98.0, 99.5]
    assert row["volume_shares"] == 1000
    assert (answer.bars, answer.silent, answer.failed) == (True, (), {})
    assert host.seen[0].query == {"range": "1d", "interval": "1d", "includePrePost": "false"}


def test_the_open_of_another_day_is_not_that_of_the_last_trade(live, host):
    host.answer(chart(DAYS[2:3]))
    assert np.isnan(ask_live(live, "THYAO").quotes["open_try"].iloc[0])


def test_each_symbol_fails_alone_and_unknown_ones_are_silent(live, host):
    host.answer(chart(DAYS[3:], symbol="AKBNK.IS"))
    host.answer(NOT_FOUND, 404)
    host.answer(b"", 503)
    host.answer(chart(DAYS[3:], symbol="SISE.IS", currency="USD"))
    host.answer(chart(DAYS[3:], symbol="TRALT.IS"))
    answer = ask_live(live, "AKBNK", "NOSUCH", "THYAO", "SISE", "KOZAL")
    assert answer.quotes["symbol"].tolist() == ["AKBNK"]
    assert answer.silent == ("NOSUCH",)
    assert "503" in answer.failed["THYAO"]
    assert "USD" in answer.failed["SISE"]
    assert "TRALT" in answer.failed["KOZAL"]


def test_what_the_deadline_leaves_is_failed(live, host):
    host.answer(chart(DAYS[3:]))
    host.will(Step(200, b"{}", kind="late"))
    answer = ask_live(live, "THYAO", "AKBNK", "SISE", seconds=0.5)
    assert answer.quotes["symbol"].tolist() == ["THYAO"]
    assert dict(answer.failed) == {"AKBNK": "deadline", "SISE": "deadline"}


def test_an_open_circuit_from_the_start_is_passed_on(live, host, pacer):
    pacer.open[host.url] = circuit_open("yahoo")
    with pytest.raises(CircuitOpenError, match="open until"):
        ask_live(live, "THYAO", "AKBNK")


def test_a_circuit_that_opens_on_the_way_leaves_what_was_told(live, host, pacer):
    host.answer(chart(DAYS[3:]))
    host.will(Step(429, b"Too Many Requests\r\n"))
    pacer.throttles_until_open = 1
    answer = ask_live(live, "THYAO", "AKBNK", "SISE")
    assert answer.quotes["symbol"].tolist() == ["THYAO"]
    assert "open until" in answer.failed["AKBNK"]
    assert len(host.seen) == 2


def test_a_list_of_none_costs_nothing(live, host):
    answer = ask_live(live)
    assert (len(answer.quotes), tuple(answer.quotes.columns)) == (0, QUOTE_COLUMNS)


def test_without_a_pacer_the_provider_can_be_made_and_not_asked():
    provider = build_chart(Settings(), Services())
    assert provider.market_kind() == "real"
    with pytest.raises(TransientProviderError, match="without a database"):
        provider.history("THYAO")


@pytest.mark.parametrize("odd", [{"meta_regularMarketTime": None}, {"low": None}, {"events": {"splits": {"x": {}}}}])
def test_an_odd_symbol_costs_one_request_and_no_fault_of_the_host(host, services, pacer, odd):
    provider = make_provider(host, services)
    host.answer(edited(chart(), **odd))
    with pytest.raises(BadPayloadError, match=r"^THYAO: chart: Yahoo's answer cannot be used: \w+"):
        provider.history("THYAO")
    assert (pacer.outcomes, len(host.seen)) == (["answered"], 1)


def test_odd_symbols_in_the_live_lane_fail_alone(live, host, pacer):
    host.answer(edited(chart(), meta_regularMarketTime=None))
    host.answer(chart(symbol="AKBNK.IS"))
    answer = live.quotes(["THYAO", "AKBNK"], time.monotonic() + 20)
    assert list(answer.quotes["symbol"]) == ["AKBNK"]
    assert "regularMarketTime is None" in answer.failed["THYAO"]
    assert pacer.outcomes == ["answered"] * 2


def test_an_odd_second_answer_does_not_cost_the_first(provider, host):
    host.answer(with_nulls(chart(), 1))
    host.answer(edited(chart(), meta_regularMarketTime=None))
    history = provider.history("THYAO")
    assert len(history.bars) == 4
    assert "asking again failed" in history.recognised["null_rows"]["left"]
