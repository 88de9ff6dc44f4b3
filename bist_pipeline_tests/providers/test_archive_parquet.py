from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bist_pipeline.core.errors import BadPayloadError

DAYS = ["2024-01-04", "2024-01-05"]


def _read(desk, table, name="THYAO.parquet"):
    pq.write_table(table if isinstance(table, pa.Table) else pa.table(table), desk.folder / name)
    return desk.read()


def _days(history):
    return history.bars["session_date"].dt.strftime("%Y-%m-%d").tolist()


@pytest.mark.parametrize("name", ["Date", "Tarih", None])
def test_the_dates_may_be_the_index_of_a_pandas_frame(desk, name):
    frame = pd.DataFrame(
        {"Close": [11.0, 12.5], "Volume": [1, 2]}, index=pd.DatetimeIndex(DAYS, tz="Europe/Istanbul", name=name)
    )
    frame.to_parquet(desk.folder / "THYAO-daily.parquet")
    history = desk.read()
    assert _days(history) == DAYS
    assert history.bars["close_raw"].tolist() == [11.0, 12.5]
    assert history.bars["source_row"].tolist() == [1, 2]


@pytest.mark.parametrize(
    "dates",
    [
        pa.array([date(2024, 1, 4), date(2024, 1, 5)]),
        pa.array(pd.to_datetime(DAYS), pa.timestamp("ns")),
        pa.array(pd.to_datetime(["2024-01-03 21:00", "2024-01-04 21:00"]), pa.timestamp("ms", "UTC")),
        pa.array(DAYS),
        pa.array(DAYS, pa.large_string()),
        pa.array(DAYS).dictionary_encode(),
        pa.array([20240104, 20240105]),
        pa.array([1704355200, 1704441600]),
        pa.array([1704355200.0, 1704441600.0]),
    ],
    ids=lambda array: str(array.type)[:30],
)
def test_typed_dates_are_read(desk, dates):
    assert _days(_read(desk, {"Date": dates, "Close": [11.0, 12.5]})) == DAYS


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (pa.array([11, 12]), [11.0, 12.0]),
        (pa.array([1.1, None], pa.float32()), [float(np.float32(1.1)), np.nan]),
        (pa.array([Decimal("11.10"), Decimal("12.35")]), [11.10, 12.35]),
        (pa.array(["11,5", "12"]), [11.5, 12.0]),
        (pa.array(["11.5", None], pa.large_string()), [11.5, np.nan]),
        (pa.nulls(2), [np.nan, np.nan]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_typed_numbers_are_read_exactly(desk, cells, values):
    history = _read(desk, {"Date": DAYS, "Close": [1.0, 2.0], "Open": cells})
    np.testing.assert_array_equal(history.bars["open_raw"], values)


def test_columns_are_recognised_as_in_text(desk):
    history = _read(desk, {"Tarih": DAYS, "Kapanış": [11.0, 12.0], "RSI": [50.0, 51.0], "Temettü": [0.0, 0.5]})
    assert history.recognised["ignored_columns"] == ["RSI"]
    assert history.actions["amount_try"].tolist() == [0.5]


def test_a_download_of_yfinance_stored_with_its_two_level_columns_is_read(desk):
    columns = pd.MultiIndex.from_tuples([("Close", "THYAO.IS"), ("Open", "THYAO.IS")], names=["Price", "Ticker"])
    frame = pd.DataFrame([[11.0, 10.0], [12.0, 11.0]], index=pd.DatetimeIndex(DAYS, name="Date"), columns=columns)
    frame.to_parquet(desk.folder / "THYAO.parquet")
    assert desk.read().bars["open_raw"].tolist() == [10.0, 11.0]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"Date": pa.array([], pa.string()), "Close": pa.array([], pa.float64())}, "has columns but no rows"),
        ({"Date": DAYS, "Close": [True, False]}, "column Close: holds bool, not numbers"),
        ({"Date": [True, False], "Close": [1.0, 2.0]}, "column Date: holds bool, not dates"),
        ({"Date": ["2024-01-04", None], "Close": [1.0, 2.0]}, "row 2, column Date: the date is missing"),
        ({"Date": DAYS, "Close": ["1.5", "abc"]}, "row 2, column Close: 'abc' is not a number"),
        (
            {"Date": DAYS, "Close": [1.0, 2.0], "Symbol": ["THYAO", "AKBNK"]},
            "row 2, column Symbol: 'AKBNK' contradicts",
        ),
    ],
)
def test_what_is_no_history_is_refused(desk, table, message):
    with pytest.raises(BadPayloadError, match=f"^THYAO: THYAO.parquet {message}"):
        _read(desk, table)


@pytest.mark.parametrize("payload", [b"PAR1 cut off", b"Date,Close\n2024-01-04,11\n"])
def test_a_damaged_file_is_refused(desk, payload):
    desk.keep(payload, "THYAO.parquet")
    with pytest.raises(BadPayloadError, match=r"THYAO: THYAO.parquet is not readable Parquet"):
        desk.read()
