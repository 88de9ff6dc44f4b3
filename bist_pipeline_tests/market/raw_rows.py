"""Delivered rows, a small schedule and the recorded files, for the tests of `market/` and `quality/`.

Belongs here: building the inputs. Does not belong here: any expectation.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

SESSION = "2024-01-03"
VALUES = ("open_raw", "high_raw", "low_raw", "close_raw", "adj_close_raw", "volume_raw")

_COLUMNS = {
    "symbol": "str",
    "session_date": "datetime64[us]",
    "occurrence": "int64",
    **dict.fromkeys(VALUES, "float64"),
    "source_row": "int64",
    "basis": "str",
    "source": "str",
    "payload_hash": "str",
    "as_of": "datetime64[us, UTC]",
}
_GOOD = {
    "symbol": "THYAO",
    "session_date": SESSION,
    "occurrence": 0,
    "open_raw": 250.0,
    "high_raw": 255.5,
    "low_raw": 248.3,
    "close_raw": 252.0,
    "adj_close_raw": 251.5,
    "volume_raw": 12_345_678.0,
    "source_row": 7,
    "basis": "as_traded",
    "source": "archive:THYAO.csv",
    "payload_hash": "ab12",
    "as_of": "2024-02-01T00:00:00Z",
}
# Of the two weeks, the exchange was closed on New Year's Day; the half day on the 12th is invented.
_CLOSED = {"2024-01-01": "New Year's Day"}
_HALF_DAY = "2024-01-12"


def raw_rows(*changes: dict) -> pd.DataFrame:
    """One good row per argument, changed as it says; no row without arguments."""
    rows = pd.DataFrame([_GOOD | change for change in changes], columns=list(_COLUMNS))
    return rows.assign(as_of=pd.to_datetime(rows["as_of"], utc=True)).astype(_COLUMNS)


def raw_grid(closes: dict[str, list[float]], days: list[str], **columns: list[float]) -> pd.DataFrame:
    """Rows of several symbols on the same days; a NaN close leaves the row out. Open, high and low equal the close."""
    changes = []
    for symbol, series in closes.items():
        for position, (day, close) in enumerate(zip(days, series, strict=True)):
            if not np.isnan(close):
                own = {name: values[position] for name, values in columns.items()}
                prices = dict.fromkeys(VALUES[:4], close)
                changes.append(
                    {"symbol": symbol, "session_date": day, "volume_raw": 1000.0 + position, **prices, **own}
                )
    return raw_rows(*changes)


def small_schedule() -> pd.DataFrame:
    """The weekdays from 2024-01-01 to 2024-01-12."""
    days = pd.Series(pd.bdate_range("2024-01-01", "2024-01-12").as_unit("us"))
    names = days.dt.strftime("%Y-%m-%d")
    closed = names.isin(list(_CLOSED))
    midnight = days.dt.tz_localize("UTC")
    close_at = (midnight + pd.Timedelta(hours=15)).where(
        names != _HALF_DAY, midnight + pd.Timedelta(hours=9, minutes=30)
    )
    return pd.DataFrame(
        {
            "session_date": days,
            "is_session": ~closed,
            "is_half_day": names == _HALF_DAY,
            "open_at": (midnight + pd.Timedelta(hours=7)).mask(closed),
            "close_at": close_at.mask(closed),
            "final_at": (close_at + pd.Timedelta(minutes=10)).mask(closed),
            "note": names.map(_CLOSED).fillna("").astype("str"),
        }
    )


def recorded_daily() -> pd.DataFrame:
    """Every row of the 92 recorded files, as a provider would deliver them. Skips the test where they are absent."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    folder = Path(os.environ.get("BIST_REALDATA", beside)) / "bist_daily"
    if not folder.is_dir():
        pytest.skip(f"no recordings in {folder}")
    frames = [
        pd.read_csv(path).assign(symbol=path.stem, source_row=lambda rows: np.arange(len(rows)) + 2)
        for path in sorted(folder.glob("*.csv"))
    ]
    rows = pd.concat(frames, ignore_index=True)
    prices = {f"{name.lower()}_raw": rows[name] for name in ("Open", "High", "Low", "Close", "Volume")}
    return pd.DataFrame(
        {
            **{
                "symbol": rows["symbol"],
                "session_date": pd.to_datetime(rows["Price"]),
                "source_row": rows["source_row"],
            },
            **prices,
            **{
                "occurrence": 0,
                "adj_close_raw": np.nan,
                "basis": "fully_adjusted",
                "source": "archive:" + rows["symbol"],
            },
            **{"payload_hash": "recorded", "as_of": pd.Timestamp("2026-08-10T00:00:00Z")},
        }
    ).astype(_COLUMNS)[list(_COLUMNS)]
