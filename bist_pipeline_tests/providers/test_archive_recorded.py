"""Every recorded file is read, or refused for the right reason."""

import csv
import shutil

import numpy as np
import pytest

from bist_pipeline.core.errors import BadPayloadError
from bist_pipeline.providers.archive.provider import ArchiveProvider

pytestmark = pytest.mark.realdata

FOREIGN_REFUSALS = {  # file of another market → why it is no daily history
    "AV-L-1wk-bad-stock-split.csv": "has rows 7 days apart",
    "AV-L-1wk-bad-stock-split-fixed.csv": "has rows 7 days apart",
    "ASAI-L-1h-bad-unit.csv": "bars within the day",
    "ASAI-L-1h-bad-unit-fixed.csv": "bars within the day",
    "bad.csv": "line 202, column date: '' is not a date",
    "intraday.csv": "bars within the day",
}


def _provider(folder):
    return ArchiveProvider(folder, "fully_adjusted")


def _rows(path):
    with path.open(newline="", encoding="utf-8-sig") as file:
        return [row for row in csv.reader(file) if row]


def test_all_daily_histories_are_read_bit_for_bit(recordings):
    provider = _provider(recordings / "bist_daily")
    assert len(provider.symbols()) == 92
    count = 0
    for symbol, (path,) in provider.listing().files.items():
        bars = provider.history(symbol).bars
        head, *rows = _rows(path)
        assert head == ["Price", "Close", "High", "Low", "Open", "Volume"]
        expected = np.array([[float(cell) for cell in row[1:]] for row in rows])
        columns = ["close_raw", "high_raw", "low_raw", "open_raw", "volume_raw"]
        assert bars[columns].to_numpy().tobytes() == expected.tobytes()
        assert bars["session_date"].dt.strftime("%Y-%m-%d").tolist() == [row[0] for row in rows]
        count += len(bars)
    assert count == 107_401


def test_dividends_and_splits_are_those_of_the_rows(recordings):
    provider = _provider(recordings / "bist_with_events")
    assert len(provider.symbols()) == 32
    splits = {}
    for symbol, (path,) in provider.listing().files.items():
        actions = provider.history(symbol).actions
        _, *rows = _rows(path)
        paid = [(row[0][:10], float(row[6])) for row in rows if float(row[6])]
        dividends = actions[actions["kind"] == "dividend"]
        assert list(zip(dividends["ex_date"].dt.strftime("%Y-%m-%d"), dividends["amount_try"], strict=True)) == paid
        held = actions[actions["kind"] == "split"]
        splits |= {(symbol, f"{s.ex_date:%Y-%m-%d}"): s.ratio for s in held.itertuples()}
    described = {
        ("FROTO", "2025-05-07"): 10,
        ("DAGI", "2025-02-19"): 3.0792917,
        ("VAKFN", "2025-09-11"): 1.4285715,
        ("EREGL", "2024-11-27"): 2,
        ("FONET", "2025-10-20"): 6.5,
    }
    assert {key: splits[key] for key in described} == pytest.approx(described, rel=1e-12)


@pytest.mark.parametrize("symbol", ["IPEKE", "KARDMD", "KOZAA", "KOZAL"])
def test_an_empty_history_is_refused(recordings, symbol):
    with pytest.raises(BadPayloadError, match=f"{symbol}: {symbol}.IS.csv has a header but no rows"):
        _provider(recordings / "bist_odd").history(symbol)


def test_the_index_with_three_header_lines_is_read(recordings):
    history = _provider(recordings / "bist_odd").history("XU100")
    assert len(history.bars) == 1233
    assert history.recognised["ignored_columns"] == ["RSI", "MACD"]
    assert history.bars["source_row"].iloc[0] == 4


@pytest.mark.parametrize("symbol", ["AKBNK", "AZTEK", "THYAO"])
def test_hourly_bars_are_refused(recordings, symbol):
    with pytest.raises(BadPayloadError, match=f"{symbol}_1h_cache.csv holds bars within the day"):
        _provider(recordings / "bist_intraday").history(symbol)


def test_files_of_other_markets_are_reported_as_no_symbols(recordings):
    listing = _provider(recordings / "price_repair").listing()
    assert not listing.files
    assert len(listing.unnamed) == 26
    assert listing.ignored == ("LICENSE.yfinance",)


def test_files_of_other_markets_are_read_or_refused_for_their_own_reason(recordings, tmp_path):
    seen = 0
    for path in sorted([*recordings.glob("price_repair/*.csv"), *recordings.glob("ta_reference/quotes/*.csv")]):
        shutil.copyfile(path, tmp_path / "THYAO.csv")
        reason = FOREIGN_REFUSALS.get(path.name)
        if reason:
            with pytest.raises(BadPayloadError, match=reason):
                _provider(tmp_path).history("THYAO")
        else:
            head, *rows = _rows(path)
            close = [name.lower() for name in head].index("close")
            bars = _provider(tmp_path).history("THYAO").bars
            np.testing.assert_array_equal(bars["close_raw"], [float(row[close] or "nan") for row in rows])
        seen += 1
    assert seen == 31


def test_american_dates_are_recognised(recordings, tmp_path):
    shutil.copyfile(recordings / "ta_reference/quotes/mismatch.csv", tmp_path / "SPYY.csv")
    recognised = _provider(tmp_path).history("SPYY").recognised
    assert recognised["date_format"] == "mm/dd/yyyy"
    assert recognised["row_order"] == "unsorted"
