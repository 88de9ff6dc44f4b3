"""A random history, written in a random dialect, reads back exactly."""

import tempfile
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bist_pipeline.providers.archive.provider import ArchiveProvider

HEADERS = {
    "english": "Date Open High Low Close Volume".split(),  # noqa: SIM905
    "turkish": ["Tarih", "Açılış", "En Yüksek", "En Düşük", "Kapanış", "Hacim"],
    "yfinance": "Price Open High Low Close Volume".split(),  # noqa: SIM905
}
DATE_FORMATS = [
    "%Y-%m-%d",
    "%Y-%m-%d 00:00:00+03:00",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%Y%m%d",
    "%b %d, %Y",
    "%d.%m.%y",
]


@dataclass(frozen=True)
class Dialect:
    header: str
    date_format: str
    decimal: str
    group: str
    delimiter: str
    encoding: str
    line_end: str
    missing: str
    newest_first: bool

    def number(self, value: float, decimals: int) -> str:
        """Write a number so that reading it back can lose nothing: exact in `decimals` places."""
        if np.isnan(value):
            return self.missing
        whole, _, fraction = f"{value:,.{decimals}f}".partition(".")
        return whole.replace(",", self.group) + (self.decimal + fraction if decimals else "")


@st.composite
def dialects(draw):
    decimal = draw(st.sampled_from(".,"))
    group = draw(st.sampled_from(["", " ", {".": ",", ",": "."}[decimal]]))
    return Dialect(
        draw(st.sampled_from(sorted(HEADERS))),
        draw(st.sampled_from(DATE_FORMATS)),
        decimal,
        group,
        draw(st.sampled_from(";\t|")),
        draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1254"])),
        draw(st.sampled_from(["\n", "\r\n"])),
        draw(st.sampled_from(["", "NaN", "-", "n/a"])),
        draw(st.booleans()),
    )


@st.composite
def histories(draw):
    """Return days and an array of open, high, low, close (two decimals) and whole volumes; some cells missing."""
    count = draw(st.integers(1, 25))
    # The second half of a month tells day and month apart whatever follows.
    start = draw(st.dates(date(2010, 1, 1), date(2026, 1, 1))).replace(day=draw(st.integers(13, 28)))
    days = [start + timedelta(days=n) for n in range(count)]
    cents = st.integers(1, 10**9)
    close = draw(st.lists(cents, min_size=count, max_size=count))
    others = draw(st.lists(st.tuples(*[st.none() | cents] * 3), min_size=count, max_size=count))
    volumes = draw(st.lists(st.none() | st.integers(0, 10**12), min_size=count, max_size=count))
    rows = [
        [*(np.nan if cell is None else cell / 100 for cell in (*other, last)), np.nan if volume is None else volume]
        for other, last, volume in zip(others, close, volumes, strict=True)
    ]
    return days, np.array(rows, dtype=np.float64)


def _write(dialect, days, values):
    rows = [
        [day.strftime(dialect.date_format), *(dialect.number(v, 2) for v in row[:4]), dialect.number(row[4], 0)]
        for day, row in zip(days, values, strict=True)
    ]
    if dialect.newest_first:
        rows.reverse()
    head = [HEADERS[dialect.header]]
    if dialect.header == "yfinance":
        head += [["Ticker"] + ["THYAO.IS"] * 5, ["Date"] + [""] * 5]
    lines = [dialect.delimiter.join(cells) for cells in (*head, *rows)]
    return (dialect.line_end.join(lines) + dialect.line_end).encode(dialect.encoding), len(head)


@settings(max_examples=150, deadline=None)
@given(dialects(), histories())
def test_a_history_written_in_any_dialect_reads_back_exactly(dialect, history):
    days, values = history
    payload, head = _write(dialect, days, values)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "THYAO.csv").write_bytes(payload)
        bars = ArchiveProvider(Path(folder), "as_traded").history("THYAO").bars
    order = -1 if dialect.newest_first else 1
    columns = ["open_raw", "high_raw", "low_raw", "close_raw", "volume_raw"]
    np.testing.assert_array_equal(bars[columns].to_numpy(), values[::order])
    assert bars["session_date"].dt.date.tolist() == days[::order]
    assert bars["source_row"].tolist() == list(range(head + 1, head + 1 + len(days)))
