import gzip

import pytest

from bist_pipeline.core.errors import BadPayloadError, SymbolError
from bist_pipeline.providers.archive._files import symbol_of
from bist_pipeline_tests.providers.conftest import PLAIN


@pytest.mark.parametrize(
    "name",
    [
        "THYAO.csv",
        "thyao.csv",
        "THYAO.CSV",
        "thyao.is.csv",
        "THYAO.IS.csv",
        "THYAO.E.csv",
        "THYAO_1d_cache.csv",
        "THYAO-daily.csv",
        "THYAO.txt",
        "THYAO.tsv",
        "THYAO_IS.csv",
        "THYAO Geçmiş Verileri.csv",
        "THYAO Historical Data.csv",
        "BIST_DLY_THYAO, 1D.csv",
        "THYAO_2021-08-10_2026-08-07.csv",
        "THYAO (1).csv",
        "prices_THYAO.csv",
    ],
)
def test_the_symbol_is_read_from_the_file_name(desk, name):
    assert desk.read(PLAIN, name).symbol == "THYAO"


@pytest.mark.parametrize("name", ["THYAO.csv.gz", "thyao.is.CSV.GZ", "THYAO.csv"])
def test_a_gzip_file_is_read_whatever_its_name(desk, name):
    assert len(desk.read(gzip.compress(PLAIN.encode()), name).bars) == 2


@pytest.mark.parametrize("stem", ["ISCTR", "isctr", "İSCTR", "ısctr"])
def test_turkish_letters_i_are_folded(stem):
    assert symbol_of(stem) == "ISCTR"


@pytest.mark.parametrize(
    "stem", ["AET-L-1d-100x-error", "my_prices_of_thyao_and_akbnk", "AKBNK THYAO", "2024", "daily", "ÇİMSA"]
)
def test_a_name_that_is_no_symbol_or_more_than_one_is_refused(stem):
    with pytest.raises(SymbolError):
        symbol_of(stem)


def test_other_files_are_ignored_and_listed(desk):
    for name in (
        "THYAO.csv",
        "LICENSE",
        "LICENSE.megecr",
        "README.md",
        "readme.txt",
        ".hidden.csv",
        "~$THYAO.csv",
        "b.json",
    ):
        desk.keep(PLAIN, name)
    (desk.folder / "AKBNK.csv").mkdir()
    listing = desk.provider.listing()
    assert list(listing.files) == ["THYAO"]
    assert not listing.unnamed
    expected = {
        "LICENSE",
        "LICENSE.megecr",
        "README.md",
        "readme.txt",
        ".hidden.csv",
        "~$THYAO.csv",
        "b.json",
        "AKBNK.csv",
    }
    assert set(listing.ignored) == expected


def test_a_data_file_without_a_symbol_is_reported_and_not_fatal(desk):
    desk.keep(PLAIN)
    desk.keep(PLAIN, "AET-L.csv")
    assert desk.provider.symbols() == ["THYAO"]
    assert "AET-L" in desk.provider.listing().unnamed["AET-L.csv"]


@pytest.mark.parametrize("ask", ["history", "version"])
def test_two_files_of_one_symbol_are_refused_and_both_named(desk, ask):
    desk.keep(PLAIN)
    desk.keep(PLAIN, "thyao.is.csv")
    assert desk.provider.symbols() == ["THYAO"]
    with pytest.raises(BadPayloadError, match=r"THYAO: the archive has THYAO.csv and thyao.is.csv"):
        getattr(desk.provider, ask)("THYAO")


def test_a_file_that_comes_later_is_seen(desk):
    desk.keep(PLAIN)
    provider = desk.provider
    assert provider.symbols() == ["THYAO"]
    desk.keep(PLAIN, "AKBNK.csv")
    assert provider.symbols() == ["AKBNK", "THYAO"]
