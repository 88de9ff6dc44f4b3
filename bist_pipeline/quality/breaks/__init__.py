"""Breaks of level in a symbol's history: told apart into actions and faults, with what heals them."""

from bist_pipeline.quality.breaks._analysis import BORSA_ISTANBUL, analyse, analyse_all
from bist_pipeline.quality.breaks._history import histories_of

__all__ = ["BORSA_ISTANBUL", "analyse", "analyse_all", "histories_of"]
