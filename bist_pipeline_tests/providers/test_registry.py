import pytest

from bist_pipeline.core.errors import SettingsError
from bist_pipeline.providers.registry import build_providers, registered_providers
from bist_pipeline.settings import Settings
from bist_pipeline_tests.providers.conftest import PLAIN


def test_the_archive_is_discovered():
    assert "archive" in registered_providers()


def test_providers_come_in_the_order_of_the_setting(desk):
    desk.keep(PLAIN)
    settings = Settings(bist_providers="archive", bist_archive_dir=desk.folder)
    assert [provider.name for provider in build_providers(settings)] == ["archive"]


def test_an_unknown_name_is_refused_with_the_variable_and_the_legal_names(desk):
    settings = Settings(bist_providers="archive,archiv", bist_archive_dir=desk.folder)
    with pytest.raises(SettingsError, match=r"^BIST_PROVIDERS names 'archiv' \(legal: .*archive"):
        build_providers(settings)
