"""Which indicators there are.

Belongs here: discovery, and the refusal of what discovery alone does not see. Does not belong here: a list of
indicators; one exists by having a file in the folder of its family.
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import get_args

from bist_pipeline import indicators
from bist_pipeline.core.errors import RegistryError
from bist_pipeline.core.registry import discover
from bist_pipeline.indicators.contract import Family, Indicator, IndicatorColumn

_FAMILIES: tuple[str, ...] = get_args(Family)


@cache
def registered_indicators() -> Mapping[str, Indicator]:
    """Return every indicator by name, in the order of their columns: family as in `Family`, then name.

    Raises:
        RegistryError: Two indicators use one name or fill one column, or a module defines none.
    """
    found = discover(indicators, Indicator)
    ordered = sorted(found.values(), key=lambda indicator: (_FAMILIES.index(indicator.family), indicator.name))
    refuse_shared_columns(ordered)
    return MappingProxyType({indicator.name: indicator for indicator in ordered})


@cache
def indicator_columns() -> tuple[IndicatorColumn, ...]:
    """Return every column, family by family, in each the indicators by name, in each its columns as declared.

    The order is that of the computed frame. A table or view that only ever appends keeps its own order and takes the
    columns by name.
    """
    return tuple(column for indicator in registered_indicators().values() for column in indicator.columns)


def refuse_shared_columns(parts: list[Indicator]) -> None:
    """Refuse two columns of one name.

    Raises:
        RegistryError: The message names the column and both holders.
    """
    holders: dict[str, str] = {}
    for indicator in parts:
        for column in indicator.columns:
            if column.name in holders:
                raise RegistryError(
                    f"indicator column {column.name!r} is filled by {holders[column.name]!r} and by {indicator.name!r}"
                )
            holders[column.name] = indicator.name
