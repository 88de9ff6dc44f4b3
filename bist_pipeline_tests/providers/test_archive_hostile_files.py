"""Whatever lies in the folder, it is read or refused in one line; nothing else comes out."""

import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bist_pipeline.core.errors import BadPayloadError
from bist_pipeline.providers.archive.provider import ArchiveProvider

SEEDS = [
    "Date,Open,High,Low,Close,Volume\n2024-01-04,10,12,9,11,1000\n2024-01-05,11,13,10,12.5,2000\n",
    "Tarih;Açılış;Yüksek;Düşük;Kapanış;Hac.\n31.01.2024;10,5;1.212,0;9;11;1,5M\n30.01.2024;11;13;10;12,5;2 bin\n",
    "Price,Close\nTicker,THYAO.IS\nDate,\n2024-01-04 00:00:00+03:00,11\n2024-01-05 00:00:00+03:00,12\n",
    '"Date","Price","Vol."\n"Jan 05, 2024","1,234.50","35.12M"\n"Jan 04, 2024","1,200","-"\n',
]
PUNCTUATION = [*"\n,;\t|\".-' #\0\x1a\ufeffé", ""]
WORDS = [
    "nan",
    "inf",
    "e9",
    "Date",
    "Ticker,",
    "THYAO.IS",
    "K",
    "1,234",
    "1.234",
    "2024-01-04",
    "30/02/2024",
    "+03:00",
    "9" * 20,
]
PIECES = st.sampled_from([*PUNCTUATION, *WORDS])


@st.composite
def broken_texts(draw):
    text = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 8)))
        text = text[:start] + draw(PIECES) + text[end:]
    return text.encode(draw(st.sampled_from(["utf-8", "cp1254", "utf-16"])), errors="replace")


def _refusal(payload, name="THYAO.csv"):
    """Return the refusal, or None when the file was read."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, name).write_bytes(payload)
        try:
            ArchiveProvider(Path(folder), "as_traded").history("THYAO")
        except BadPayloadError as refusal:
            return str(refusal)
    return None


def _is_read_or_refused(payload, name="THYAO.csv"):
    refusal = _refusal(payload, name)
    assert refusal is None or (refusal.startswith(f"THYAO: {name} ") and "\n" not in refusal)


@settings(max_examples=400, deadline=None)
@given(broken_texts())
def test_a_broken_text_is_read_or_refused_in_one_line(payload):
    _is_read_or_refused(payload)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["THYAO.csv", "THYAO.csv.gz", "THYAO.parquet"]))
def test_any_bytes_are_refused_in_one_line(payload, name):
    _is_read_or_refused(payload, name)


CELLS = [
    pa.array([1, None]),
    pa.array([float("nan"), 1e300]),
    pa.array([2**62, -5]),
    pa.array([b"x", b"\xff"]),
    pa.array([[1], [2]]),
    pa.array([{"a": 1}, {"a": 2}]),
    pa.array(["2024-01-04", "x\ny"]),
    pa.nulls(2),
    pa.array([1, 2], pa.duration("s")),
    pa.array([1, 2], pa.timestamp("ns", "America/New_York")),
    pa.array([2**60, 0], pa.timestamp("ms")),
    pa.array([True, None]),
]


@pytest.mark.parametrize("dates", CELLS, ids=lambda cells: str(cells.type))
@pytest.mark.parametrize("close", CELLS, ids=lambda cells: str(cells.type))
def test_any_parquet_type_is_read_or_refused_in_one_line(tmp_path, dates, close):
    pq.write_table(pa.table({"Date": dates, "Close": close}), tmp_path / "THYAO.parquet")
    _is_read_or_refused((tmp_path / "THYAO.parquet").read_bytes(), "THYAO.parquet")


def test_a_single_endless_line_is_refused(tmp_path):
    _is_read_or_refused(b"Date,Close," + b"x" * 300_000 + b"\n2024-01-04,11,1\n")
    _is_read_or_refused(b"Date,Close,Note\n2024-01-04,11," + b"x" * 20_000_000 + b"\n")
