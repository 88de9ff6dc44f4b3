"""The second archive: the archive under another name, from settings of its own."""

import pytest

from bist_pipeline.core.errors import SettingsError, UnknownSymbolError
from bist_pipeline.providers.contract import Services
from bist_pipeline.providers.registry import registered_providers
from bist_pipeline.settings import Settings
from bist_pipeline_tests.providers.conftest import PLAIN

SPEC = registered_providers()["second_archive"]


def build(**settings):
    assert SPEC.build
    return SPEC.build(Settings(**settings), Services())


def test_it_is_an_archive_that_names_itself(desk):
    desk.keep(PLAIN)
    provider = build(bist_second_archive_dir=desk.folder, bist_second_archive_basis="as_traded")
    history = provider.history("THYAO")
    assert (provider.name, provider.family) == ("second_archive", "second_archive")
    assert (history.source, history.basis) == ("second_archive:THYAO.csv", "as_traded")
    assert list(provider.symbols()) == ["THYAO"]
    assert history.bars["close_raw"].tolist() == [11.0, 12.5]
    assert provider.version("THYAO").split(":")[1] == "as_traded"
    with pytest.raises(UnknownSymbolError, match="AKBNK"):
        provider.history("AKBNK")


def test_a_folder_that_is_not_set_not_there_or_empty_is_refused_by_the_variable(desk):
    for settings in ({}, {"bist_second_archive_dir": desk.folder / "no"}, {"bist_second_archive_dir": desk.folder}):
        with pytest.raises(SettingsError, match=r"^BIST_SECOND_ARCHIVE_DIR .*folder"):
            build(**settings)


def test_the_first_archive_is_no_second_source(desk):
    desk.keep(PLAIN)
    with pytest.raises(SettingsError, match="no second source"):
        build(bist_second_archive_dir=desk.folder, bist_archive_dir=desk.folder / ".." / desk.folder.name)


def test_every_provider_says_its_licence_beside_its_terms():
    for spec in registered_providers().values():
        assert 0 < len(spec.licence) <= 60
        assert spec.terms
