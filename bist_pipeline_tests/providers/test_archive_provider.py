import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from bist_pipeline.core.clock import FixedClock
from bist_pipeline.core.errors import SettingsError, TransientProviderError, UnknownSymbolError
from bist_pipeline.providers.archive import provider as module
from bist_pipeline.providers.archive._as_of import calendar_hours
from bist_pipeline.providers.archive.provider import build_archive
from bist_pipeline.providers.contract import Services
from bist_pipeline.settings import Settings
from bist_pipeline_tests.providers.conftest import NOW, PLAIN


def _written_at(path, moment):
    os.utime(path, (moment.timestamp(), moment.timestamp()))


def test_the_hash_is_of_the_bytes_on_disk(desk):
    path = desk.keep(PLAIN)
    assert desk.read().payload_hash == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("basis", ["as_traded", "split_adjusted", "fully_adjusted"])
def test_the_basis_is_that_of_the_settings(desk, basis):
    desk.keep(PLAIN)
    settings = Settings(bist_archive_dir=desk.folder, bist_archive_basis=basis)
    assert build_archive(settings, Services()).history("THYAO").basis == basis


def test_the_clock_is_that_of_the_run(desk):
    _written_at(desk.keep(PLAIN), datetime(2024, 1, 8, 12, 0, tzinfo=UTC))
    provider = build_archive(Settings(bist_archive_dir=desk.folder), Services(clock=FixedClock(NOW)))
    assert provider.history("THYAO").as_of == NOW


def test_files_are_a_record_of_the_real_market_and_a_family_of_their_own(desk):
    assert (desk.provider.market_kind(), desk.provider.family) == ("real", "archive")


def test_the_source_names_the_file(desk):
    assert desk.read(PLAIN, "thyao.is.csv").source == "archive:thyao.is.csv"


def test_the_delay_is_that_of_delayed_feeds(desk):
    assert desk.provider.delay == timedelta(minutes=15)


def test_the_version_changes_with_size_time_and_basis(desk):
    path = desk.keep(PLAIN)
    _written_at(path, NOW)
    first = desk.provider.version("THYAO")
    _written_at(path, NOW + timedelta(seconds=1))
    second = desk.provider.version("THYAO")
    desk.keep(PLAIN + "2024-01-08,1,1,1,1,1\n")
    _written_at(path, NOW)
    third = desk.provider.version("THYAO")
    fourth = replace(desk.provider, basis="as_traded").version("THYAO")
    assert len({first, second, third, fourth}) == 4


# 2024-01-05 was a Friday with a whole session: 10:00 to 18:00 in Istanbul, 07:00 to 15:00 UTC.
@pytest.mark.parametrize(
    ("hour", "minute", "is_forming"),
    [(6, 59, True), (7, 0, True), (12, 0, True), (15, 0, True), (15, 9, True), (15, 10, False), (20, 0, False)],
)
def test_as_of_is_the_time_of_writing_until_the_newest_session_is_over(desk, hour, minute, is_forming):
    written = datetime(2024, 1, 5, hour, minute, tzinfo=UTC)
    _written_at(desk.keep(PLAIN), written)
    assert desk.read().as_of == (written if is_forming else NOW)


def test_a_mistyped_day_of_the_future_does_not_make_todays_bar_final(desk):
    written = datetime(2024, 1, 5, 12, 0, tzinfo=UTC)
    _written_at(desk.keep(PLAIN + "2024-12-23,1,1,1,1,1\n"), written)
    assert desk.read().as_of == written


def test_as_of_is_the_time_of_reading_when_the_file_was_written_on_another_day(desk):
    _written_at(desk.keep(PLAIN), datetime(2024, 1, 8, 12, 0, tzinfo=UTC))
    assert desk.read().as_of == NOW


@pytest.mark.parametrize("day", ["2024-01-01", "2024-01-06", "1999-01-04"])
def test_a_day_without_a_known_session_has_no_hours(day):
    assert calendar_hours(pd.Timestamp(day).date()) is None


def test_a_half_day_ends_earlier():
    opened, closed = calendar_hours(pd.Timestamp("2024-04-09").date())
    assert (closed - opened) == timedelta(hours=2, minutes=30)


def test_a_file_that_is_being_written_is_a_transient_failure(desk, monkeypatch):
    path = desk.keep(PLAIN)
    real = Path.read_bytes

    def read_while_written(self):
        payload = real(self)
        with path.open("ab") as file:
            file.write(b"2024-01-08,1,1,1,1,1\n")
        return payload

    monkeypatch.setattr(Path, "read_bytes", read_while_written)
    with pytest.raises(TransientProviderError, match=r"THYAO: THYAO.csv is being written"):
        desk.read()


def test_a_file_that_left_between_listing_and_reading_is_unknown(desk, monkeypatch):
    path = desk.keep(PLAIN)
    held = desk.provider.listing()
    path.unlink()
    monkeypatch.setattr(module.ArchiveProvider, "listing", lambda _: held)
    with pytest.raises(UnknownSymbolError, match=r"THYAO.csv has left the archive"):
        desk.read()


def test_a_folder_that_went_away_is_a_transient_failure(desk):
    provider = desk.provider
    desk.folder.rmdir()
    with pytest.raises(TransientProviderError, match="cannot be read"):
        provider.symbols()


def test_histories_may_be_read_by_many_threads(desk):
    for code in range(40):
        desk.keep(PLAIN.replace("12.5", f"12.{code:02d}1"), f"ZZ{code:03d}.csv")
    provider = desk.provider
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(provider.history, [*provider.symbols()] * 3))
    assert len(read) == 120
    assert all(h.bars["close_raw"].iloc[1] == float(f"12.{int(h.symbol[2:]):02d}1") for h in read)


def test_an_unset_folder_is_refused_with_what_to_type():
    with pytest.raises(SettingsError, match=r"BIST_ARCHIVE_DIR is not set: .*`bist-pipeline up --archive DIR`"):
        build_archive(Settings(bist_archive_dir=None), Services())


def test_a_file_instead_of_a_folder_is_refused(desk):
    with pytest.raises(SettingsError, match=r"BIST_ARCHIVE_DIR = .* is not a folder: .*up --archive DIR"):
        build_archive(Settings(bist_archive_dir=desk.keep(PLAIN)), Services())


@pytest.mark.parametrize(
    ("names", "message"),
    [([], r"holds no data file named after a symbol \(.csv"), (["AET-L.csv"], "AET-L.csv: 'AET-L' is")],
)
def test_a_folder_without_a_symbol_is_refused(desk, names, message):
    desk.keep("", "LICENSE")
    for name in names:
        desk.keep(PLAIN, name)
    with pytest.raises(SettingsError, match=f"{message}.*up --archive DIR"):
        build_archive(Settings(bist_archive_dir=desk.folder), Services())
