"""Which pattern detectors there are.

Belongs here: discovery. Does not belong here: a list of patterns; one exists by being defined in a module of its
folder.
"""

from collections.abc import Mapping
from functools import cache

from bist_pipeline.core.errors import RegistryError
from bist_pipeline.core.registry import discover
from bist_pipeline.patterns import candlestick, chart
from bist_pipeline.patterns.contract import Candlestick
from bist_pipeline.patterns.structures.contract import ChartPattern


@cache
def registered_candlesticks() -> Mapping[str, Candlestick]:
    """Return every candlestick pattern by name, sorted by name.

    Raises:
        RegistryError: Two patterns use one name, or a module defines none.
    """
    return discover(candlestick, Candlestick)


@cache
def registered_charts() -> Mapping[str, ChartPattern]:
    """Return every chart pattern by name, sorted by name.

    Raises:
        RegistryError: Two patterns use one name, a module defines none, or a mirror image is missing.
    """
    found = discover(chart, ChartPattern)
    for name, pattern in found.items():
        if pattern.mirror and (pattern.mirror not in found or found[pattern.mirror].mirror != name):
            raise RegistryError(f"chart pattern {name} names {pattern.mirror} as its mirror image, which is not one")
    return found
