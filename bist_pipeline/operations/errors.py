"""Errors of running the pipeline as processes.

Belongs here: what only supervision and its checks raise. Does not belong here: errors that other rooms raise or catch
too (`core/errors.py`).
"""

from bist_pipeline.core.errors import BistError


class SupervisionError(BistError):
    """A supervised process could not be started, did not become ready, kept dying, or could not be ended."""


class DiskSpaceError(BistError):
    """Too little room on the disk."""


class UnsupportedPlatformError(BistError):
    """This operating system cannot run the supervisor."""
