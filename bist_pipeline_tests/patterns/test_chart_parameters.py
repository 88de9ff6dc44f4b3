"""Thresholds that a chart pattern states are those that it reads.

Belongs here: that no number in `parameters` is there for show, as the source of the patterns says. What a number does
is tested by the drawings.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from bist_pipeline.patterns import chart
from bist_pipeline.patterns.registry import registered_charts

FOLDER = Path(chart.__file__).parent
MODULES = sorted(FOLDER.rglob("*.py"))


@cache
def parsed(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


def stated(module: Path) -> set[str]:
    """Names of the numbers in mappings that nobody can change: `MappingProxyType({"name": …})`."""
    return {
        str(key.value)
        for node in ast.walk(parsed(module))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "MappingProxyType"
        for mapping in ast.walk(node)
        if isinstance(mapping, ast.Dict)
        for key in mapping.keys
        if isinstance(key, ast.Constant)
    }


def read(module: Path) -> Iterator[str]:
    """Names by which something is fetched: `p["name"]`, `p.get("name")`, and tuples of names, which are handed over."""
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.Subscript):
            yield from texts(node.slice)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            yield from texts(*node.args[:1])
        elif isinstance(node, ast.Tuple):
            yield from texts(*node.elts)


def texts(*nodes: ast.expr) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def readers(module: Path) -> list[Path]:
    """A module reads its own numbers; what a shared one states may be read by its neighbours."""
    return sorted(module.parent.glob("*.py")) if module.name.startswith("_") else [module]


@pytest.mark.parametrize("module", [one for one in MODULES if stated(one)], ids=lambda one: one.stem)
def test_every_stated_threshold_is_read(module):
    found = {name for one in readers(module) for name in read(one)}
    assert stated(module) - found == set()


def test_the_thresholds_of_all_patterns_are_stated_where_this_looks():
    everywhere = {name for module in MODULES for name in stated(module)}
    assert {name for pattern in registered_charts().values() for name in pattern.parameters} <= everywhere
