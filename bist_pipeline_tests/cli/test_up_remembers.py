"""What `up` leaves in its home, so that other commands on it mean the same."""

from bist_pipeline.cli.up import remember_choices
from bist_pipeline.settings import load_settings


def test_another_command_on_the_home_has_the_same_sources(tmp_path):
    home, first, second = (tmp_path / name for name in ("home", "first", "second"))
    told = load_settings(
        bist_home=home,
        bist_archive_dir=first,
        bist_archive_basis="split_adjusted",
        bist_second_provider="second_archive",
        bist_second_archive_dir=second,
        bist_second_archive_basis="as_traded",
        bist_bar_choice="supported",
    )
    remember_choices(told)
    assert load_settings(bist_home=home) == told


def test_without_a_second_source_nothing_of_one_is_remembered(tmp_path):
    told = load_settings(bist_home=tmp_path)
    remember_choices(told)
    assert "BIST_SECOND" not in told.remembered_path.read_text()
    assert load_settings(bist_home=tmp_path) == told
