"""Compiling ahead: where it is kept, when it is done, and that it stops when asked."""

import os
import shutil
import time

import pytest

from bist_pipeline.pipeline import compiling
from bist_pipeline.pipeline.compiling import KEPT_IN, compile_ahead, is_compiled, keep_compiled
from bist_pipeline.pipeline.context import open_context
from bist_pipeline.settings import load_settings


@pytest.fixture
def local(tmp_path):
    return load_settings(bist_home=tmp_path / "home")


@pytest.fixture(autouse=True)
def _no_folder_chosen(monkeypatch):
    monkeypatch.setenv(KEPT_IN, "")
    monkeypatch.delenv(KEPT_IN)


@pytest.fixture(autouse=True)
def _mark_of_its_own(request, monkeypatch, tmp_path):
    """The mark of this installation is left alone, and shall not tell these tests that all is done."""
    if "homes" not in request.node.name:
        monkeypatch.setattr(compiling, "_mark", lambda settings: settings.bist_home / "cache" / "compiled_for")


def test_homes_of_an_installation_that_can_be_written_share_what_is_compiled(local, tmp_path, monkeypatch):
    other = load_settings(bist_home=tmp_path / "other")
    assert compiling._mark(local) == compiling._mark(other)
    monkeypatch.setattr(compiling, "_package", lambda: tmp_path / "gone")
    assert compiling._mark(local) != compiling._mark(other)


@pytest.fixture
def read_only(monkeypatch, tmp_path):
    """A package in a folder that cannot be written: root may write everywhere but where nothing is."""
    monkeypatch.setattr(compiling, "_package", lambda: tmp_path / "gone")


def test_where_the_package_can_be_written_nothing_is_chosen(local):
    keep_compiled(local)
    assert KEPT_IN not in os.environ


def test_where_it_cannot_the_home_keeps_what_was_compiled(local, read_only):
    keep_compiled(local)
    assert os.environ[KEPT_IN] == str(local.bist_home / "cache" / "numba")


def test_the_folder_that_a_person_chose_stays(local, read_only, monkeypatch):
    monkeypatch.setenv(KEPT_IN, "/elsewhere")
    keep_compiled(local)
    assert os.environ[KEPT_IN] == "/elsewhere"


def test_every_command_on_a_home_chooses_the_same_folder(settings, read_only):
    with open_context(settings):
        assert os.environ[KEPT_IN] == str(settings.bist_home / "cache" / "numba")


def test_it_is_done_once_per_home_and_anew_when_the_code_is_another(local, monkeypatch, tmp_path):
    assert not is_compiled(local)
    assert compile_ahead(local, {}, lambda: False)
    assert is_compiled(local)
    shutil.copytree(compiling._package() / "patterns" / "pivots", tmp_path / "package" / "patterns" / "pivots")
    monkeypatch.setattr(compiling, "_package", lambda: tmp_path / "package")
    assert not is_compiled(local)


def test_whether_it_is_done_is_known_at_once(local):
    begun = time.perf_counter()
    is_compiled(local)
    assert time.perf_counter() - begun < 0.5


def test_it_ends_when_up_is_to_stop_and_is_not_taken_for_done(local):
    begun = time.perf_counter()
    assert not compile_ahead(local, {}, lambda: True)
    assert time.perf_counter() - begun < 5
    assert not is_compiled(local)


def test_a_trial_that_fails_is_not_taken_for_done(local, monkeypatch):
    monkeypatch.setattr(compiling, "_TRIAL", "bist_pipeline.no_such_module")
    assert not compile_ahead(local, {}, lambda: False)
    assert not is_compiled(local)
