"""Discovery of parts: indicators, patterns, checks and providers register themselves by existing.

Belongs here: finding every instance of a part's type in the modules of a package. Does not belong here: what a part
is (each room states its own in `contract.py`). Adding a part is adding one file; there is no second list to keep.
"""

import importlib
import pkgutil
import sys
from collections.abc import Mapping
from types import MappingProxyType, ModuleType
from typing import NoReturn, Protocol, TypeVar

from bist_pipeline.core.errors import RegistryError


class Named(Protocol):
    """A part with a registered name. The name is a storage contract: it outlives the module that defines it."""

    @property
    def name(self) -> str:
        """The registered name."""
        ...


Part = TypeVar("Part", bound=Named)

# Modules and packages of a room that hold its machinery rather than a part: `contract.py` states the part's type, the
# others start with an underscore.
_MACHINERY = frozenset({"contract", "registry", "engine", "pacing"})


def discover(package: ModuleType, part_type: type[Part]) -> Mapping[str, Part]:
    """Import every module of `package` (recursively) and collect its module-level instances of `part_type`.

    Args:
        package: The room to search.
        part_type: The type whose instances are collected.

    Returns:
        A read-only mapping from name to part, sorted by name.

    Raises:
        RegistryError: Two modules use one name, a module that should define a part defines none, or a package cannot
            be imported.
    """
    found: dict[str, tuple[str, Part]] = {}
    for module_name in _part_modules(package):
        parts = [p for p in vars(importlib.import_module(module_name)).values() if isinstance(p, part_type)]
        if not parts:
            raise RegistryError(
                f"{module_name} defines no {part_type.__name__}: remove it or rename it with a leading _"
            )
        for part in parts:
            holder, other = found.get(part.name, (module_name, part))
            if other is not part:
                raise RegistryError(f"{part_type.__name__} {part.name!r} is defined in {holder} and in {module_name}")
            found[part.name] = (holder, part)
    return MappingProxyType({name: found[name][1] for name in sorted(found)})


def _part_modules(package: ModuleType) -> list[str]:
    prefix, names = f"{package.__name__}.", []
    for info in pkgutil.walk_packages(package.__path__, prefix=prefix, onerror=_refuse_package):
        path = info.name.removeprefix(prefix).split(".")
        if not info.ispkg and not any(part.startswith("_") or part in _MACHINERY for part in path):
            names.append(info.name)
    return sorted(names)


def _refuse_package(name: str) -> NoReturn:
    # Without this, pkgutil leaves out a package that raises ImportError, and its parts with it, in silence.
    raise RegistryError(f"{name} cannot be imported: {sys.exception()}")
