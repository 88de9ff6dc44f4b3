"""Which terms exist.

Belongs here: finding the terms in `terms/` and the order of their columns. Does not belong here: what a term is
(`contract.py`) or how terms are weighed (`model.py`, `score.py`).
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from bist_pipeline.core.errors import RegistryError
from bist_pipeline.core.registry import discover
from bist_pipeline.signals import terms
from bist_pipeline.signals.contract import CANDLE_INPUTS, CLOSE_INPUT, SUB_SIGNALS, Term


@cache
def registered_terms() -> Mapping[str, Term]:
    """Return every term by name, ordered by sub-signal (trend first, candles last) and then by name.

    Raises:
        RegistryError: Two terms share a name, a module of `terms/` defines none, or a sub-signal has no term.
    """
    found = discover(terms, Term)
    ordered = {t.name: t for sub_signal in SUB_SIGNALS for t in found.values() if t.sub_signal == sub_signal}
    empty = set(SUB_SIGNALS) - {term.sub_signal for term in ordered.values()}
    if empty:
        raise RegistryError(f"no term belongs to the sub-signals {', '.join(sorted(empty))}")
    return MappingProxyType(ordered)


def term_columns() -> tuple[str, ...]:
    """Return the columns of `analytics.signals` that store terms, in the order of `registered_terms`."""
    return tuple(term.column for term in registered_terms().values())


def indicator_inputs() -> tuple[str, ...]:
    """Return the columns of `analytics.indicators` that any term reads, sorted: what a caller must hand in."""
    inputs = {name for term in registered_terms().values() for name in term.inputs}
    return tuple(sorted(inputs - {CLOSE_INPUT, *CANDLE_INPUTS}))
