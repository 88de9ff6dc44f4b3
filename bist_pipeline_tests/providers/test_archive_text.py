import json

import numpy as np
import pytest

from bist_pipeline.core.errors import BadPayloadError
from bist_pipeline_tests.providers.conftest import PLAIN

TURKISH = "Tarih;Açılış;Yüksek;Düşük;Kapanış;Hacim\n04.01.2024;10,5;12;9;11;1000\n31.01.2024;11;13;10;12,5;2000\n"
YFINANCE = (
    "Price,Adj Close,Close,High,Low,Open,Volume\n"
    "Ticker,THYAO.IS,THYAO.IS,THYAO.IS,THYAO.IS,THYAO.IS,THYAO.IS\n"
    "Date,,,,,,\n"
    "2024-01-04,10.5,11,12,9,10,1000\n"
    "2024-01-05,12.0,12.5,13,10,11,2000\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1254"])
def test_the_encoding_is_recognised_and_reported(desk, encoding):
    history = desk.read(TURKISH, encoding=encoding)
    assert history.bars["close_raw"].tolist() == [11.0, 12.5]
    assert history.recognised["encoding"] == encoding


@pytest.mark.parametrize(("delimiter", "label"), [(",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "bar")])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_delimiter_and_line_ends_are_recognised(desk, delimiter, label, end):
    history = desk.read(PLAIN.replace(",", delimiter).replace("\n", end))
    assert history.bars["volume_raw"].tolist() == [1000.0, 2000.0]
    assert history.recognised["delimiter"] == label


def test_cells_in_quotation_marks_may_hold_the_delimiter(desk):
    history = desk.read('"Tarih","Kapanış","Hac."\n"31.01.2024","1.234,50","35,12M"\n"30.01.2024","1.200,00","1,5M"\n')
    assert history.bars["close_raw"].tolist() == [1234.5, 1200.0]
    assert history.bars["volume_raw"].tolist() == [35_120_000.0, 1_500_000.0]


def test_the_three_header_lines_of_yfinance_are_recognised(desk):
    history = desk.read(YFINANCE)
    assert history.recognised["header_lines"] == [1, 3]
    assert history.recognised["columns"]["date"] == "Price"
    assert history.bars["source_row"].tolist() == [4, 5]
    assert history.bars["adj_close_raw"].tolist() == [10.5, 12.0]


def test_the_header_lines_of_yfinance_grouped_by_ticker_are_recognised(desk):
    lines = YFINANCE.splitlines()
    assert len(desk.read("\n".join([lines[1], lines[0], *lines[2:]])).bars) == 2


def test_the_header_lines_of_older_yfinance_are_recognised(desk):
    text = YFINANCE.replace("Price,", ",").replace("Ticker,", ",")
    assert desk.read(text).bars["open_raw"].tolist() == [10.0, 11.0]


@pytest.mark.parametrize("head", ["Price", "Date", "", "Unnamed: 0", "index"])
def test_the_first_column_holds_the_dates_whatever_heads_it(desk, head):
    history = desk.read(PLAIN.replace("Date", head))
    assert history.bars["session_date"].dt.strftime("%Y-%m-%d").tolist() == ["2024-01-04", "2024-01-05"]
    assert history.recognised["columns"]["date"] == head


def test_lines_above_the_header_are_passed_over_and_reported(desk):
    history = desk.read("# from my desk\nTHYAO, Turk Hava Yollari, 2024\n\n" + PLAIN)
    assert history.recognised["lines_above_header"] == ["# from my desk", "THYAO, Turk Hava Yollari, 2024"]
    assert history.bars["source_row"].tolist() == [5, 6]


def test_a_title_with_a_date_above_the_header_is_not_taken_for_a_row(desk):
    assert len(desk.read("05.01.2024, 18:30\n" + PLAIN).bars) == 2


def test_blank_lines_comments_and_repeated_headers_are_no_rows_and_do_not_shift_line_numbers(desk):
    header, first, second = PLAIN.splitlines()
    history = desk.read("\n".join([header, "", first, "# gap", ",,,,,", header, second, "\x1a"]))
    assert history.bars["source_row"].tolist() == [3, 7]
    assert history.recognised["repeated_headers"] == 1


def test_a_delimiter_at_the_end_of_every_row_is_tolerated(desk):
    header, first, second = PLAIN.splitlines()
    assert len(desk.read(f"{header}\n{first},\n{second},\n").bars) == 2


def test_rows_keep_the_order_of_the_file(desk):
    header, first, second = PLAIN.splitlines()
    history = desk.read("\n".join([header, second, first]))
    assert history.bars["close_raw"].tolist() == [12.5, 11.0]
    assert history.recognised["row_order"] == "newest first"


def test_repeated_dates_are_kept_and_counted(desk):
    history = desk.read(PLAIN + PLAIN.splitlines()[-1])
    assert len(history.bars) == 3
    assert history.recognised["repeated_dates"] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "THYAO: THYAO.csv is empty"),
        (" \n\n", "is empty"),
        ("Date,Close\n", "has a header but no rows"),
        ("\n".join(YFINANCE.splitlines()[:3]), "has a header but no rows"),
        ("2024-01-04,10,12,9,11,1000\n2024-01-05,1,2,3,4,5\n", "has no header line: expected .* Date, Open, High"),
        ("<!DOCTYPE html><html><body>Too many requests</body></html>", "has no header line"),
        (PLAIN + "2024-01-08,11,13\n", r"line 4: has 3 cells, the header names 6"),
        (PLAIN + "2024-01-08,11,13,10,12,5,2000\n", "line 4: has 7 cells"),
        (PLAIN + '2024-01-08,"11,13,10,12,5\n', "line 4: a quotation mark is not closed"),
        (b"\x1f\x8b broken", "is broken gzip"),
        (b"PK\x03\x04\x00\x00Date,Close", "is not text: it holds zero bytes"),
        (b"Date,Close\n\x81\x8d", "is not text in utf-8 or cp1254"),
        (YFINANCE.replace("THYAO.IS", "AKBNK.IS"), "line 2: 'AKBNK.IS' contradicts the file's name"),
        (YFINANCE.replace("THYAO.IS", "AKBNK.IS", 1), "line 2: names 2 symbols"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(desk, text, message):
    with pytest.raises(BadPayloadError, match=message) as refusal:
        desk.read(text)
    assert "\n" not in str(refusal.value)


def test_a_row_without_a_date_below_the_header_is_not_taken_for_a_header(desk):
    with pytest.raises(BadPayloadError, match="line 2, column Date: '' is not a date"):
        desk.read("Date,Open,Close\n,nan,nan\n2024-01-05,1,2\n")


def test_recognitions_are_json(desk):
    assert json.loads(json.dumps(desk.read(TURKISH).recognised))["decimal"] == ","


def test_absent_columns_are_nan_and_reported(desk):
    history = desk.read("Date,Close\n2024-01-04,11\n")
    assert history.recognised["missing_columns"] == ["open", "high", "low", "volume"]
    assert np.isnan(history.bars[["open_raw", "high_raw", "low_raw", "adj_close_raw", "volume_raw"]].to_numpy()).all()
