"""Prices that jump beyond the limit and come back: whole bars, or one price within a bar.

A market cannot do it: what moves beyond the limit and is back within days was never traded.
"""

from bist_pipeline.quality.breaks import SPIKE_RULES, find_by_rules
from bist_pipeline.quality.contract import Check, CheckInput, Finding


def find(given: CheckInput) -> Finding:
    """Find bars between two moves beyond the limit that cancel, and prices out of reach of their own bar."""
    return find_by_rules(given, SPIKE_RULES, "spike")


CHECK = Check(
    name="reverting_spikes",
    severity="warn",
    blocking=False,
    description="No price jumps beyond the limit and comes back.",
    find=find,
)
