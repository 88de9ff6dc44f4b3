"""House rules that no linter knows, held against every file.

Belongs here: what the style asks for and a program can see. Imports have `test_arrows.py`. An exception is named
beside its rule, with its reason.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import bist_pipeline

PACKAGE = Path(bist_pipeline.__file__).parent
CHECKOUT = PACKAGE.parent
TESTS = Path(__file__).parent

MODULE_LINES = 300
FUNCTION_LINES = 40  # its docstring apart: explaining more is never a fault
LONG_FUNCTIONS = {
    # A revision is frozen: it makes the first tables one after the other, as they were on that day.
    ("bist_pipeline/storage/migrations/versions/rev_0001_first_tables.py", "upgrade"),
}

# A path of somebody's machine, or the host that a package or an image is downloaded from.
FORBIDDEN_TEXT = re.compile(
    r"(?<![\w.])/(?:home|root|Users|work|mnt)/[\w.]|[A-Z]:\\Users|"
    r"pypi\.org|pythonhosted\.org|index[-_]url|artifactory|\.nexus\.|docker\.io|ghcr\.io"
)
TEXT_SUFFIXES = {".py", ".yaml", ".yml", ".toml", ".cfg", ".md", ".mako", ".sql", ".csv", ".txt", ".sh", ""}
NOT_OURS = {
    ".git",
    ".venv",
    ".bist",
    ".bist-simulated",
    "__pycache__",
    ".pytest_cache",
    ".ruff_cache",
    ".hypothesis",
    "build",
    "dist",
}


def modules(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def nodes(folder: Path) -> Iterator[tuple[Path, ast.AST]]:
    return ((path, node) for path in modules(folder) for node in ast.walk(parsed(path)))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = function.body[0]
    is_docstring = ast.get_docstring(function) is not None
    told = (first.end_lineno or 0) - first.lineno + 1 if is_docstring else 0
    return (function.end_lineno or 0) - function.lineno + 1 - told


def test_every_module_says_what_it_is_for():
    assert [relative(path) for path in modules(PACKAGE) if not ast.get_docstring(parsed(path))] == []


def test_no_module_is_longer_than_a_person_reads():
    lengths = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules(PACKAGE)}
    assert {path: lines for path, lines in lengths.items() if lines > MODULE_LINES} == {}


def test_no_function_is_longer_than_a_screen():
    long = {
        (relative(path), function.name)
        for path in modules(PACKAGE)
        for function in functions(parsed(path))
        if length(function) > FUNCTION_LINES
    }
    assert long == LONG_FUNCTIONS


def test_nothing_is_printed_by_print():
    assert calls_of(PACKAGE, "print") == []


def calls_of(folder: Path, name: str) -> list[str]:
    return [
        f"{relative(path)}:{node.lineno}"
        for path, node in nodes(folder)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    ]


def test_no_handler_catches_everything_and_none_says_nothing():
    handlers = [
        (path, node)
        for path in modules(PACKAGE)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ExceptHandler)
    ]
    assert [f"{relative(path)}:{node.lineno}" for path, node in handlers if _catches_all(node)] == []
    assert [f"{relative(path)}:{node.lineno}" for path, node in handlers if _only_passes(node)] == []


def _catches_all(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    names = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)}
    # Whoever lets it go on its way after tidying up has caught nothing.
    raises = isinstance(handler.body[-1], ast.Raise) and handler.body[-1].exc is None
    return bool(names & {"Exception", "BaseException"}) and not raises


def _only_passes(handler: ast.ExceptHandler) -> bool:
    return all(isinstance(statement, ast.Pass) for statement in handler.body)


def test_the_time_is_asked_of_a_clock():
    asked = [
        f"{relative(path)}:{node.lineno}"
        for path, node in nodes(PACKAGE)
        if isinstance(node, ast.Attribute)
        and node.attr in {"now", "today", "utcnow"}
        and ast.unparse(node.value).rsplit(".", maxsplit=1)[-1] in {"datetime", "date", "Timestamp"}
    ]
    assert [place for place in asked if not place.startswith("bist_pipeline/core/clock.py:")] == []


def test_every_skip_and_expected_failure_states_its_reason():
    silent = [
        f"{relative(path)}:{node.lineno}"
        for path, node in nodes(TESTS)
        if isinstance(node, ast.Attribute)
        and node.attr in {"skip", "skipif", "xfail", "importorskip"}
        and not _states_reason(node, parsed(path))
    ]
    assert silent == []


def _states_reason(mark: ast.Attribute, tree: ast.Module) -> bool:
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.lineno == mark.lineno:
            named = any(keyword.arg == "reason" for keyword in call.keywords)
            return named or (call.func.attr in {"skip", "xfail"} and bool(call.args))
    return False


def text_files() -> list[Path]:
    return [
        path
        for path in sorted(CHECKOUT.rglob("*"))
        if path.is_file()
        and path.suffix in TEXT_SUFFIXES
        and not NOT_OURS & set(path.relative_to(CHECKOUT).parts)
        and not any(part.endswith(".egg-info") or part.startswith(".coverage") for part in path.parts)
    ]


def test_no_file_holds_a_path_of_one_machine_or_the_address_of_a_registry():
    found = []
    for path in text_files():
        if path != Path(__file__):
            text = path.read_text(encoding="utf-8", errors="replace")
            found += [f"{relative(path)}: {hit.group()}" for hit in FORBIDDEN_TEXT.finditer(text)]
            found += [f"{relative(path)}: the checkout's own path"] if str(CHECKOUT) in text else []
    assert found == []


@pytest.mark.parametrize("text", ["see /home/me/x", '"/root/.pyenv"', "https://pypi.org/simple", "--index-url=x"])
def test_the_rule_about_paths_and_registries_finds_what_it_is_for(text):
    assert FORBIDDEN_TEXT.search(text)


@pytest.mark.parametrize("text", ["see docs/home/x", "a /homely path", "bist_pipeline/core/work/x"])
def test_the_rule_about_paths_and_registries_leaves_others_alone(text):
    assert not FORBIDDEN_TEXT.search(text)


def test_the_checkouts_instance_file_is_the_one_that_up_writes():
    assert (CHECKOUT / "dagster.yaml").read_bytes() == (PACKAGE / "defs" / "dagster.yaml").read_bytes()


def test_the_checkouts_workspace_names_the_definitions():
    workspace = yaml.safe_load((CHECKOUT / "workspace.yaml").read_text(encoding="utf-8"))
    assert workspace == {"load_from": [{"python_module": {"module_name": "bist_pipeline.definitions"}}]}


def test_every_room_has_tests_of_its_own():
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    tested = {path.parent.name for path in TESTS.glob("*/test_*.py")}
    assert rooms - tested - {"schemas"} == set()
