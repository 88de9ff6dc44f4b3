"""The same files, once read as an archive and once served through the chart protocol, end in the same tables."""

import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.simulator.market import replay_market
from bist_pipeline.simulator.ticks import on_grid
from bist_pipeline_tests.archives import simulated_bars, write_archive
from bist_pipeline_tests.pipeline.exchanges import asking, load, moment, standing, without
from bist_pipeline_tests.pipeline.sites import TABLES, all_contents, assert_same_bits, count, run

# Where a row came from, and who calls himself what.
PLACES = ("source", "source_row", "provider")

BARS = simulated_bars(symbols=4, sessions=260)
FIRST, LAST = (BARS["session_date"].agg(end).date() for end in ("min", "max"))
SPLIT_ROW, DIVIDEND_ROW, RATIO, DIVIDEND = 200, 230, 2.5, 0.35


def assert_replay_equals_archive(
    sites, folder: Path, basis: str, first: date, last: date, tables: Sequence[str] = TABLES
) -> int:
    """Load both; returns how many rows were compared."""
    archived = sites.make(folder, bist_archive_basis=basis)
    run(archived, first, last)
    with standing(replay_market(folder, basis), moment(last)) as running:
        replayed = asking(sites, running)
        load(replayed, first, last)
    left, right = all_contents(archived, tables), all_contents(replayed, tables)
    for table in tables:
        assert_same_bits(without(right[table], *PLACES), without(left[table], *PLACES), table)
    assert count(replayed, "market.quarantine") == count(archived, "market.quarantine")
    return sum(len(rows) for rows in left.values())


def test_adjusted_files_replayed_through_the_chart_give_the_tables_of_the_archive(sites, tmp_path):
    folder = write_archive(tmp_path / "files", BARS)
    assert assert_replay_equals_archive(sites, folder, "fully_adjusted", FIRST, LAST) > 4 * 260 * 5


def test_files_as_traded_with_a_split_and_a_dividend_give_the_tables_of_the_archive(sites, tmp_path):
    folder = write_as_traded(tmp_path / "files", BARS)
    # As delivered they differ: the chart shows prices adjusted for the split, which cleaning undoes.
    accepted = [table for table in TABLES if table != "market.raw_prices"]
    assert assert_replay_equals_archive(sites, folder, "as_traded", FIRST, LAST, accepted) > 4 * 260 * 4


def write_as_traded(folder: Path, bars: pd.DataFrame) -> Path:
    """Files whose prices fall with a split and whose actions stand beside them; prices on the grid."""
    folder.mkdir()
    for symbol, rows in bars.groupby("symbol"):
        number = np.arange(len(rows))
        ratio = np.where(number < SPLIT_ROW, 1.0, RATIO)
        prices = {
            name.capitalize(): np.round(on_grid(rows[f"{name}_try"].to_numpy() * 10 / ratio, FIRST), 2)
            for name in ("open", "high", "low", "close")
        }
        frame = pd.DataFrame({"Date": rows["session_date"].dt.strftime("%Y-%m-%d").to_numpy(), **prices})
        frame["Volume"] = (rows["volume_shares"].to_numpy() * ratio).round(-1)
        frame["Dividends"] = np.where(number == DIVIDEND_ROW, DIVIDEND, 0.0)
        frame["Stock Splits"] = np.where(number == SPLIT_ROW, RATIO, 0.0)
        frame.to_csv(folder / f"{symbol}.csv", index=False)
    return folder


@pytest.mark.realdata
def test_recorded_files_replayed_through_the_chart_give_the_tables_of_the_archive(sites, recordings, tmp_path):
    folder = tmp_path / "few"
    folder.mkdir()
    for path in sorted((recordings / "bist_daily").glob("*.csv"))[:5]:
        shutil.copy(path, folder)
    rows = assert_replay_equals_archive(sites, folder, "fully_adjusted", date(2025, 9, 1), date(2026, 8, 7))
    assert rows > 10_000
