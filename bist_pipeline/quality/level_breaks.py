"""Lasting breaks of level, told apart: corporate actions, and faults of the provider's adjustment.

A move beyond the limit is an action where the prices as traded show it too, read off the tick grid on both sides; else
it is a fault: an adjustment of some rows only, for nothing, or a close that was not the last one.
"""

from bist_pipeline.quality.breaks import LEVEL_RULES, find_by_rules
from bist_pipeline.quality.contract import Check, CheckInput, Finding


def find(given: CheckInput) -> Finding:
    """Find moves beyond the limit that last, each with what it is."""
    return find_by_rules(given, LEVEL_RULES, "break")


CHECK = Check(
    name="level_breaks",
    severity="warn",
    blocking=False,
    description="Every lasting move beyond the price limit is a known action.",
    find=find,
)
