"""A market from files: every bit of them, and nothing that they do not hold."""

import csv
from datetime import date
from itertools import pairwise

import numpy as np
import pytest

from bist_pipeline.core.clock import FixedClock
from bist_pipeline.simulator.clock import ExchangeClock
from bist_pipeline.simulator.errors import SimulatorError
from bist_pipeline.simulator.hours import hours_of
from bist_pipeline.simulator.market import replay_market
from bist_pipeline.simulator.server import exchange
from bist_pipeline_tests.simulator.conftest import istanbul
from bist_pipeline_tests.simulator.wire import ask, chart, quotes

ROWS = """Price,Close,High,Low,Open,Volume
2026-08-03,12.33804702758789,12.572499001921647,12.318508897245412,12.523654607694782,52296398
2026-08-04,11.927755355834961,12.347815833070593,11.878910962635349,12.240357981705582,74847273
2026-08-05,12.1,12.347815833070599,11.9000000000001,12.0,1000003
"""
EVENTS = """Date,Open,High,Low,Close,Volume,Dividends,Stock Splits
2026-08-03,40,42,39,41,1000,0,0
2026-08-04,41,42,40,41,1000,0.5,0
2026-08-05,10.3,10.5,10.1,10.4,4000,0,4
"""
AFTER = istanbul(20, 0, date(2026, 8, 6))


@pytest.fixture
def write(tmp_path):
    def written(**files):
        for name, text in files.items():
            (tmp_path / f"{name.replace('__', '.')}.csv").write_text(text)
        return tmp_path

    return written


def serve(folder, basis="fully_adjusted", now=AFTER):
    return exchange(replay_market(folder, basis), ExchangeClock(FixedClock(now), running=False))


def test_a_replay_keeps_every_bit_and_adds_no_adjusted_close(write):
    with serve(write(THYAO=ROWS)) as running:
        result = chart(running, "THYAO")
        assert ask(running, "/simulator").headers["X-Simulated"] == "REPLAYED"
    quote = result["indicators"]["quote"][0]
    for row, line in enumerate(csv.DictReader(ROWS.splitlines())):
        assert date.fromisoformat(line["Price"]) == date(2026, 8, 3 + row)
        assert result["timestamp"][row] == hours_of(date(2026, 8, 3 + row)).open_at
        for name in ("open", "high", "low", "close", "volume"):
            assert quote[name][row] == float(line[name.capitalize()])
    assert "adjclose" not in result["indicators"]
    assert "events" not in result


def test_a_replayed_bar_forms_and_ends_in_the_files_numbers(write):
    market = replay_market(write(THYAO=ROWS), "fully_adjusted")
    seen = [market.view("THYAO", istanbul(hour, 30)).last for hour in (10, 12, 15, 17)]
    for before, after in pairwise(seen):
        assert after.high >= before.high
        assert after.low <= before.low
        assert after.volume > before.volume
    assert len({one.close for one in seen}) == 4
    end = market.view("THYAO", istanbul(18, 10)).last
    assert (end.open, end.high, end.low, end.close, end.volume) == (
        12.0, 12.347815833070599, 11.9000000000001, 12.1, 1000003.0,
    )  # fmt: skip


def test_days_without_a_session_are_served_and_no_quote_comes_from_them(write):
    rows = ROWS + "2026-08-08,12.1,12.1,12.1,12.1,0\n"
    with serve(write(THYAO=rows), now=istanbul(20, 0, date(2026, 8, 8))) as running:
        result, quote = chart(running, "THYAO"), quotes(running, "THYAO")["THYAO"]
    assert result["timestamp"][-1] == istanbul(10, 0, date(2026, 8, 8)).timestamp()
    assert quote["regularMarketTime"] < istanbul(20).timestamp()


def test_what_is_missing_is_null(write):
    rows = ROWS.replace("12.240357981705582,74847273", ",nan")
    with serve(write(THYAO=rows)) as running:
        quote = chart(running, "THYAO")["indicators"]["quote"][0]
    assert quote["open"] == [12.523654607694782, None, 12]
    assert quote["volume"] == [52296398, None, 1000003]


def test_prices_as_traded_are_divided_and_others_are_not(write):
    folder = write(THYAO=EVENTS)
    found = {}
    for basis in ("as_traded", "split_adjusted"):
        with serve(folder, basis) as running:
            found[basis] = chart(running, "THYAO")
            running.clock.set(istanbul(20, 0, date(2026, 8, 4)))
            assert chart(running, "THYAO")["indicators"]["quote"][0]["close"] == [41, 41]
    divided, kept = (found[basis]["indicators"]["quote"][0] for basis in found)
    assert divided["close"] == [41 / 4, 41 / 4, 10.4]
    assert divided["volume"] == [4000, 4000, 4000]
    assert kept["close"] == [41, 41, 10.4]
    splits = {at: split["splitRatio"] for at, split in found["as_traded"]["events"]["splits"].items()}
    assert splits == {str(hours_of(date(2026, 8, 5)).open_at): "4:1"}
    amounts = [next(iter(told["events"]["dividends"].values()))["amount"] for told in found.values()]
    assert amounts == [0.125, 0.5]


def test_an_adjusted_close_in_the_file_is_served(write):
    rows = "Date,Open,High,Low,Close,Adj Close,Volume\n2026-08-03,1,2,0.5,1.5,1.4000000000000004,10\n"
    with serve(write(THYAO=rows)) as running:
        assert chart(running, "THYAO")["indicators"]["adjclose"] == [{"adjclose": [1.4000000000000004]}]


def test_yfinances_header_lines_and_names_are_known_and_an_empty_file_is_an_unknown_symbol(write):
    header = "Price,Close,High,Low,Open,Volume\nTicker,X,X,X,X,X\nDate,,,,,\n"
    folder = write(KOZAL__IS=header, akbnk_1d_cache=ROWS)
    market = replay_market(folder, "fully_adjusted")
    assert market.symbols(AFTER) == ["AKBNK"]
    assert market.symbols(istanbul(9, 0, date(2026, 8, 3))) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "line 1"),
        ("Date,Open,High,Low,Close\n", "line 1"),
        ("Date,Open,High,Low,Close,Close,Volume\n", "line 1"),
        (ROWS + "2026-13-01,1,1,1,1,1\n", "line 5: '2026-13-01' is no date"),
        (ROWS + "2026-08-06,1,1,x,1,1\n", "line 5: low 'x' is no number"),
        (ROWS + '2026-08-06,"1,1\n', "no plain CSV"),
    ],
)
def test_a_file_that_is_not_plain_is_refused_by_name_and_line(write, text, reason):
    folder = write(THYAO=text)
    with pytest.raises(SimulatorError, match=rf"THYAO\.csv.*{reason}"):
        replay_market(folder, "fully_adjusted")


def test_folders_bases_and_names_that_cannot_be_meant_are_refused(write, tmp_path):
    with pytest.raises(SimulatorError, match="holds no file"):
        replay_market(tmp_path, "as_traded")
    with pytest.raises(SimulatorError, match="cannot be read"):
        replay_market(tmp_path / "nowhere", "as_traded")
    write(THYAO=ROWS)
    with pytest.raises(SimulatorError, match="legal: as_traded"):
        replay_market(tmp_path, "raw")
    write(thyao_daily=ROWS)
    with pytest.raises(SimulatorError, match="both hold THYAO"):
        replay_market(tmp_path, "as_traded")
    (tmp_path / "thyao_daily.csv").rename(tmp_path / "x.csv")
    with pytest.raises(SimulatorError, match="does not begin with a symbol"):
        replay_market(tmp_path, "as_traded")


@pytest.mark.realdata
def test_a_real_file_is_served_bit_for_bit(recordings):
    market = replay_market(recordings / "bist_daily", "fully_adjusted")
    now = istanbul(20, 0, date(2026, 8, 10))
    assert len(market.symbols(now)) == 92
    view = market.view("THYAO", now)
    with (recordings / "bist_daily" / "THYAO.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for name in ("open", "high", "low", "close", "volume"):
        np.testing.assert_array_equal(getattr(view, name), [float(row[name.capitalize()]) for row in rows])
