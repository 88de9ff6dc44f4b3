import importlib
import itertools
from dataclasses import dataclass

import pytest

from bist_pipeline.core.errors import RegistryError
from bist_pipeline.core.registry import discover

_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Part:
    name: str


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return a function that writes a package's modules and imports it."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def _package(**modules):
        name = f"parts_{next(_numbers)}"
        for path, source in {"__init__": "", **modules}.items():
            file = tmp_path / name / f"{path.replace('__in__', '/')}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(source)
            init = file.with_name("__init__.py")
            init.write_text(init.read_text() if init.exists() else "")
        importlib.invalidate_caches()
        return importlib.import_module(name)

    return _package


def part(name):
    return f"from {__name__} import Part\nPART = Part({name!r})\n"


def test_parts_are_found_in_every_module_and_sorted_by_name(package):
    found = discover(package(zebra=part("a"), apple=part("b"), sub__in__deep=part("c")), Part)
    assert list(found) == ["a", "b", "c"]
    assert found["a"] == Part("a")


def test_a_module_may_define_several_parts_and_the_same_part_may_be_seen_twice(package):
    room = package(one=part("a") + "OTHER = Part('b')\nALIAS = PART\n")
    assert list(discover(room, Part)) == ["a", "b"]
    source = f"from {room.__name__}.one import PART, OTHER\n"
    again = package(one=source, two=source)
    assert list(discover(again, Part)) == ["a", "b"]


def test_the_answer_is_read_only(package):
    found = discover(package(one=part("a")), Part)
    with pytest.raises(TypeError):
        found["b"] = Part("b")


def test_machinery_and_private_modules_need_no_part(package):
    room = package(
        contract="", registry="", engine="", _helper=part("hidden"), one=part("a"), _private__in__two=part("hidden")
    )
    assert list(discover(room, Part)) == ["a"]


def test_two_parts_of_one_name_are_refused_naming_both_modules(package):
    room = package(one=part("rsi_14"), two=part("rsi_14"))
    with pytest.raises(RegistryError, match=rf"'rsi_14' is defined in {room.__name__}.one and in {room.__name__}.two"):
        discover(room, Part)


def test_a_module_without_a_part_is_refused(package):
    room = package(one=part("a"), two="VALUE = 1\n")
    with pytest.raises(RegistryError, match=rf"{room.__name__}.two defines no Part"):
        discover(room, Part)


def test_a_module_that_cannot_be_imported_is_not_left_out(package):
    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        discover(package(one=part("a"), two="import no_such_library\n"), Part)


@pytest.mark.parametrize("failure", ["import no_such_library", "1 / 0"])
def test_a_package_that_cannot_be_imported_is_not_left_out(package, failure):
    room = package(one=part("a"), sub__in____init__=failure, sub__in__two=part("b"))
    with pytest.raises(RegistryError, match=rf"{room.__name__}.sub cannot be imported: "):
        discover(room, Part)


def test_an_empty_package_has_no_parts(package):
    assert dict(discover(package(), Part)) == {}
