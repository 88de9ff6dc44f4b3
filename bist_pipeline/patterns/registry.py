"""Which pattern detectors there are.

Belongs here: discovery. Does not belong here: a list of patterns; one exists by being defined in a module of its
folder.
"""

from collections.abc import Mapping
from functools import cache

from bist_pipeline.core.registry import discover
from bist_pipeline.patterns import candlestick
from bist_pipeline.patterns.contract import Candlestick


@cache
def registered_candlesticks() -> Mapping[str, Candlestick]:
    """Return every candlestick pattern by name, sorted by name.

    Raises:
        RegistryError: Two patterns use one name, or a module defines none.
    """
    return discover(candlestick, Candlestick)
