"""Errors of the simulated exchange.

Belongs here: what a person may do wrong when starting it. Does not belong here: the faults it plays (`faults.py`).
"""

from bist_pipeline.core.errors import BistError


class SimulatorError(BistError):
    """A market, an event, a fault or an address that the simulated exchange cannot play."""
