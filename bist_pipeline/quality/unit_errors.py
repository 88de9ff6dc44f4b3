"""Bars in another unit: about a hundred times too large or too small.

Yahoo serves single bars, or runs of them, in kuruş for lira. The level on which most bars were traded is taken for
right.
"""

from bist_pipeline.quality.breaks import UNIT_RULES, find_by_rules
from bist_pipeline.quality.contract import Check, CheckInput, Finding


def find(given: CheckInput) -> Finding:
    """Find closes a hundred times off the level that most traded bars have."""
    return find_by_rules(given, UNIT_RULES, "bar in another unit")


CHECK = Check(
    name="unit_errors",
    severity="warn",
    blocking=False,
    description="No close is a hundred times larger or smaller than those around it.",
    find=find,
)
