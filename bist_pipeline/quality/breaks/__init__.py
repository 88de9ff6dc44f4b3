"""Breaks of level in a symbol's history: told apart into actions and faults, with what heals them."""

from bist_pipeline.quality.breaks._analysis import BORSA_ISTANBUL, analyse, analyse_all
from bist_pipeline.quality.breaks._checks import find_by_rules
from bist_pipeline.quality.breaks._history import histories_of
from bist_pipeline.quality.breaks._rules import LEVEL_RULES, SPIKE_RULES, UNIT_RULES

__all__ = [
    "BORSA_ISTANBUL",
    "LEVEL_RULES",
    "SPIKE_RULES",
    "UNIT_RULES",
    "analyse",
    "analyse_all",
    "find_by_rules",
    "histories_of",
]
