"""`refresh` on a simulated exchange, and what the other commands say of such a market."""

import io
import re
from datetime import date, time, timedelta

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.simulator.faults import Faults
from bist_pipeline_tests.cli.commands import contents, refusal, run
from bist_pipeline_tests.cli.conftest import NOON, TODAY
from bist_pipeline_tests.desks import SINGLE
from bist_pipeline_tests.pipeline.exchanges import moment
from bist_pipeline_tests.simulator.wire import quotes

LABEL = "SIMULATED market: no price here is real"
COUNTS = re.compile(r"requests asked (\d+)  requests answered (\d+)  requests retried (\d+)")


def bars(followed, session=TODAY):
    return followed.database.frame(
        "SELECT symbol, close_try, volume_shares, is_final FROM market.daily_prices WHERE session_date = $1 "
        "ORDER BY symbol",
        [session],
    )


def shown(followed):
    """What the exchange itself shows of every symbol, asked past the pipeline."""
    symbols = followed.exchange.market.symbols(followed.exchange.clock.now())
    told = quotes(followed.exchange, *symbols)
    return [told[symbol]["regularMarketPrice"] for symbol in symbols]


def cells_of(table, word):
    line = next(line for line in table.splitlines() if word in line)
    return [cell.strip() for cell in line.split("│")]


def test_a_refresh_makes_forming_bars_of_a_handful_of_requests(followed):
    before = len(followed.exchange.requests)
    result = run("refresh")
    assert result.exit_code == 0, result.output
    asked = len(followed.exchange.requests) - before
    assert f"session {TODAY}, forming: 4 trading" in result.stdout
    assert "publish 2: 4 signals" in result.stdout
    counts = COUNTS.search(result.stdout)
    assert counts
    assert [int(count) for count in counts.groups()] == [asked, asked, 0]
    assert asked <= 3
    assert re.search(r"waited seconds \d+\.\d  bytes received [\d,]+$", result.stdout.strip())
    stored = bars(followed)
    np.testing.assert_allclose(stored["close_try"], shown(followed))
    assert not stored["is_final"].any()


def test_a_later_refresh_follows_the_exchange_and_supersedes(followed):
    assert run("refresh").exit_code == 0
    noon = bars(followed)
    followed.exchange.clock.set(NOON + timedelta(hours=3))
    second = run("refresh")
    assert "publish 3: 4 signals and" in second.stdout
    assert "4 and" in second.stdout.split("added,")[1]
    afternoon = bars(followed)
    np.testing.assert_allclose(afternoon["close_try"], shown(followed))
    assert (afternoon["volume_shares"] > noon["volume_shares"]).all()
    origins = followed.database.rows("SELECT origin FROM serving.publishes ORDER BY publish_id")
    assert [row.origin for row in origins] == ["backfill", "live", "live"]


def test_when_the_session_is_over_a_refresh_makes_its_bars_final(followed):
    assert run("refresh").exit_code == 0
    followed.exchange.clock.set(moment(TODAY, time(18, 40)))
    result = run("refresh")
    assert result.exit_code == 0, result.output
    assert f"session {TODAY} is over: its final bars" in result.stdout
    stored = bars(followed)
    assert stored["is_final"].all()
    np.testing.assert_allclose(stored["close_try"], shown(followed))
    assert f"served up to {TODAY} (final), publish 3" in run("status").stdout


def test_a_session_that_was_refreshed_before_is_refreshed_without_a_change(followed):
    signals = "SELECT count(*) AS n FROM serving.signals"
    before = followed.database.rows(signals)[0].n
    result = run("refresh", "--date", "2026-08-04")
    assert result.exit_code == 0, result.output
    assert "session 2026-08-04 is over: its final bars" in result.stdout
    assert "publish 2: 0 signals and 0 events added, 0 and 0 superseded" in result.stdout
    assert followed.database.rows(signals)[0].n == before


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        ("2026-08-06", f"2026-08-06 cannot be refreshed: the newest session that has begun is {TODAY}"),
        ("2026-08-01", "the exchange was closed (a weekend)"),
        ("2026-07-15", "the exchange was closed (Democracy and National Unity Day)"),
        ("2009-12-31", "2010-01-04"),
        ("2026-02-30", "'2026-02-30' is no date"),
    ],
)
def test_a_day_that_cannot_be_refreshed_is_refused_and_nothing_changes(followed, day, reason):
    before = contents(followed.database)
    assert reason in refusal(run("refresh", "--date", day))
    assert contents(followed.database) == before


def test_before_the_first_load_a_refresh_says_that_no_symbol_has_a_history(unloaded):
    assert "no symbol has a history yet" in refusal(run("refresh"))
    assert unloaded.exchange.requests == []


def test_files_have_no_session_in_progress_but_one_that_is_over(filled):
    result = run("refresh", "--date", str(SINGLE))
    assert result.exit_code == 0, result.output
    assert f"session {SINGLE} is over: its final bars" in result.stdout
    assert "0 signals and 0 events added" in result.stdout
    assert "requests asked 0" in result.stdout


def test_an_exchange_that_throttles_is_left_alone_until_its_circuit_closes_and_nothing_is_lost(followed):
    assert run("refresh").exit_code == 0
    before = bars(followed)
    followed.exchange.set_faults(Faults({"429": 1.0}))
    first = refusal(run("refresh"))
    asked = len(followed.exchange.requests)
    assert "circuit open until" in first
    assert asked <= 20
    assert refusal(run("refresh")) == first
    assert len(followed.exchange.requests) == asked
    pd.testing.assert_frame_equal(bars(followed), before)
    assert "circuit open until" in run("status").stdout
    doctor = run("doctor")
    assert doctor.exit_code == 0
    assert cells_of(doctor.stdout, "circuits")[1:3] == ["circuits", "warn"]
    assert "wait: one request probes it then" in doctor.stdout
    # What asks nothing goes on.
    assert run("refresh", "--date", "2026-08-04").exit_code == 0


@pytest.mark.parametrize("form", ["csv", "json", "table"])
def test_signals_say_on_stderr_that_they_are_simulated_and_keep_stdout_clean(followed, form):
    result = run("signals", "--format", form)
    assert result.exit_code == 0
    assert result.stderr == f"{LABEL}\n"
    assert LABEL not in result.stdout
    if form == "csv":
        assert len(pd.read_csv(io.StringIO(result.stdout))) == 4


def test_status_tells_the_market_the_newest_refresh_and_what_was_asked(followed):
    assert run("refresh").exit_code == 0
    told = run("status").stdout
    assert told.splitlines()[0] == LABEL
    assert "the exchange is open" in told
    assert "served up to 2026-08-04 (final), publish 2" in told
    live = told.partition("Newest refresh of a session in progress")[2].partition("Requests of the last day")[0]
    assert cells_of(live, "trading")[1:4] == [str(TODAY), "trading", "4"]
    requests = told.partition("Requests of the last day")[2].partition("Yahoo Finance")[0]
    for provider in ("yahoo_chart", "yahoo_quote"):
        asked = followed.database.rows(
            "SELECT count(*) AS n FROM operations.requests WHERE provider = :provider", {"provider": provider}
        )[0].n
        cells = cells_of(requests, provider)
        assert [*cells[1:2], *cells[3:6]] == [provider, str(asked), str(asked), "1.000"]
        assert cells[-2] == "closed"
    # The histories were asked for elsewhere: the exchange had another port then.
    assert cells_of(requests, "yahoo_quote")[2] == followed.exchange.url.removeprefix("http://")


def test_doctor_tells_the_time_of_the_simulated_exchange(followed):
    result = run("doctor")
    assert result.exit_code == 0, result.output
    told = " ".join(result.stdout.split())
    assert followed.exchange.url in told
    assert "simulated; its time is 2026-08-05 09:00 UTC" in " ".join(told.replace("│", " ").split())


def test_without_its_exchange_what_is_stored_can_be_read_and_nothing_written(followed, monkeypatch):
    before = contents(followed.database)
    monkeypatch.setenv("YAHOO_HOSTS", "http://127.0.0.1:9")
    told = refusal(run("refresh"))
    assert "127.0.0.1:9" in told
    assert run("signals").exit_code == run("status").exit_code == 0
    doctor = run("doctor")
    assert "at fault: exchange" in doctor.stderr
    assert "`bist-pipeline up --simulated`" in " ".join(doctor.stdout.replace("│", " ").split())
    assert contents(followed.database) == before


def test_a_refresh_of_the_real_exchange_is_refused_on_a_simulated_market(followed, filled, monkeypatch):
    """The database's kind decides, whatever the environment says of the exchange."""
    monkeypatch.setenv("BIST_PROVIDERS", "yahoo_chart")
    monkeypatch.setenv("BIST_LIVE_PROVIDERS", "yahoo_quote")
    monkeypatch.delenv("BIST_ARCHIVE_DIR")
    monkeypatch.setenv("YAHOO_HOSTS", followed.exchange.url)
    before = contents(filled)
    told = refusal(run("refresh", "--date", str(date(2026, 8, 5))))
    assert "holds a real market" in told
    assert contents(filled) == before
