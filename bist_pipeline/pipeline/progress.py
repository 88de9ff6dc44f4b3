"""How long work tells of itself.

Belongs here: the protocol that the command line's progress bar and Dagster's log both fill. Nothing is drawn here.
"""

from typing import Protocol


class Progress(Protocol):
    """Told of every step that is done."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Say that `done` of `total` steps of a stage are done."""
        ...


def silent(stage: str, done: int, total: int) -> None:
    """Tell nobody."""
