"""Every check of this room.

Belongs here: the list, found by discovery. Adding a check is adding a file to this room that defines one `Check`.
"""

from collections.abc import Mapping

from bist_pipeline import quality
from bist_pipeline.core.registry import discover
from bist_pipeline.quality.contract import Check


def registered_checks() -> Mapping[str, Check]:
    """Return the checks by name, sorted.

    Raises:
        RegistryError: Two checks share a name, or a module of this room defines none.
    """
    return discover(quality, Check)
